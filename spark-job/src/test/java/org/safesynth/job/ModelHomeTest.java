package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.fault.BadInputException;

@Tag("unit")
class ModelHomeTest {
  private final Configuration hadoop = new Configuration(false);

  @TempDir Path temp;

  private static Path model(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), "{}");
    return folder;
  }

  private String found(String model, String home, Map<String, String> environment) {
    return new ModelHome(hadoop, home, environment).find(model).toUri().getPath();
  }

  @Test
  void aPathIsTakenAsItIs() throws IOException {
    Path folder = model(temp.resolve("my model"));
    assertEquals(folder.toString(), found(folder.toString(), null, Map.of()));
  }

  @Test
  void anIdIsFoundInTheModelHomeAndInCaches() throws IOException {
    Path plain = model(temp.resolve("home/Owner/Name-1.0"));
    assertEquals(
        plain.toString(), found("Owner/Name-1.0", temp.resolve("home").toString(), Map.of()));
    Path cached = model(temp.resolve("hub/models--Owner--Other/snapshots/abc"));
    model(temp.resolve("hub/models--Owner--Other/snapshots/old"));
    Files.createDirectories(temp.resolve("hub/models--Owner--Other/refs"));
    Files.writeString(temp.resolve("hub/models--Owner--Other/refs/main"), "abc\n");
    Map<String, String> home = Map.of("HF_HOME", temp.toString());
    assertEquals(cached.toString(), found("Owner/Other", null, home));
    assertEquals(cached.toString(), found("Owner/Other", temp.toString(), Map.of()));
    assertEquals(
        cached.toString(),
        found("Owner/Other", null, Map.of("HF_HUB_CACHE", temp.resolve("hub").toString())));
  }

  @Test
  void aMissingModelSaysWhatToPutWhere() {
    BadInputException id =
        assertThrows(
            BadInputException.class,
            () -> new ModelHome(hadoop, "/models", Map.of()).find("Owner/Name"));
    assertEquals(
        "training.pretrained_model: the model Owner/Name is at none of /models/Owner/Name,"
            + " /models/models--Owner--Name/snapshots, /models/hub/models--Owner--Name/snapshots:"
            + " put its config.json, tokenizer.json and *.safetensors into /models/Owner/Name, or"
            + " on a machine with network run scripts/fetch-model Owner/Name FOLDER and set"
            + " cluster.model_home to FOLDER",
        id.getMessage());
    BadInputException path =
        assertThrows(
            BadInputException.class,
            () -> new ModelHome(hadoop, null, Map.of()).find("/no/such/folder"));
    assertEquals(
        "training.pretrained_model: /no/such/folder is no model folder: it has no config.json",
        path.getMessage());
  }

  /** The local disk under a scheme of its own, as far as Hadoop knows a remote store. */
  public static final class Remote extends RawLocalFileSystem {
    @Override
    public String getScheme() {
      return "remote";
    }

    @Override
    public URI getUri() {
      return URI.create("remote:///");
    }
  }

  @Test
  void aRemoteModelIsCopiedOnceAndAgainWhenItChanges() throws IOException {
    hadoop.setClass("fs.remote.impl", Remote.class, org.apache.hadoop.fs.FileSystem.class);
    Path folder = model(temp.resolve("m"));
    Files.write(folder.resolve("model.safetensors"), new byte[100]);
    Files.write(folder.resolve("pytorch_model.bin"), new byte[100]);
    org.apache.hadoop.fs.Path remote = new org.apache.hadoop.fs.Path("remote://" + folder);
    Path cache = temp.resolve("cache");
    Path copy = LocalModel.of(hadoop, remote, cache);
    assertTrue(copy.startsWith(cache));
    assertEquals(100, Files.size(copy.resolve("model.safetensors")));
    assertTrue(Files.notExists(copy.resolve("pytorch_model.bin")));
    assertEquals(copy, LocalModel.of(hadoop, remote, cache));
    Files.write(folder.resolve("model.safetensors"), new byte[200]);
    Path other = LocalModel.of(hadoop, remote, cache);
    assertNotEquals(copy, other);
    assertEquals(200, Files.size(other.resolve("model.safetensors")));
    assertEquals(
        folder, LocalModel.of(hadoop, new org.apache.hadoop.fs.Path(folder.toString()), cache));
  }
}
