package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.safesynth.model.LoraDecoder;
import org.safesynth.model.LoraGoldens;
import org.safesynth.model.Natives;
import org.safesynth.model.PackedExamples;
import org.safesynth.model.ParameterLayout;

/**
 * Per-example gradients against PEFT's and Opacus' clipped sums, passes of one example, and
 * differences of the loss; their sum against the bound that the accountants assume.
 */
@Tag("unit")
class ClippedAdapterGradientsTest {
  private static final double GRID = 0x1p-36;
  private static final int EXPECTED = 8;

  @BeforeAll
  static void load() {
    Natives.load();
  }

  /** Examples of random ids, of which some have few different ones. */
  private static List<PackedExamples.Example> examples(int count) {
    SplittableRandom random = new SplittableRandom(11);
    List<PackedExamples.Example> examples = new ArrayList<>();
    for (int e = 0; e < count; e++) {
      int length = 5 + random.nextInt(9);
      int different = e % 3 == 0 ? 2 : 400; // a third repeats two tokens
      int[] ids = random.ints(length, 10, 10 + different).toArray();
      examples.add(new PackedExamples.Example(ids, 2 + e % 2));
    }
    return examples;
  }

  private static ClippedAdapterGradients clipping(LoraDecoder decoder, double clipNorm) {
    return new ClippedAdapterGradients(decoder, clipNorm, GRID, EXPECTED, false);
  }

  private static double[] array(Tensor tensor) {
    double[] values = new double[Math.toIntExact(tensor.numel())];
    tensor.contiguous().data_ptr_double().get(values);
    return values;
  }

  /** Contributions (B, P) of the examples of one pass. */
  private static List<double[]> contributions(
      LoraDecoder decoder, float[] adapter, PackedExamples examples, double clipNorm) {
    try (PointerScope scope = new PointerScope()) {
      List<double[]> all = new ArrayList<>();
      Tensor scratch = torch.zeros(examples.lengths().length, adapter.length);
      clipping(decoder, clipNorm)
          .each(examples, torch.tensor(adapter), scratch, v -> all.add(array(v)));
      return all;
    }
  }

  private static double norm(double[] x) {
    return Math.sqrt(Arrays.stream(x).map(v -> v * v).sum());
  }

  private static void assertClose(ParameterLayout layout, double[] wanted, double[] found) {
    for (ParameterLayout.Entry entry : layout.entries()) {
      int from = (int) entry.offset();
      int to = (int) (from + entry.size());
      double largest = 0;
      double worst = 0;
      for (int i = from; i < to; i++) {
        largest = Math.max(largest, Math.abs(wanted[i]));
        worst = Math.max(worst, Math.abs(wanted[i] - found[i]));
      }
      assertTrue(worst <= 5e-5 * largest, entry.name() + ": " + worst + " of " + largest);
    }
  }

  /** Sums as Opacus clips: of one pass, and of a pass for each example. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "smollm3-tiny/lora-r4-rs",
        "smollm3-tiny/lora-r8-all",
        "tinyllama-tiny/lora-r4-rs",
        "tinyllama-tiny/lora-r8-all",
        "mistral-sliding-tiny/lora-r4-rs"
      })
  void clippedSumsAreThoseOfTheReference(String name) {
    LoraGoldens goldens = LoraGoldens.of(name);
    LoraDecoder decoder = goldens.decoder();
    JsonNode clip = goldens.json("lora.json").path("clip");
    List<PackedExamples.Example> alone = LoraTrainerTest.examples(goldens.batch());
    for (String of : List.of("1.0", "median")) {
      double c = clip.path(of).path("C").asDouble();
      double[] wanted;
      try (PointerScope scope = new PointerScope()) {
        wanted =
            array(goldens.vector("clipped_sum_" + of + ".safetensors", 0).to(ScalarType.Double));
      }
      double[] together = new double[wanted.length];
      contributions(decoder, goldens.parameters(), goldens.batch(), c)
          .forEach(v -> Arrays.setAll(together, i -> together[i] + v[i]));
      assertClose(decoder.layout(), wanted, together);
      double[] apart = new double[wanted.length];
      for (PackedExamples.Example example : alone) {
        contributions(decoder, goldens.parameters(), PackedExamples.of(List.of(example)), c)
            .forEach(v -> Arrays.setAll(apart, i -> apart[i] + v[i]));
      }
      assertClose(decoder.layout(), wanted, apart);
    }
  }

  /** Of every projection, whatever lies beside the example and however its tokens repeat. */
  @Test
  void anExampleInCompanyHasTheGradientThatItHasAlone() {
    LoraGoldens goldens = LoraGoldens.of("tinyllama-tiny/lora-r8-all");
    List<PackedExamples.Example> examples = examples(6);
    List<double[]> together =
        contributions(goldens.decoder(), goldens.parameters(), PackedExamples.of(examples), 1e3);
    for (int e = 0; e < examples.size(); e++) {
      double[] alone =
          contributions(
                  goldens.decoder(),
                  goldens.parameters(),
                  PackedExamples.of(List.of(examples.get(e))),
                  1e3)
              .get(0);
      assertClose(goldens.decoder().layout(), alone, together.get(e));
    }
  }

