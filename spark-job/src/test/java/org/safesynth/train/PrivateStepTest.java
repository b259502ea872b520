package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.safesynth.train.StepAccount.CLIP;
import static org.safesynth.train.StepAccount.SIGMA;
import static org.safesynth.train.StepAccount.distance;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
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
import org.safesynth.privacy.SecretStreams;
import org.safesynth.train.StepAccount.Bug;

/**
 * One step of private training on records against {@link StepAccount}, by a backward pass a record
 * in float64.
 */
@Tag("unit")
class PrivateStepTest {
  private static final int RECORDS = 90;
  private static final int HELD_OUT = 10;
  private static final double RATE = 0.4;
  private static final double EXPECTED = RATE * (RECORDS - HELD_OUT);
  private static final int MICRO_BATCH = 8;
  private static final double TOLERANCE = 1e-3 * CLIP / EXPECTED;

  @TempDir private Path folder;
  private FieldDecoder decoder;
  private TokenStore store;
  private float[] weights; // (P)
  private StepAccount account;

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
    account =
        new StepAccount(
            RECORDS - HELD_OUT,
            RATE,
            MICRO_BATCH,
            weights.length,
            record -> gradient(record + HELD_OUT));
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void aStepEqualsItsAccountRecordByRecord() {
    for (long key = 1; key <= 4; key++) {
      double[] expected = account.of(Bug.NONE, key);
      assertTrue(distance(expected, trained(key, HELD_OUT, MICRO_BATCH, 2)) < TOLERANCE);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Bug.class,
      names = {"NONE", "CLIPPING_OF_ROWS"},
      mode = EnumSource.Mode.EXCLUDE)
  void aPlantedBugIsSeen(Bug bug) {
    for (long key = 1; key <= 4; key++) {
      double[] wrong = account.of(bug, key);
      double distance = distance(wrong, trained(key, HELD_OUT, MICRO_BATCH, 2));
      assertTrue(distance > 20 * TOLERANCE, () -> bug + " moves a step by " + distance);
    }
  }

  @Test
  void noiseIsDrawnOnceHoweverTheStepIsCut() {
    double[] whole = trained(1, HELD_OUT, MICRO_BATCH, 1);
    for (int microBatch : new int[] {1, 3, 32}) {
      assertTrue(distance(whole, trained(1, HELD_OUT, microBatch, 2)) < TOLERANCE);
    }
  }

  @Test
  void aStepThatDrawsNobodyTakesNoise() {
    double[] gradient = trained(1, RECORDS, MICRO_BATCH, 1);
    double[] noise = account.noise(SecretStreams.withTestKey(1));
    for (int i = 0; i < gradient.length; i++) {
      assertEquals(noise[i] / EXPECTED, gradient[i], 1e-5 * SIGMA * CLIP);
    }
  }

  @Test
  void oneRecordMoreMovesTheSumByTheClipNormAtMost() {
    // Everyone is drawn, the key is the same: all that differs is the first record.
    double[] with = trained(1, HELD_OUT, MICRO_BATCH, 1, 1);
    double[] without = trained(1, HELD_OUT + 1, MICRO_BATCH, 1, 1);
    double length = EXPECTED * distance(with, without);
    assertTrue(length <= CLIP * (1 + 1e-4), () -> "moved by " + length);
    assertTrue(length > CLIP / 2, () -> "a clipped record is as long as the bound, not " + length);
  }

  private double[] trained(long key, int firstRecord, int microBatch, int workers) {
    return trained(key, firstRecord, microBatch, workers, RATE);
  }

  private double[] trained(
      long key, int firstRecord, int microBatch, int workers, double samplingRate) {
    Checkpoint end =
        new PrivateTrainer(
                decoder,
                store,
                firstRecord,
                account.plan(samplingRate, microBatch, StepAccount.STEP + 1),
                SecretStreams.withTestKey(key),
                StepAccount.begun(weights),
                progress -> {},
                workers)
            .train(weights);
    return StepAccount.gradientOf(end);
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
