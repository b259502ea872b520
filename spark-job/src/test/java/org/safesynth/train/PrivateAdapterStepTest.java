package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
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
import org.safesynth.privacy.GaussianNoise;
import org.safesynth.privacy.NoiseMultiplier;
import org.safesynth.privacy.PoissonSampler;
import org.safesynth.privacy.SamplingRate;
import org.safesynth.privacy.SecretStreams;

/**
 * One step of private training of an adapter against an account of its own: an ordinary backward
 * pass an example, clipped, summed, noised and divided in the test. The same account with a planted
 * bug of each kind must differ by far, or the comparison could not see that bug in the trainer.
 */
@Tag("unit")
class PrivateAdapterStepTest {
  private static final int RECORDS = 59;
  private static final double RATE = 0.3;
  private static final double EXPECTED = RATE * RECORDS;
  private static final double SIGMA = 0.8;
  private static final double CLIP = 0.7;
  private static final int PASS = 4; // examples of a pass, for the bug that draws noise for each
  private static final double BETA_1 = 0.9;
  private static final long STEP = 3;

  /** What a wrong implementation does. */
  private enum Bug {
    NONE,
    NO_NOISE,
    NOISE_PER_MICRO_BATCH,
    SHUFFLE_INSTEAD_OF_POISSON,
    DIVISION_BY_REALISED_BATCH,
    CLIPPING_AFTER_AVERAGING,
    NO_CLIPPING
  }

  private LoraGoldens goldens;
  private float[] adapter; // (P)
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
  }

  @Test
  void aStepEqualsItsAccountExampleByExample() {
    for (long key = 1; key <= 3; key++) {
      assertTrue(distance(account(Bug.NONE, key), trained(key, RATE, 0)) < tolerance());
    }
  }

  @ParameterizedTest
  @EnumSource(value = Bug.class, names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  void aPlantedBugIsSeen(Bug bug) {
    for (long key = 1; key <= 3; key++) {
      double distance = distance(account(bug, key), trained(key, RATE, 0));
      assertTrue(distance > 20 * tolerance(), () -> bug + " moves a step by " + distance);
    }
  }

  @Test
  void aStepThatDrawsNobodyTakesNoise() {
    double[] gradient = trained(1, RATE, RECORDS);
    double[] noise = noise(SecretStreams.withTestKey(1)).draw(STEP);
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
    float[] one = trainer(5, RATE, 0, 1, Optional.empty(), 2).train(adapter).best();
    float[] three = trainer(5, RATE, 0, 3, Optional.empty(), 2).train(adapter).best();
    assertArrayEquals(one, three);
  }

  private static double tolerance() {
    return 1e-3 * CLIP / EXPECTED;
  }

  private static double distance(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }

  private PrivateTrainer trainer(
      long key, double rate, int first, int workers, Optional<Checkpoint> start, long steps) {
    PrivatePlan plan =
        new PrivatePlan(
            new SamplingRate(rate),
            EXPECTED,
            new NoiseMultiplier(SIGMA),
            CLIP,
            steps,
            1,
            1e-3,
            1,
            0.01,
            0.9);
    CheckpointStore checkpoints =
        new CheckpointStore() {
          @Override
          public void save(Checkpoint checkpoint) {}

          @Override
          public Optional<Checkpoint> newest() {
            return start;
          }
        };
    PrivateExamples lessons =
        new PrivateExamples(
            goldens.decoder(),
            number -> examples.get((int) number + first),
            RECORDS - first,
            plan.clipNorm(),
            plan.expectedBatch(),
            false);
    return new PrivateTrainer(
        lessons,
        plan,
        plan::learningRateAt,
        SecretStreams.withTestKey(key),
        checkpoints,
        progress -> {},
        workers);
  }

  /** The gradient of one step, as Adam's first moment tells it. */
  private double[] trained(long key, double rate, int first) {
    int size = adapter.length;
    Checkpoint start =
        new Checkpoint(
            STEP,
            0,
            0,
            Double.POSITIVE_INFINITY,
            STEP,
            STEP + 1,
            adapter.clone(),
            new float[size],
            new float[size],
            adapter.clone(),
            adapter.clone(),
            0);
    Checkpoint end = trainer(key, rate, first, 2, Optional.of(start), STEP + 1).train(adapter);
    double[] gradient = new double[size];
    Arrays.setAll(gradient, i -> end.momentum()[i] / (1 - BETA_1));
    return gradient;
  }

  private GaussianNoise noise(SecretStreams streams) {
    return new GaussianNoise(
        streams, new NoiseMultiplier(SIGMA), PrivatePlan.sensitivity(CLIP), adapter.length);
  }

  private double[] account(Bug bug, long key) {
    SecretStreams streams = SecretStreams.withTestKey(key);
    int size = adapter.length;
    long[] drawn = new PoissonSampler(streams, new SamplingRate(RATE), RECORDS).sample(STEP);
    if (bug == Bug.SHUFFLE_INSTEAD_OF_POISSON) {
      drawn = shuffled(key);
    }
    double[] sum = new double[size];
    for (long record : drawn) {
      add(sum, gradient(record), clipsRecords(bug) ? CLIP : 1e300);
    }
    if (bug == Bug.CLIPPING_AFTER_AVERAGING) {
      double[] mean = Arrays.stream(sum).map(x -> x / EXPECTED).toArray();
      sum = new double[size];
      add(sum, mean, CLIP);
      sum = Arrays.stream(sum).map(x -> x * EXPECTED).toArray();
    }
    double[] noise = noise(streams).draw(STEP);
    int passes = (drawn.length + PASS - 1) / PASS;
    assertTrue(passes > 1, "a case that shows the bugs");
    for (int draw = 0; draw < draws(bug, passes); draw++) {
      double[] one = draw == 0 ? noise : noise(SecretStreams.withTestKey(1000 + draw)).draw(STEP);
      for (int i = 0; i < size; i++) {
        sum[i] += one[i];
      }
    }
    double divisor = bug == Bug.DIVISION_BY_REALISED_BATCH ? drawn.length : EXPECTED;
    return Arrays.stream(sum).map(x -> x / divisor).toArray();
  }

  private static boolean clipsRecords(Bug bug) {
    return bug != Bug.CLIPPING_AFTER_AVERAGING && bug != Bug.NO_CLIPPING;
  }

  private static int draws(Bug bug, int passes) {
    return switch (bug) {
      case NO_NOISE -> 0;
      case NOISE_PER_MICRO_BATCH -> passes;
      default -> 1;
    };
  }

  private static long[] shuffled(long key) {
    List<Long> order = new ArrayList<>();
    for (long i = 0; i < RECORDS; i++) {
      order.add(i);
    }
    java.util.Collections.shuffle(order, new java.util.Random(key));
    return order.stream().mapToLong(Long::longValue).limit((long) EXPECTED).toArray();
  }

  private static void add(double[] sum, double[] gradient, double bound) {
    double squares = Arrays.stream(gradient).map(g -> g * g).sum();
    double factor = Math.min(1, bound / Math.sqrt(squares));
    for (int i = 0; i < sum.length; i++) {
      sum[i] += factor * gradient[i];
    }
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
