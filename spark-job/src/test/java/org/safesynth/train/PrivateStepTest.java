package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleArrayRef;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.model.Natives;
import org.safesynth.privacy.GaussianNoise;
import org.safesynth.privacy.NoiseMultiplier;
import org.safesynth.privacy.PoissonSampler;
import org.safesynth.privacy.SamplingRate;
import org.safesynth.privacy.SecretStreams;

/**
 * One step of private training against an account of its own: a backward pass a record in float64,
 * clipped, summed, noised and divided in the test. The same account with a planted bug of each kind
 * must differ by far, or the comparison could not see that bug in the trainer.
 */
@Tag("unit")
class PrivateStepTest {
  private static final int RECORDS = 90;
  private static final int HELD_OUT = 10;
  private static final double RATE = 0.4;
  private static final double EXPECTED = RATE * (RECORDS - HELD_OUT);
  private static final double SIGMA = 0.8;
  private static final double CLIP = 0.7;
  private static final int MICRO_BATCH = 8;
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

  @TempDir private Path folder;
  private FieldDecoder decoder;
  private TokenStore store;
  private float[] weights; // (P)

  @BeforeAll
  static void load() {
    Natives.load();
  }

  @BeforeEach
  void makeRecords() throws Exception {
    SplittableRandom random = new SplittableRandom(3);
    decoder = new FieldDecoder(new FieldDecoderConfig(16, 1, 2, List.of(5, 4, 6)));
    weights = new float[(int) decoder.layout().size()];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (random.nextGaussian() * 0.3);
    }
    TokenStore.Writer writer = TokenStore.create(folder, 3);
    for (int i = 0; i < RECORDS; i++) {
      ByteBuffer record = ByteBuffer.allocate(6).order(ByteOrder.LITTLE_ENDIAN);
      for (int size : decoder.config().vocabularySizes()) {
        record.putShort((short) random.nextInt(size));
      }
      writer.add(record.array());
    }
    store = writer.finish();
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void aStepEqualsItsAccountRecordByRecord() {
    for (long key = 1; key <= 4; key++) {
      double[] expected = account(Bug.NONE, key, HELD_OUT);
      assertTrue(distance(expected, trained(key, HELD_OUT, MICRO_BATCH, 2)) < tolerance());
    }
  }

