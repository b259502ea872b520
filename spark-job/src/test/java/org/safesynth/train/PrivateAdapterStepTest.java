package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.safesynth.train.StepAccount.CLIP;
import static org.safesynth.train.StepAccount.SIGMA;
import static org.safesynth.train.StepAccount.distance;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.safesynth.model.LoraGoldens;
import org.safesynth.model.Natives;
import org.safesynth.model.PackedExamples;
import org.safesynth.privacy.SecretStreams;
import org.safesynth.train.StepAccount.Bug;

/**
 * One step of private training of an adapter against {@link StepAccount}, by an ordinary backward
 * pass an example.
 */
@Tag("unit")
class PrivateAdapterStepTest {
  private static final int RECORDS = 59;
  private static final double RATE = 0.3;
  private static final double EXPECTED = RATE * RECORDS;
  private static final int PASS = 4; // examples, for the bug that draws noise for each
  private static final double TOLERANCE = 1e-3 * CLIP / EXPECTED;

  private LoraGoldens goldens;
  private float[] adapter; // (P)
  private StepAccount account;
  private final List<PackedExamples.Example> examples = new ArrayList<>();

  @BeforeEach
  void makeExamples() {
    Natives.load();
    goldens = LoraGoldens.of("smollm3-tiny/lora-r4-rs");
    adapter = goldens.parameters();
    SplittableRandom random = new SplittableRandom(9);
    for (int i = 0; i < RECORDS; i++) {
      int[] ids = random.ints(6 + random.nextInt(6), 10, 300).toArray();
      examples.add(new PackedExamples.Example(ids, 3));
    }
    account = new StepAccount(RECORDS, RATE, PASS, adapter.length, this::gradient);
  }

  @Test
  void aStepEqualsItsAccountExampleByExample() {
    for (long key = 1; key <= 3; key++) {
      assertTrue(distance(account.of(Bug.NONE, key), trained(key, RATE, 0)) < TOLERANCE);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Bug.class,
      names = {"NONE", "CLIPPING_OF_ROWS"},
      mode = EnumSource.Mode.EXCLUDE)
  void aPlantedBugIsSeen(Bug bug) {
    for (long key = 1; key <= 3; key++) {
      double distance = distance(account.of(bug, key), trained(key, RATE, 0));
      assertTrue(distance > 20 * TOLERANCE, () -> bug + " moves a step by " + distance);
    }
  }

  @Test
  void aStepThatDrawsNobodyTakesNoise() {
    double[] gradient = trained(1, RATE, RECORDS);
    double[] noise = account.noise(SecretStreams.withTestKey(1));
    for (int i = 0; i < gradient.length; i++) {
      assertEquals(noise[i] / EXPECTED, gradient[i], 1e-5 * SIGMA * CLIP);
    }
  }

  @Test
  void oneRecordMoreMovesTheSumByTheClipNormAtMost() {
    // Everyone is drawn, the key is the same: all that differs is the first record.
    double[] with = trained(1, 1, 0);
    double[] without = trained(1, 1, 1);
    double length = EXPECTED * distance(with, without);
    assertTrue(length <= CLIP * (1 + 1e-4), () -> "moved by " + length);
    assertTrue(length > CLIP / 2, () -> "a clipped record is as long as the bound, not " + length);
  }

  @Test
  void theResultIsTheSameForAnyNumberOfWorkers() {
    assertArrayEquals(trained(5, RATE, 0, 1), trained(5, RATE, 0, 3), 0);
  }

  private double[] trained(long key, double rate, int first) {
    return trained(key, rate, first, 2);
  }

  private double[] trained(long key, double rate, int first, int workers) {
    PrivatePlan plan = account.plan(rate, 1, StepAccount.STEP + 1);
    PrivateExamples lessons =
        new PrivateExamples(
            goldens.decoder(),
            number -> examples.get((int) number + first),
            RECORDS - first,
            plan.clipNorm(),
            plan.expectedBatch(),
            false);
    Checkpoint end =
        new PrivateTrainer(
                lessons,
                plan,
                plan::learningRateAt,
                SecretStreams.withTestKey(key),
                StepAccount.begun(adapter),
                progress -> {},
                workers)
            .train(adapter);
    return StepAccount.gradientOf(end);
  }

  /** One example's gradient, by a backward pass of its own to a vector that it does not share. */
  private double[] gradient(long record) {
    PackedExamples alone = PackedExamples.of(List.of(examples.get((int) record)));
    try (PointerScope scope = new PointerScope()) {
      Tensor gradient = torch.zeros(adapter.length); // (P)
      double[] weights = {1.0 / alone.lossTokens()[0]};
      goldens.decoder().gradient(alone, torch.tensor(adapter), weights, gradient, true);
      float[] values = new float[adapter.length];
      gradient.data_ptr_float().get(values);
      double[] wide = new double[values.length];
      Arrays.setAll(wide, i -> values[i]);
      return wide;
    }
  }
}
