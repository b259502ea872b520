package org.safesynth.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.FixtureFiles;

/**
 * What PEFT 0.21.2 and transformers 5.23.0 computed for an adapter of a tiny model, and the model.
 *
 * @param name such as {@code smollm3-tiny/lora-r4-rs}
 */
public record LoraGoldens(String name, LoraDecoder decoder, Path folder) {
  private static final int PADDED = 40;

  /** Loads the model and finds the reference values, or skips the test. */
  public static LoraGoldens of(String name) {
    Path folder = FixtureFiles.path("goldens/" + name);
    Path model = FixtureFiles.path("models/" + name.substring(0, name.indexOf('/')));
    LoraConfig lora = PeftAdapter.read(folder.resolve("adapter")).config();
    return new LoraGoldens(
        name, LoraDecoder.load(HfConfig.read(model), model, lora, ComputeDevice.CPU, 0), folder);
  }

  public JsonNode json(String file) {
    try {
      return new ObjectMapper().readTree(Files.readAllBytes(folder.resolve(file)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The adapter's flat vector (P). */
  public float[] parameters() {
    return PeftAdapter.read(folder.resolve("adapter")).flat(decoder.config());
  }

  /** A vector (P), or (B, P), of tensors in a file under the adapter's names. */
  public Tensor vector(String file, int examples) {
    HfWeights weights = HfWeights.ofFile(folder.resolve(file));
    Tensor flat =
        examples == 0
            ? torch.zeros(decoder.layout().size())
            : torch.zeros(examples, decoder.layout().size());
    List<Tensor> views =
        examples == 0 ? decoder.layout().views(flat) : decoder.layout().viewsOfEach(flat);
    for (int i = 0; i < views.size(); i++) {
      views.get(i).copy_(weights.floats(decoder.layout().entries().get(i).name()));
    }
    return flat;
  }

  /** The three examples of the batch. */
  public PackedExamples batch() {
    int[] ids = integers("forward.safetensors", "input_ids"); // (3, 40)
    int[] mask = integers("forward.safetensors", "attention_mask");
    int[] labels = integers("forward.safetensors", "labels");
    List<PackedExamples.Example> examples = new ArrayList<>();
    for (int from = 0; from < ids.length; from += PADDED) {
      int length = Arrays.stream(mask, from, from + PADDED).sum();
      int prompt = 0;
      while (labels[from + prompt] == PackedExamples.NO_LOSS) {
        prompt++;
      }
      examples.add(
          new PackedExamples.Example(Arrays.copyOfRange(ids, from, from + length), prompt));
    }
    return PackedExamples.of(examples);
  }

  /** The 64-bit integers of a tensor. */
  public int[] integers(String file, String tensor) {
    try {
      ByteBuffer all =
          ByteBuffer.wrap(Files.readAllBytes(folder.resolve(file))).order(ByteOrder.LITTLE_ENDIAN);
      int header = (int) all.getLong(0);
      JsonNode json = new ObjectMapper().readTree(all.array(), Long.BYTES, header).path(tensor);
      int begin = Long.BYTES + header + json.path("data_offsets").get(0).asInt();
      int end = Long.BYTES + header + json.path("data_offsets").get(1).asInt();
      int[] values = new int[(end - begin) / Long.BYTES];
      Arrays.setAll(values, i -> (int) all.getLong(begin + Long.BYTES * i));
      return values;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
