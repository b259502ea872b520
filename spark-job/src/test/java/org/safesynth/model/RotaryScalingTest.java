package org.safesynth.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.safesynth.FixtureFiles;
import org.safesynth.fault.BadInputException;

@Tag("unit")
class RotaryScalingTest {
  private static RotaryScaling of(String json) throws JsonProcessingException {
    return RotaryScaling.read(new ObjectMapper().readTree(json), Path.of("config.json"));
  }

  private static RotaryScaling yarn(String more) throws JsonProcessingException {
    return of(
        "{\"max_position_embeddings\": 16384, \"rope_parameters\": {\"rope_type\": \"yarn\","
            + " \"rope_theta\": 10000.0, \"factor\": 4.0,"
            + " \"original_max_position_embeddings\": 4096"
            + more
            + "}}");
  }

  private static void assertClose(float[] expected, float[] actual) {
    assertEquals(expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], actual[i], 1e-6 * expected[i], "pair " + i);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "smollm3-tiny",
        "tinyllama-tiny",
        "mistral-tiny",
        "mistral-sliding-tiny",
        "llama3-rope-tiny",
        "llama-linear-rope-tiny"
      })
  void frequenciesAreHuggingFaces(String model) {
    Natives.load();
    HfConfig config = HfConfig.read(FixtureFiles.path("models/" + model));
    HfWeights golden =
        HfWeights.ofFile(FixtureFiles.path("goldens/" + model + "/forward.safetensors"));
    try (PointerScope scope = new PointerScope()) {
      Tensor values = golden.floats("inv_freq"); // (head_dim / 2)
      float[] expected = new float[(int) values.numel()];
      values.data_ptr_float().get(expected);
      assertClose(expected, config.rope().inverseFrequencies(config.headDim()));
    }
  }

  // transformers 5.23.0, ROPE_INIT_FUNCTIONS["yarn"] with head_dim 32, factor 4, context 4096
  @Test
  void yarnIsHuggingFaces() throws JsonProcessingException {
    RotaryScaling plain = yarn("");
    float[] expected = {
      1.0f,
      0.5623413324356079f,
      0.3162277638912201f,
      0.17782793939113617f,
      0.10000000149011612f,
      0.05623412877321243f,
      0.02823462337255478f,
      0.01397219579666853f,
      0.006785714067518711f,
      0.003213379066437483f,
      0.0014682004693895578f,
      0.0006350998301059008f,
      0.0002500000118743628f,
      0.00014058532542549074f,
      7.905694656074047e-05f,
      4.4456985051510856e-05f
    };
    assertClose(expected, plain.inverseFrequencies(32));
    assertEquals(1.138629436111989, plain.attentionScaling(), 1e-12);

    RotaryScaling mscale = yarn(", \"mscale\": 0.707, \"mscale_all_dim\": 1.0");
    assertClose(expected, mscale.inverseFrequencies(32));
    assertEquals(0.964326914892074, mscale.attentionScaling(), 1e-12);
  }

  @Test
  void yarnTakesItsOwnBordersAndAttentionFactor() throws JsonProcessingException {
    RotaryScaling own =
        yarn(
            ", \"attention_factor\": 1.5, \"truncate\": false,"
                + " \"beta_fast\": 16, \"beta_slow\": 2");
    float[] expected = {
      1.0f,
      0.5623413324356079f,
      0.3162277638912201f,
      0.17782793939113617f,
      0.10000000149011612f,
      0.05623412877321243f,
      0.03162277862429619f,
      0.015716122463345528f,
      0.006761618889868259f,
      0.00263480213470757f,
      0.0008251044782809913f,
      0.00044456985779106617f,
      0.0002500000118743628f,
      0.00014058532542549074f,
      7.905694656074047e-05f,
      4.4456985051510856e-05f
    };
    assertClose(expected, own.inverseFrequencies(32));
    assertEquals(1.5, own.attentionScaling());
  }

  @Test
  void aRunStretchesPositionsLinearly() throws JsonProcessingException {
    RotaryScaling plain = of("{\"rope_theta\": 500.0}");
    float[] frequencies = plain.inverseFrequencies(8);
    float[] stretched = plain.stretched(4).inverseFrequencies(8);
    for (int i = 0; i < frequencies.length; i++) {
      assertEquals(frequencies[i] / 4, stretched[i], 1e-9);
    }
    assertArrayEquals(frequencies, plain.stretched(1).inverseFrequencies(8));
    RotaryScaling yarn = yarn("");
    assertThrows(BadInputException.class, () -> yarn.stretched(2));
  }

  @Test
  void otherScalingsAreRefusedByName() {
    Map<String, String> refused =
        Map.of(
            "{\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2.0}}", "'dynamic'",
            "{\"rope_scaling\": {\"rope_type\": \"longrope\"}}", "'longrope'",
            "{\"rope_scaling\": {\"rope_type\": \"linear\"}}", "factor",
            "{\"partial_rotary_factor\": 0.5}", "partial_rotary_factor 0.5");
    refused.forEach(
        (json, named) -> {
          String message = assertThrows(BadInputException.class, () -> of(json)).getMessage();
          assertTrue(message.startsWith("config.json: ") && message.contains(named), message);
        });
  }
}
