package org.safesynth.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.safesynth.FixtureFiles;
import org.safesynth.codec.Rejection;
import org.safesynth.fault.BadInputException;
import org.safesynth.fault.RunFailedException;
import org.safesynth.model.CausalDecoder;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.HfConfig;
import org.safesynth.model.HfWeights;
import org.safesynth.model.KvCache;
import org.safesynth.model.Natives;
import org.safesynth.model.PeftAdapter;

/**
 * Compared with Hugging Face's transformers 5.23.0 and PEFT 0.21.2, whose values the fixtures hold.
 */
@Tag("unit")
class TextSamplerTest {
  private static CausalDecoder model(String name, Path adapter) {
    Path folder = FixtureFiles.path("models/" + name);
    return CausalDecoder.load(
        HfConfig.read(folder),
        folder,
        adapter == null ? null : PeftAdapter.read(adapter),
        ComputeDevice.CPU,
        0);
  }

  private static JsonNode golden(String name, String file) throws IOException {
    return new ObjectMapper()
        .readTree(Files.readAllBytes(FixtureFiles.path("goldens/" + name + "/" + file)));
  }

  private static int[] ints(JsonNode array) {
    int[] ints = new int[array.size()];
    Arrays.setAll(ints, i -> array.get(i).asInt());
    return ints;
  }

  /** Writes a number of tokens, or up to the end of the sequence. */
  private static final class Counted implements TextSampler.Sequence {
    private final List<Integer> tokens = new ArrayList<>();
    private final int most;
    private final int eos;

    Counted(int most, int eos) {
      this.most = most;
      this.eos = eos;
    }

    @Override
    public int[] forced() {
      return new int[0];
    }

    @Override
    public int[] allowed() {
      return null;
    }

    @Override
    public void accept(int token) {
      tokens.add(token);
    }

    @Override
    public boolean isFinished() {
      return tokens.size() == most || (!tokens.isEmpty() && tokens.get(tokens.size() - 1) == eos);
    }

    @Override
    public float uniform() {
      return 0;
    }

    int[] ids() {
      return tokens.stream().mapToInt(Integer::intValue).toArray();
    }
  }