  /** The derivative along a direction, by the loss itself; the example repeats its tokens. */
  @Test
  void theGradientIsTheSlopeOfTheMeanLoss() {
    LoraGoldens goldens = LoraGoldens.of("smollm3-tiny/lora-r8-all");
    LoraDecoder decoder = goldens.decoder();
    float[] adapter = goldens.parameters();
    PackedExamples example =
        PackedExamples.of(
            List.of(new PackedExamples.Example(new int[] {40, 41, 40, 41, 40, 40, 41, 40}, 2)));
    double[] gradient = contributions(decoder, adapter, example, 1e3).get(0);
    SplittableRandom random = new SplittableRandom(4);
    for (int round = 0; round < 4; round++) {
      double[] direction = new double[adapter.length];
      double along = 0;
      for (int i = 0; i < direction.length; i++) {
        direction[i] = gradient[i] / norm(gradient) + 0.002 * random.nextGaussian();
        along += direction[i] * gradient[i];
      }
      double slope =
          (loss(decoder, adapter, example, direction, 1e-3)
                  - loss(decoder, adapter, example, direction, -1e-3))
              / 2e-3;
      assertEquals(along, slope, 5e-3 * Math.abs(along));
    }
  }

  private static double loss(
      LoraDecoder decoder,
      float[] adapter,
      PackedExamples example,
      double[] direction,
      double along) {
    float[] moved = new float[adapter.length];
    for (int i = 0; i < moved.length; i++) {
      moved[i] = (float) (adapter[i] + along * direction[i]);
    }
    try (PointerScope scope = new PointerScope()) {
      double[] weights = {1.0 / example.lossTokens()[0]};
      return decoder.loss(example, torch.tensor(moved), weights);
    }
  }

  @Test
  void noContributionIsLongerThanTheBound() {
    LoraGoldens goldens = LoraGoldens.of("tinyllama-tiny/lora-r4-rs");
    double step = clipping(goldens.decoder(), 0.3).step();
    for (double[] v :
        contributions(
            goldens.decoder(), goldens.parameters(), PackedExamples.of(examples(9)), 0.3)) {
      assertTrue(norm(v) <= 0.3, () -> "norm " + norm(v));
      assertTrue(norm(v) > 0.3 * (1 - 1e-5), () -> "clipped too much: " + norm(v));
      for (double x : v) {
        assertEquals(Math.rint(x / step), x / step, 0, "a multiple of the step");
      }
    }
  }

  /** Sums of 16 times what is expected are exact, whatever the noise. */
  @Test
  void theStepLeavesRoomForTheSum() {
    LoraDecoder decoder = LoraGoldens.of("smollm3-tiny/lora-r4-rs").decoder();
    for (double expected : new double[] {1, 1e3, 1e7}) {
      for (double grid : new double[] {0x1p-50, 0x1p-36, 0x1p-20, 8}) {
        double step = new ClippedAdapterGradients(decoder, 1.7, grid, expected, false).step();
        assertEquals(0x1p0, Math.scalb(step, -Math.getExponent(step)), 0, "a power of two");
        assertTrue(step >= grid);
        assertTrue(16 * (expected + 64) * 1.7 / step < 0x1p53);
      }
    }
  }

  private static double[] sum(
      LoraGoldens goldens, List<PackedExamples.Example> examples, long[] units, int workers) {
    try (PointerScope scope = new PointerScope()) {
      Tensor sum = torch.zeros(goldens.decoder().layout().size()).to(ScalarType.Double);
      Tensor parameters = torch.tensor(goldens.parameters());
      try (AdapterClippingWorkers pool =
          new AdapterClippingWorkers(
              goldens.decoder(),
              clipping(goldens.decoder(), 0.7),
              number -> examples.get((int) number),
              parameters,
              workers)) {
        pool.addTo(sum, units);
      }
      return array(sum);
    }
  }

  /** To the last bit: all that one example moves is its own contribution. */
  @Test
  void oneExampleMovesTheSumByItsContributionAndNothingElse() {
    LoraGoldens goldens = LoraGoldens.of("smollm3-tiny/lora-r4-rs");
    List<PackedExamples.Example> examples = examples(12);
    double[] with = sum(goldens, examples, LongStream.range(0, 12).toArray(), 1);
    assertArrayEquals(with, sum(goldens, examples, LongStream.range(0, 12).toArray(), 3), 0.0);
    for (long left : new long[] {0, 5, 11}) {
      double[] without =
          sum(goldens, examples, LongStream.range(0, 12).filter(u -> u != left).toArray(), 2);
      double[] own =
          contributions(
                  goldens.decoder(),
                  goldens.parameters(),
                  PackedExamples.of(List.of(examples.get((int) left))),
                  0.7)
              .get(0);
      double[] moved =
          IntStream.range(0, own.length).mapToDouble(i -> with[i] - without[i]).toArray();
      assertArrayEquals(own, moved, 0.0);
      assertTrue(norm(moved) <= 0.7 * (1 + ClippedAdapterGradients.KAPPA));
    }
  }

  @Test
  void anEmptyDrawAddsNothing() {
    LoraGoldens goldens = LoraGoldens.of("smollm3-tiny/lora-r4-rs");
    for (double x : sum(goldens, examples(1), new long[0], 2)) {
      assertEquals(0.0, x, 0.0);
    }
    assertTrue(
        contributions(goldens.decoder(), goldens.parameters(), PackedExamples.of(List.of()), 1)
            .isEmpty());
  }

  @Test
  void anExampleWithoutAFiniteGradientAddsNothing() {
    LoraGoldens goldens = LoraGoldens.of("smollm3-tiny/lora-r4-rs");
    float[] broken = goldens.parameters();
    broken[3] = Float.NaN;
    assertTrue(
        contributions(goldens.decoder(), broken, PackedExamples.of(examples(2)), 1).isEmpty());
  }
}
