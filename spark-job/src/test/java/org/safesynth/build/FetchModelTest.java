package org.safesynth.build;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs scripts/fetch-model against a server that answers as the hub does. */
@Tag("unit")
class FetchModelTest {
  private static final String TOKEN = "hf_secret";

  @TempDir Path home;

  private HttpServer hub;
  private final TreeMap<String, byte[]> files = new TreeMap<>();
  private final List<String> downloads = new ArrayList<>();
  private boolean needsToken;
  private boolean damages;

  @BeforeEach
  void start() throws IOException {
    files.put("config.json", "{\"model_type\":\"llama\"}".getBytes(StandardCharsets.UTF_8));
    files.put("tokenizer.json", "{}".getBytes(StandardCharsets.UTF_8));
    files.put(
        "model.safetensors.index.json",
        "{\"weight_map\":{\"a\":\"m-1.safetensors\",\"b\":\"m-2.safetensors\",\"c\":\"m-1.safetensors\"}}"
            .getBytes(StandardCharsets.UTF_8));
    files.put("m-1.safetensors", content(300_000, 1));
    files.put("m-2.safetensors", content(1000, 2));
    hub = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    hub.createContext("/", this::answer);
    hub.start();
  }

  @AfterEach
  void stop() {
    hub.stop(0);
  }

