package org.safesynth.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.safesynth.FixtureFiles;

/** Compared with Hugging Face's transformers 5.23.0, whose values the fixtures hold. */
@Tag("unit")
class CausalDecoderTest {
  private static final double TOLERANCE = 1e-4;

  @BeforeAll
  static void load() {
    Natives.load();
  }

  private static CausalDecoder model(String name) {
    Path folder = FixtureFiles.path("models/" + name);
    return CausalDecoder.load(HfConfig.read(folder), folder, null, ComputeDevice.CPU, 0);
  }

  /** Logits behind every token of a text (tokens, vocabulary). */
  static Tensor logits(CausalDecoder model, int[] ids) {
    TensorVector all = new TensorVector();
    try (NoGradGuard guard = new NoGradGuard();
        KvCache cache = new KvCache(model, 1, ids.length)) {
      for (int id : ids) {
        all.push_back(cache.append(new int[][] {{id}}, new int[] {0}));
      }
    }
    return torch.cat(all);
  }

  private static HfWeights golden(String model) {
    return HfWeights.ofFile(FixtureFiles.path("goldens/" + model + "/forward.safetensors"));
  }

  private static long[] longs(Tensor tensor) {
    long[] values = new long[(int) tensor.numel()];
    tensor.data_ptr_long().get(values);
    return values;
  }

  private static double difference(Tensor one, Tensor other) {
    return one.sub(other).abs().max().item_double();
  }

  /** Each text token by token, rows of different lengths side by side. */
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
  void logitsOfEveryPositionAreHuggingFaces(String name) {
    CausalDecoder model = model(name);
    HfWeights golden = golden(name);
    int rows = 3;
    int time = 40;
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        KvCache cache = new KvCache(model, rows, time)) {
      long[] ids = longs(golden.stored("input_ids")); // (rows, time)
      long[] there = longs(golden.stored("attention_mask")); // (rows, time)
      long[] positions = longs(golden.stored("positions")); // (rows, 6)
      long[] argmax = longs(golden.stored("argmax")); // (rows, time)
      Tensor expected = golden.stored("logits"); // (rows, 6, vocabulary)
      Tensor sums = golden.stored("logsumexp"); // (rows, time)
      int compared = 0;
      for (int t = 0; t < time; t++) {
        int place = t;
        int[][] token = new int[rows][0];
        int[] asked = IntStream.range(0, rows).filter(r -> there[r * time + place] == 1).toArray();
        for (int r : asked) {
          token[r] = new int[] {(int) ids[r * time + t]};
        }
        Tensor logits = cache.append(token, asked); // (asked, vocabulary)
        for (int i = 0; i < asked.length; i++) {
          int r = asked[i];
          Tensor own = logits.select(0, i); // (vocabulary)
          double sum = own.logsumexp(0).item_double();
          assertEquals(sums.select(0, r).select(0, t).item_double(), sum, TOLERANCE);
          assertEquals(argmax[r * time + t], own.argmax().item_long());
          for (int p = 0; p < 6; p++) {
            if (positions[r * 6 + p] == t) {
              Tensor wanted = expected.select(0, r).select(0, p); // (vocabulary)
              assertTrue(difference(own, wanted) < TOLERANCE, "row " + r + ", position " + t);
              compared++;
            }
          }
        }
      }
      assertEquals(rows * 6, compared);
    }
  }

  /** A text's mean state does not depend on the texts beside it, and is that of its states. */
  @ParameterizedTest
  @ValueSource(strings = {"smollm3-tiny", "mistral-sliding-tiny"})
  void meanStatesAreThoseOfEachTextAlone(String name) {
    CausalDecoder model = model(name);
    int[][] texts = {{1, 5, 9, 30, 31}, {4}, {17, 8, 3}};
    float[][] together = model.meanStates(texts);
    for (int t = 0; t < texts.length; t++) {
      assertArrayEquals(model.meanStates(new int[][] {texts[t]})[0], together[t], 1e-4f);
    }
    // The mean of a text of one token is its state, which the head turns into its logits.
    try (PointerScope scope = new PointerScope()) {
      HfWeights weights = HfWeights.ofFolder(FixtureFiles.path("models/" + name));
      boolean isTied = model.config().isTied();
      Tensor head = // (vocabulary, hidden)
          weights.floats(isTied ? "model.embed_tokens.weight" : "lm_head.weight");
      Tensor logits = logits(model, texts[1]).select(0, 0); // (vocabulary)
      assertTrue(difference(logits, head.mv(torch.tensor(together[1]))) < TOLERANCE);
    }
  }

  /** Texts in pieces of every length, side by side: as forced runs and single draws come. */
  @ParameterizedTest
  @ValueSource(strings = {"smollm3-tiny", "tinyllama-tiny", "mistral-sliding-tiny"})
  void logitsDoNotDependOnThePiecesOfAText(String name) {
    CausalDecoder model = model(name);
    HfWeights golden = golden(name);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        KvCache cache = new KvCache(model, 4, 8)) {
      long[] ids = longs(golden.stored("long_input_ids")); // (1, 120)
      int[] text = Arrays.stream(ids).mapToInt(id -> (int) id).toArray();
      cache.begin(Arrays.copyOf(text, 5));
      int[] done = {5, 5, 5, 5};
      int[][] sizes = {{1, 7, 2}, {30, 0, 1}, {0, 3, 16}, {115, 0, 0}};
      Tensor[] last = new Tensor[4]; // (vocabulary)
      for (int step = 0; Arrays.stream(done).anyMatch(length -> length < text.length); step++) {
        int[][] pieces = new int[4][];
        for (int r = 0; r < 4; r++) {
          int end = Math.min(text.length, done[r] + sizes[r][step % 3]);
          pieces[r] = Arrays.copyOfRange(text, done[r], end);
          done[r] = end;
        }
        int[] asked = IntStream.range(0, 4).filter(r -> pieces[r].length > 0).toArray();
        Tensor logits = cache.append(pieces, asked); // (asked, vocabulary)
        for (int i = 0; i < asked.length; i++) {
          last[asked[i]] = logits.select(0, i);
        }
      }
      for (Tensor logits : last) {
        assertTrue(difference(logits, golden.stored("long_last_logits")) < TOLERANCE);
      }
    }
  }

  /** A long text at once, as a prompt is. */
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
  void logitsBehindALongTextAreHuggingFaces(String name) {
    CausalDecoder model = model(name);
    HfWeights golden = golden(name);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      long[] ids = longs(golden.stored("long_input_ids")); // (1, 120)
      int[][] text = {Arrays.stream(ids).mapToInt(id -> (int) id).toArray()};
      try (KvCache cache = new KvCache(model, 1, ids.length)) {
        Tensor logits = cache.append(text, new int[] {0}).select(0, 0); // (vocabulary)
        assertTrue(difference(logits, golden.stored("long_last_logits")) < TOLERANCE);
        Tensor sums = golden.stored("long_logsumexp"); // (120)
        assertEquals(
            sums.select(0, ids.length - 1).item_double(),
            logits.logsumexp(0).item_double(),
            TOLERANCE);
      }
    }
  }
}
