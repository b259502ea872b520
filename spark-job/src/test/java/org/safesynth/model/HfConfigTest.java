package org.safesynth.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.safesynth.FixtureFiles;
import org.safesynth.fault.BadInputException;

@Tag("unit")
class HfConfigTest {
  @TempDir Path folder;

  private HfConfig of(Consumer<ObjectNode> change) throws IOException {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.put("model_type", "llama").put("vocab_size", 512).put("hidden_size", 64);
    json.put("intermediate_size", 176).put("num_hidden_layers", 4).put("num_attention_heads", 4);
    json.put("max_position_embeddings", 2048);
    change.accept(json);
    Files.writeString(folder.resolve("config.json"), json.toString());
    return HfConfig.read(folder);
  }

  private void assertRefused(String named, Consumer<ObjectNode> change) {
    String message = assertThrows(BadInputException.class, () -> of(change)).getMessage();
    assertTrue(message.contains("config.json") && message.contains(named), message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "smollm3-tiny",
        "mistral-sliding-tiny",
        "llama3-rope-tiny",
        "llama-linear-rope-tiny"
      })
  void bothSpellingsSayTheSame(String model) throws IOException {
    Path four = FixtureFiles.path("models/" + model);
    Files.copy(four.resolve("config.transformers5.json"), folder.resolve("config.json"));
    Files.copy(four.resolve("generation_config.json"), folder.resolve("generation_config.json"));
    assertEquals(HfConfig.read(four), HfConfig.read(folder));
  }

  @Test
  void absentFieldsHaveTheFamilysDefaults() throws IOException {
    HfConfig llama = of(json -> json.putNull("head_dim"));
    assertEquals(16, llama.headDim());
    assertEquals(4, llama.numKvHeads());
    assertEquals(List.of(true, true, true, true), llama.hasRope());
    assertEquals(RotaryScaling.unscaled(10_000), llama.rope());
    HfConfig smollm = of(json -> json.put("model_type", "smollm3"));
    assertEquals(List.of(true, true, true, false), smollm.hasRope());
    assertTrue(smollm.isTied());
  }

  @Test
  void theWindowIsMistralsOwn() throws IOException {
    assertEquals(
        16, of(j -> j.put("model_type", "mistral").put("sliding_window", 16)).slidingWindow());
    assertEquals(
        0, of(j -> j.put("model_type", "mistral").putNull("sliding_window")).slidingWindow());
    assertEquals(0, of(j -> j.put("sliding_window", 16)).slidingWindow());
  }

  @Test
  void whatCannotBeComputedIsRefusedInOneSentence() {
    assertRefused("gpt2", json -> json.put("model_type", "gpt2"));
    assertRefused("gelu", json -> json.put("hidden_act", "gelu"));
    assertRefused("quantized", json -> json.putObject("quantization_config").put("bits", 4));
    assertRefused("3 key and value heads", json -> json.put("num_key_value_heads", 3));
    assertRefused("width 15", json -> json.put("head_dim", 15));
    assertRefused("hidden_size", json -> json.remove("hidden_size"));
    assertRefused(
        "sliding window",
        json ->
            json.put("model_type", "smollm3")
                .put("use_sliding_window", true)
                .put("sliding_window", 8));
  }
}