  private static byte[] content(int size, int seed) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (i * 31 + seed);
    }
    return bytes;
  }

  /** Large files are redirected to a store and announced by SHA-256, others by git's hash. */
  private void answer(HttpExchange call) throws IOException {
    String path = call.getRequestURI().getPath();
    String name = path.substring(path.lastIndexOf('/') + 1);
    byte[] content = files.get(name);
    boolean isStore = path.startsWith("/store/");
    boolean isKnown = path.startsWith("/owner/name/resolve/main/") || isStore;
    boolean isLarge = name.endsWith(".safetensors");
    String authorization = call.getRequestHeaders().getFirst("Authorization");
    if (path.startsWith("/owner/old/")) {
      call.getResponseHeaders().set("Location", path.replace("/old/", "/name/"));
      call.sendResponseHeaders(307, -1);
    } else if (!isStore && needsToken && !("Bearer " + TOKEN).equals(authorization)) {
      call.sendResponseHeaders(401, -1);
    } else if (content == null || !isKnown) {
      call.sendResponseHeaders(404, -1);
    } else if (isLarge && !isStore) {
      call.getResponseHeaders().set("X-Linked-Size", String.valueOf(content.length));
      call.getResponseHeaders().set("X-Linked-Etag", '"' + hash("SHA-256", content) + '"');
      call.getResponseHeaders().set("Location", "/store/" + name);
      call.sendResponseHeaders(302, -1);
    } else {
      byte[] blob = ("blob " + content.length + "\0").getBytes(StandardCharsets.UTF_8);
      call.getResponseHeaders().set("ETag", '"' + hash("SHA-1", blob, content) + '"');
      send(call, name, content);
    }
    call.close();
  }

  private void send(HttpExchange call, String name, byte[] content) throws IOException {
    if (call.getRequestMethod().equals("HEAD")) {
      call.getResponseHeaders().set("Content-Length", String.valueOf(content.length));
      call.sendResponseHeaders(200, -1);
      return;
    }
    String range = call.getRequestHeaders().getFirst("Range");
    int from = range == null ? 0 : Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
    downloads.add(name + "@" + from);
    byte[] sent = Arrays.copyOfRange(content, from, content.length);
    if (damages && name.equals("m-1.safetensors")) {
      sent[sent.length - 1]++;
    }
    if (from > 0) {
      call.getResponseHeaders()
          .set(
              "Content-Range",
              "bytes %d-%d/%d".formatted(from, content.length - 1, content.length));
    }
    call.sendResponseHeaders(from > 0 ? 206 : 200, sent.length);
    call.getResponseBody().write(sent);
  }

  private static String hash(String algorithm, byte[]... parts) {
    try {
      MessageDigest digest = MessageDigest.getInstance(algorithm);
      for (byte[] part : parts) {
        digest.update(part);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private record Ended(int code, String said) {}

  private Ended fetch(String id, String token) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
            "bash", ProjectFolder.resolve("scripts/fetch-model").toString(), id, home.toString());
    builder.environment().put("HF_ENDPOINT", "http://127.0.0.1:" + hub.getAddress().getPort());
    builder.environment().remove("HF_TOKEN");
    builder.environment().put("no_proxy", "*");
    if (token != null) {
      builder.environment().put("HF_TOKEN", token);
    }
    Process process = builder.redirectErrorStream(true).start();
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    process.getInputStream().transferTo(said);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return new Ended(process.exitValue(), said.toString(StandardCharsets.UTF_8));
  }

  private void assertComplete(String id) throws IOException {
    for (var file : files.entrySet()) {
      assertArrayEquals(
          file.getValue(), Files.readAllBytes(home.resolve(id + "/" + file.getKey())));
    }
    try (var names = Files.list(home.resolve(id))) {
      assertEquals(files.size(), names.count());
    }
  }

  @Test
  void aModelIsDownloadedOnce() throws Exception {
    Ended first = fetch("owner/name", null);
    assertEquals(0, first.code(), first.said());
    assertComplete("owner/name");
    int before = downloads.size();
    Ended second = fetch("owner/name", null);
    assertEquals(0, second.code(), second.said());
    assertEquals(before, downloads.size());
  }

  @Test
  void aCutOffDownloadGoesOnAndAWrongFileIsReplaced() throws Exception {
    Path folder = Files.createDirectories(home.resolve("owner/name"));
    Files.write(
        folder.resolve("m-1.safetensors.part"),
        Arrays.copyOf(files.get("m-1.safetensors"), 100_000));
    Files.write(folder.resolve("m-2.safetensors"), new byte[1000]);
    Ended ended = fetch("owner/name", null);
    assertEquals(0, ended.code(), ended.said());
    assertComplete("owner/name");
    assertTrue(downloads.contains("m-1.safetensors@100000"), downloads.toString());
    assertTrue(downloads.contains("m-2.safetensors@0"), downloads.toString());
  }

  @Test
  void whatIsNotAsAnnouncedIsDeleted() throws Exception {
    damages = true;
    Ended ended = fetch("owner/name", null);
    assertEquals(1, ended.code());
    assertTrue(
        ended.said().contains("m-1.safetensors is not what the hub announced"), ended.said());
    assertTrue(Files.notExists(home.resolve("owner/name/m-1.safetensors")));
    assertTrue(Files.notExists(home.resolve("owner/name/m-1.safetensors.part")));
  }

  @Test
  void aModelBehindATokenNeedsIt() throws Exception {
    needsToken = true;
    Ended without = fetch("owner/name", null);
    assertEquals(1, without.code());
    assertTrue(without.said().contains("set HF_TOKEN"), without.said());
    Ended with = fetch("owner/name", TOKEN);
    assertEquals(0, with.code(), with.said());
    assertComplete("owner/name");
  }

  @Test
  void aRenamedModelIsFollowedAndAMissingOneSaysSo() throws Exception {
    Ended renamed = fetch("owner/old", null);
    assertEquals(0, renamed.code(), renamed.said());
    assertComplete("owner/old");
    Ended missing = fetch("owner/none", null);
    assertEquals(1, missing.code());
    assertTrue(missing.said().contains("owner/none has no config.json"), missing.said());
    assertEquals(2, fetch("name", null).code());
  }

  @Test
  void withoutNetworkTheFolderIsNamed() throws Exception {
    hub.stop(0);
    Ended ended = fetch("owner/name", null);
    assertEquals(1, ended.code());
    assertTrue(
        ended.said().contains("copy the model's folder to " + home.resolve("owner/name")),
        ended.said());
  }
}
