package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.fault.RunFailedException;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.FieldDecoderConfig;

@Tag("unit")
class EmbeddedTrainerTest {
  private static final List<Integer> SIZES = List.of(4, 4, 2);
  private static final int RECORDS = 1_100;

  @TempDir Path folder;
  private TokenStore store;

  /** The second token is the first plus one in nine of ten records, the third is a fair coin. */
  @BeforeEach
  void fill() {
    SplittableRandom random = new SplittableRandom(5);
    TokenStore.Writer writer = TokenStore.create(folder, SIZES.size());
    for (int i = 0; i < RECORDS; i++) {
      int first = random.nextInt(4);
      int second = random.nextInt(10) == 0 ? random.nextInt(4) : (first + 1) % 4;
      writer.add(new byte[] {(byte) first, 0, (byte) second, 0, (byte) random.nextInt(2), 0});
    }
    store = writer.finish();
  }

  @AfterEach
  void close() {
    store.close();
  }

  /** Keeps the newest checkpoint in memory, and may fail as a killed process would. */
  private static final class MemoryStore implements CheckpointStore {
    private Checkpoint newest;

    @Override
    public void save(Checkpoint checkpoint) {
      newest = checkpoint;
    }

    @Override
    public Optional<Checkpoint> newest() {
      return Optional.ofNullable(newest);
    }
  }

  private static TrainingPlan plan(long steps) {
    return planOf(1_000, steps);
  }

  private static TrainingPlan planOf(long records, long steps) {
    return new TrainingPlan(records, 100, 32, 8, steps, 40, 100, 3e-3, 10, 0.01, 0.4, 0.9, 11, 600);
  }

  private EmbeddedTrainer trainer(TrainingPlan plan, CheckpointStore checkpoints, int workers) {
    FieldDecoder decoder = new FieldDecoder(new FieldDecoderConfig(16, 1, 1, SIZES));
    return new EmbeddedTrainer(decoder, store, 0, plan, checkpoints, progress -> {}, workers);
  }

  @Test
  void lossComesNearTheEntropyOfTheTable() {
    EmbeddedTrainer.Outcome outcome = trainer(plan(240), new MemoryStore(), 2).train();
    // 2 bits, then the entropy of (.925, .025, .025, .025), then 1 bit.
    double entropy = 2 - 0.925 * log2(0.925) - 3 * 0.025 * log2(0.025) + 1;
    assertTrue(outcome.bestBits() < entropy + 0.25, "bits " + outcome.bestBits());
    assertTrue(outcome.bestBits() > entropy - 0.35, "bits " + outcome.bestBits());
  }

  private static double log2(double x) {
    return Math.log(x) / Math.log(2);
  }

  @Test
  void theResultIsTheSameForAnyNumberOfWorkers() {
    float[] one = trainer(plan(60), new MemoryStore(), 1).train().weights();
    float[] three = trainer(plan(60), new MemoryStore(), 3).train().weights();
    assertArrayEquals(one, three);
  }

  @Test
  void resumedTrainingEqualsUninterrupted() {
    float[] whole = trainer(plan(80), new MemoryStore(), 2).train().weights();
    TrainingPlan plan = plan(80);
    MemoryStore checkpoints = new MemoryStore();
    EmbeddedTrainer killed =
        new EmbeddedTrainer(
            new FieldDecoder(new FieldDecoderConfig(16, 1, 1, SIZES)),
            store,
            0,
            plan,
            checkpoints,
            progress -> {},
            2);
    checkpoints.save(killed.trainTo(47));
    EmbeddedTrainer.Outcome resumed = trainer(plan, checkpoints, 1).train();
    assertArrayEquals(whole, resumed.weights());
    assertEquals(80, resumed.last().step());
  }

  /** Of a large table only what the schedule sees is fetched: the plan's records are not there. */
  @Test
  void whatTheStoreHoldsIsTheTrainingTable() {
    float[] few = trainer(planOf(400, 30), new MemoryStore(), 2).train().weights();
    TokenStore.Writer writer = TokenStore.create(folder, SIZES.size());
    int[] tokens = new int[SIZES.size()];
    for (long record = 0; record < 100 + 400; record++) {
      store.read(record, tokens);
      writer.add(new byte[] {(byte) tokens[0], 0, (byte) tokens[1], 0, (byte) tokens[2], 0});
    }
    store.close();
    store = writer.finish();
    assertArrayEquals(few, trainer(plan(30), new MemoryStore(), 2).train().weights());
  }

  @Test
  void trainingEndsWhenTheValidationLossNoLongerFalls() {
    TrainingPlan patient =
        new TrainingPlan(60, 100, 32, 8, 100_000, 20, 3, 3e-3, 10, 0.01, 0, 0.9, 11, 600);
    EmbeddedTrainer.Outcome outcome = trainer(patient, new MemoryStore(), 2).train();
    assertEquals("the validation loss no longer falls", outcome.ended());
    assertTrue(outcome.last().bestStep() < outcome.last().step());
  }

  @Test
  void aTimeLimitEndsTrainingWithTheBestWeights() {
    TrainingPlan brief =
        new TrainingPlan(1_000, 100, 32, 8, 100_000, 50_000, 3, 3e-3, 10, 0.01, 0, 0.9, 11, 0.2);
    EmbeddedTrainer.Outcome outcome = trainer(brief, new MemoryStore(), 2).train();
    assertEquals("embedded.max_minutes is over", outcome.ended());
    assertTrue(Double.isFinite(outcome.bestBits()));
  }

  @Test
  void aCheckpointOfAnotherModelIsRefused() {
    MemoryStore checkpoints = new MemoryStore();
    float[] other = new float[7];
    checkpoints.save(new Checkpoint(3, 1, 0, 1, 1, 60, other, other, other, other, other, 0));
    EmbeddedTrainer trainer = trainer(plan(60), checkpoints, 1);
    assertThrows(RunFailedException.class, trainer::train);
  }

  @Test
  void recordsComeBackFromTheStoreAsTheyWent() {
    int[] tokens = new int[3];
    TokenStore.Writer writer = TokenStore.create(folder, 3);
    writer.add(new byte[] {(byte) 0xff, (byte) 0xff, 1, 0, 0, 1});
    try (TokenStore small = writer.finish()) {
      small.read(0, tokens);
      assertArrayEquals(new int[] {65_535, 1, 256}, tokens);
    }
  }

  @Test
  void aRecordOfAnotherLengthIsRefused() {
    try (TokenStore.Writer writer = TokenStore.create(folder, 3)) {
      assertThrows(RunFailedException.class, () -> writer.add(new byte[5]));
    }
  }
}