  @ParameterizedTest
  @EnumSource(value = Bug.class, names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  void aPlantedBugIsSeen(Bug bug) {
    for (long key = 1; key <= 4; key++) {
      double[] wrong = account(bug, key, HELD_OUT);
      double distance = distance(wrong, trained(key, HELD_OUT, MICRO_BATCH, 2));
      assertTrue(distance > 20 * tolerance(), () -> bug + " moves a step by " + distance);
    }
  }

  @Test
  void noiseIsDrawnOnceHoweverTheStepIsCut() {
    double[] whole = trained(1, HELD_OUT, MICRO_BATCH, 1);
    for (int microBatch : new int[] {1, 3, 32}) {
      assertTrue(distance(whole, trained(1, HELD_OUT, microBatch, 2)) < tolerance());
    }
  }

  @Test
  void aStepThatDrawsNobodyTakesNoise() {
    double[] gradient = trained(1, RECORDS, MICRO_BATCH, 1);
    double[] noise = noise(SecretStreams.withTestKey(1)).draw(STEP);
    for (int i = 0; i < gradient.length; i++) {
      assertEquals(noise[i] / EXPECTED, gradient[i], 1e-5 * SIGMA * CLIP);
    }
  }

  @Test
  void oneRecordMoreMovesTheSumByTheClipNormAtMost() {
    // Everyone is drawn, the key is the same: all that differs is the first record.
    double[] with = trained(1, HELD_OUT, MICRO_BATCH, 1, 1);
    double[] without = trained(1, HELD_OUT + 1, MICRO_BATCH, 1, 1);
    double moved = 0;
    for (int i = 0; i < with.length; i++) {
      moved += Math.pow((with[i] - without[i]) * EXPECTED, 2);
    }
    double length = Math.sqrt(moved);
    assertTrue(length <= CLIP * (1 + 1e-4), () -> "moved by " + length);
    assertTrue(length > CLIP / 2, () -> "a clipped record is as long as the bound, not " + length);
  }

  private double tolerance() {
    return 1e-3 * CLIP / EXPECTED;
  }

  private static double distance(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }

  private double[] trained(long key, int firstRecord, int microBatch, int workers) {
    return trained(key, firstRecord, microBatch, workers, RATE);
  }

  /** The gradient of one step, as Adam's first moment tells it. */
  private double[] trained(
      long key, int firstRecord, int microBatch, int workers, double samplingRate) {
    PrivatePlan plan =
        new PrivatePlan(
            new SamplingRate(samplingRate),
            EXPECTED,
            new NoiseMultiplier(SIGMA),
            CLIP,
            STEP + 1,
            microBatch,
            1e-3,
            1,
            0.01,
            0.9);
    int size = weights.length;
    Checkpoint start =
        new Checkpoint(
            STEP,
            0,
            0,
            Double.POSITIVE_INFINITY,
            STEP,
            STEP + 1,
            weights.clone(),
            new float[size],
            new float[size],
            weights.clone(),
            weights.clone(),
            0);
    CheckpointStore checkpoints =
        new CheckpointStore() {
          @Override
          public void save(Checkpoint checkpoint) {}

          @Override
          public Optional<Checkpoint> newest() {
            return Optional.of(start);
          }
        };
    Checkpoint end =
        new PrivateTrainer(
                decoder,
                store,
                firstRecord,
                plan,
                SecretStreams.withTestKey(key),
                checkpoints,
                progress -> {},
                workers)
            .train(weights);
    double[] gradient = new double[size];
    for (int i = 0; i < size; i++) {
      gradient[i] = end.momentum()[i] / (1 - BETA_1);
    }
    return gradient;
  }

  private GaussianNoise noise(SecretStreams streams) {
    return new GaussianNoise(
        streams, new NoiseMultiplier(SIGMA), PrivatePlan.sensitivity(CLIP), weights.length);
  }

  private double[] account(Bug bug, long key, int firstRecord) {
    SecretStreams streams = SecretStreams.withTestKey(key);
    int size = weights.length;
    long[] drawn =
        new PoissonSampler(streams, new SamplingRate(RATE), RECORDS - firstRecord).sample(STEP);
    if (bug == Bug.SHUFFLE_INSTEAD_OF_POISSON) {
      drawn = shuffled((int) EXPECTED, key);
    }
    double[] sum = new double[size];
    for (long record : drawn) {
      add(sum, gradient(record + firstRecord), clipsRecords(bug) ? CLIP : 1e300);
    }
    if (bug == Bug.CLIPPING_AFTER_AVERAGING) {
      double[] mean = Arrays.stream(sum).map(x -> x / EXPECTED).toArray();
      sum = new double[size];
      add(sum, mean, CLIP);
      sum = Arrays.stream(sum).map(x -> x * EXPECTED).toArray();
    }
    double[] noise = noise(streams).draw(STEP);
    int batches = (drawn.length + MICRO_BATCH - 1) / MICRO_BATCH;
    assertTrue(batches > 1 && drawn.length != Math.round(EXPECTED), "a case that shows the bugs");
    for (int draw = 0; draw < draws(bug, batches); draw++) {
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

  private static int draws(Bug bug, int batches) {
    return switch (bug) {
      case NO_NOISE -> 0;
      case NOISE_PER_MICRO_BATCH -> batches;
      default -> 1;
    };
  }

  private static long[] shuffled(int batch, long key) {
    List<Long> order = new ArrayList<>();
    for (long i = 0; i < RECORDS - HELD_OUT; i++) {
      order.add(i);
    }
    SplittableRandom random = new SplittableRandom(key);
    for (int i = order.size() - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      long other = order.get(j);
      order.set(j, order.get(i));
      order.set(i, other);
    }
    return order.stream().mapToLong(Long::longValue).limit(batch + 1L).toArray();
  }

  private static void add(double[] sum, double[] gradient, double bound) {
    double squares = 0;
    for (double g : gradient) {
      squares += g * g;
    }
    double factor = Math.min(1, bound / Math.sqrt(squares));
    for (int i = 0; i < sum.length; i++) {
      sum[i] += factor * gradient[i];
    }
  }

  /** One record's gradient, by a backward pass of its own in float64. */
  private double[] gradient(long record) {
    FieldBatch alone = FieldBatch.read(store, decoder.config(), new long[] {record}, 0, null);
    try (PointerScope scope = new PointerScope()) {
      double[] wide = new double[weights.length];
      for (int i = 0; i < wide.length; i++) {
        wide[i] = weights[i];
      }
      Tensor flat =
          torch.tensor(new DoubleArrayRef(new DoublePointer(wide), wide.length)).clone(); // (P)
      flat.requires_grad_(true);
      decoder
          .loss(decoder.layout().views(flat), alone.inputTensor(), alone.targetTensor())
          .backward();
      double[] gradient = new double[wide.length];
      flat.grad().contiguous().data_ptr_double().get(gradient);
      return gradient;
    }
  }
}