  /** Several sequences of different lengths in few rows, so that rows begin anew and move. */
  private static void assertGreedy(
      CausalDecoder model, int[] prompt, int[] expected, int eos, double penalty) {
    TokenDistribution greedy = new TokenDistribution(0, 1, penalty);
    List<Counted> all = new ArrayList<>();
    int[] lengths = {expected.length, 3, expected.length, 7, 1, expected.length, 11, 2, 20, 5};
    try (TextSampler sampler = new TextSampler(model, greedy, prompt, 3, 24)) {
      sampler.sample(
          () -> {
            if (all.size() == lengths.length) {
              return null;
            }
            all.add(new Counted(Math.min(expected.length, lengths[all.size()]), eos));
            return all.get(all.size() - 1);
          });
    }
    assertEquals(lengths.length, all.size());
    for (Counted one : all) {
      assertArrayEquals(Arrays.copyOf(expected, one.ids().length), one.ids());
    }
    assertArrayEquals(expected, all.get(0).ids());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "smollm3-tiny",
        "tinyllama-tiny",
        "mistral-tiny",
        "mistral-sliding-tiny",
        "llama3-rope-tiny",
        "llama-linear-rope-tiny",
        "tinyllama-tiny-sharded-bf16"
      })
  void greedyTextIsHuggingFaces(String name) throws IOException {
    CausalDecoder model = model(name, null);
    JsonNode golden = golden(name, "generation.json");
    for (int p = 0; p < golden.path("prompts").size(); p++) {
      int[] prompt = ints(golden.path("prompts").get(p));
      assertGreedy(model, prompt, ints(golden.path("greedy").get(p)), -1, 1);
      assertGreedy(
          model, prompt, ints(golden.path("greedy_repetition_penalty_1_2").get(p)), -1, 1.2);
    }
    JsonNode stops = golden.path("stop_at_eos");
    int[] prompt = ints(golden.path("prompts").get(stops.path("prompt").asInt()));
    assertGreedy(
        model, prompt, ints(stops.path("generated")), stops.path("eos_token_id").asInt(), 1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"smollm3-tiny", "tinyllama-tiny", "mistral-sliding-tiny"})
  void probabilitiesAreHuggingFaces(String name) throws IOException {
    Natives.load();
    HfWeights values =
        HfWeights.ofFile(FixtureFiles.path("goldens/" + name + "/sampling.safetensors"));
    int[] context =
        integers(FixtureFiles.path("goldens/" + name + "/sampling.safetensors"), "context_ids");
    for (JsonNode setting : golden(name, "sampling.json").path("settings")) {
      if (!setting.path("top_k").isNull()) {
        continue; // not a parameter here
      }
      try (PointerScope scope = new PointerScope()) {
        TokenDistribution distribution =
            new TokenDistribution(
                setting.path("temperature").asDouble(1),
                setting.path("top_p").asDouble(1),
                setting.path("repetition_penalty").asDouble(1));
        Tensor logits = values.floats(setting.path("logits").asText()).view(1, -1);
        Tensor seen = torch.zeros_like(logits).to(torch.ScalarType.Bool);
        for (int id : context) {
          seen.narrow(1, id, 1).fill_(new Scalar(1));
        }
        Tensor masked = distribution.masked(logits, seen, null);
        Tensor expected = values.floats(setting.path("key").asText()).view(1, -1);
        double worst = distribution.probabilities(masked).sub(expected).abs().max().item_double();
        assertTrue(worst < 5e-6, setting + ": " + worst);
      }
    }
  }

  /** The 64-bit integers of a tensor, which are no weights. */
  private static int[] integers(Path file, String name) throws IOException {
    ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int header = (int) all.getLong(0);
    JsonNode json = new ObjectMapper().readTree(all.array(), 8, header).path(name);
    int begin = 8 + header + json.path("data_offsets").get(0).asInt();
    int[] values = new int[(json.path("data_offsets").get(1).asInt() + 8 + header - begin) / 8];
    Arrays.setAll(values, i -> (int) all.getLong(begin + 8 * i));
    return values;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "smollm3-tiny/lora-r4-rs",
        "smollm3-tiny/lora-r8-all",
        "tinyllama-tiny/lora-r4-rs",
        "tinyllama-tiny/lora-r8-all",
        "mistral-sliding-tiny/lora-r4-rs"
      })
  void anAdapterOfPeftChangesTheLogitsAsInPeft(String name) throws IOException {
    Path folder = FixtureFiles.path("goldens/" + name);
    HfWeights golden = HfWeights.ofFile(folder.resolve("forward.safetensors"));
    CausalDecoder model = model(name.substring(0, name.indexOf('/')), folder.resolve("adapter"));
    Path plain =
        FixtureFiles.path("goldens/" + name.substring(0, name.indexOf('/')))
            .resolve("forward.safetensors");
    int[] ids = integers(plain, "input_ids"); // (3, 40)
    int[] at = integers(plain, "positions"); // (3, 6)
    try (PointerScope scope = new PointerScope()) {
      Tensor expected = golden.floats("logits"); // (3, 6, V)
      for (int sample = 0; sample < 3; sample++) {
        for (int place = 0; place < 6; place++) {
          int length = at[6 * sample + place] + 1;
          int[] text = Arrays.copyOfRange(ids, 40 * sample, 40 * sample + length);
          try (KvCache cache = new KvCache(model, 1, length)) {
            Tensor logits = cache.append(new int[][] {text}, new int[] {0});
            Tensor of = expected.select(0, sample).select(0, place).view(1, -1);
            double worst = logits.sub(of).abs().max().item_double();
            assertTrue(worst < 1e-4, sample + " " + place + ": " + worst);
          }
        }
      }
    }
  }

  @Test
  void anAdapterForAnotherModelIsRefused(@TempDir Path folder) throws IOException {
    Path adapter = FixtureFiles.path("goldens/tinyllama-tiny/lora-r8-all/adapter");
    assertTrue(
        assertThrows(BadInputException.class, () -> PeftAdapter.read(folder))
            .getMessage()
            .endsWith("has no adapter_config.json that can be read"));
    Files.copy(
        adapter.resolve("adapter_model.safetensors"), folder.resolve("adapter_model.safetensors"));
    String config = Files.readString(adapter.resolve("adapter_config.json"));
    Files.writeString(
        folder.resolve("adapter_config.json"), config.replaceFirst("\"r\": 8", "\"r\": 4"));
    BadInputException fault =
        assertThrows(BadInputException.class, () -> model("tinyllama-tiny", folder));
    assertTrue(fault.getMessage().contains("does not fit the model"), fault.getMessage());
  }

  @Test
  void theStopRuleIsTheReferences() {
    Map<Rejection, Long> why = Map.of(new Rejection(Rejection.Reason.INVALID_TYPE, "a"), 4L);
    RunFailedException first =
        assertThrows(RunFailedException.class, () -> new StopRule(3, 0.8).batch(0, 5, why));
    assertTrue(first.getMessage().contains("the first batch holds no valid record"));
    assertTrue(first.getMessage().contains("Invalid field type: 4"), first.getMessage());
    StopRule rule = new StopRule(3, 0.8);
    rule.batch(1, 9, why); // mean .9: bad
    rule.batch(0, 0, why); // no record counts as invalid; mean .95: bad
    assertThrows(RunFailedException.class, () -> rule.batch(1, 4, why)); // mean .917: the third
    StopRule recovering = new StopRule(3, 0.8);
    recovering.batch(1, 9, why);
    recovering.batch(1, 9, why);
    recovering.batch(9, 1, why); // mean .633: good, counting begins anew
    recovering.batch(0, 9, why); // mean .725: good
  }
}
