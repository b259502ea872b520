package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.fault.RunFailedException;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.model.Natives;
import org.safesynth.privacy.NoiseMultiplier;
import org.safesynth.privacy.SamplingRate;
import org.safesynth.privacy.SecretStreams;

@Tag("unit")
class PrivateTrainerTest {
  private static final List<Integer> SIZES = List.of(4, 4, 2);
  private static final int RECORDS = 1_000;

  @TempDir Path folder;
  private TokenStore store;
  private final FieldDecoder decoder = new FieldDecoder(new FieldDecoderConfig(16, 1, 1, SIZES));

  /** The second token is the first plus one, the third a fair coin. */
  @BeforeEach
  void fill() {
    Natives.load();
    SplittableRandom random = new SplittableRandom(5);
    TokenStore.Writer writer = TokenStore.create(folder, SIZES.size());
    for (int i = 0; i < RECORDS; i++) {
      int first = random.nextInt(4);
      writer.add(
          new byte[] {(byte) first, 0, (byte) ((first + 1) % 4), 0, (byte) random.nextInt(2), 0});
    }
    store = writer.finish();
  }

  @AfterEach
  void close() {
    store.close();
  }

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

  private static PrivatePlan plan(double rate, double noise, long steps) {
    return new PrivatePlan(
        new SamplingRate(rate),
        rate * RECORDS,
        new NoiseMultiplier(noise),
        1,
        steps,
        16,
        5e-3,
        2,
        0.01,
        0.9);
  }

  private float[] initial() {
    long[] alike = new long[10];
    java.util.Arrays.fill(alike, 1);
    return decoder.initialParameters(alike, 1, new SplittableRandom(3));
  }

  private PrivateTrainer trainer(PrivatePlan plan, CheckpointStore checkpoints, int workers) {
    return new PrivateTrainer(
        decoder, store, 0, plan, SecretStreams.withTestKey(7), checkpoints, p -> {}, workers);
  }

  @Test
  void theResultIsTheSameForAnyNumberOfWorkers() {
    PrivatePlan plan = plan(0.4, 1, 6);
    float[] one = trainer(plan, new MemoryStore(), 1).train(initial()).best();
    float[] three = trainer(plan, new MemoryStore(), 3).train(initial()).best();
    assertArrayEquals(one, three);
  }

  @Test
  void theModelLearnsThroughTheNoise() {
    float[] weights = trainer(plan(0.5, 0.5, 60), new MemoryStore(), 2).train(initial()).best();
    assertTrue(bits(weights) < bits(initial()) - 0.8, "bits " + bits(weights));
  }

  private double bits(float[] weights) {
    try (PointerScope scope = new PointerScope()) {
      long[] records = java.util.stream.LongStream.range(0, 200).toArray();
      FieldBatch batch = FieldBatch.read(store, decoder.config(), records, 0, null);
      List<Tensor> views = decoder.layout().views(torch.tensor(weights));
      return decoder.loss(views, batch.inputTensor(), batch.targetTensor()).item_double()
          / 200
          / Math.log(2);
    }
  }

  /** At this rate a step draws nobody with probability .9999: what moves the weights is noise. */
  @Test
  void aStepThatDrawsNobodyTakesNoiseAllTheSame() {
    float[] before = initial();
    float[] after = trainer(plan(1e-7, 1, 1), new MemoryStore(), 1).train(initial()).parameters();
    int moved = 0;
    for (int i = 0; i < after.length; i++) {
      moved += after[i] == before[i] ? 0 : 1;
    }
    assertTrue(moved > 0.99 * after.length, "moved " + moved);
  }

  /** The sum that noise is added to is the same whatever the micro-batches: noise comes once. */
  @Test
  void microBatchesAddUpToTheSameClippedSum() {
    try (PointerScope scope = new PointerScope()) {
      long[] records = java.util.stream.LongStream.range(0, 700).toArray();
      Tensor parameters = torch.tensor(initial());
      double[][] sums = new double[2][];
      int[] microBatches = {7, 64};
      for (int k = 0; k < 2; k++) {
        Tensor sum = torch.zeros(initial().length).to(ScalarType.Double);
        Clipping clipping = new RecordClipping(decoder, store, 0, 1, microBatches[k]);
        try (ClippingWorkers pool =
            new ClippingWorkers(clipping, decoder.layout(), parameters, 2)) {
          pool.addTo(sum, records);
        }
        sums[k] = new double[initial().length];
        sum.data_ptr_double().get(sums[k]);
      }
      assertArrayEquals(sums[0], sums[1], 1e-3);
    }
  }

  /**
   * At 896 units of micro-batches of 64 there are 16 parts, of 895 only 12: all are cut anew. What
   * moves besides the further unit's own part are roundings.
   */
  @Test
  void aFurtherUnitMovesTheOthersByLittleOfTheSlack(@TempDir Path wide) {
    int records = 896;
    SplittableRandom random = new SplittableRandom(9);
    List<Integer> sizes = random.ints(15, 2, 100).boxed().toList();
    FieldDecoder large = new FieldDecoder(new FieldDecoderConfig(32, 2, 2, sizes));
    TokenStore.Writer writer = TokenStore.create(wide, sizes.size());
    for (int i = 0; i < records; i++) {
      byte[] record = new byte[2 * sizes.size()];
      for (int t = 0; t < sizes.size(); t++) {
        record[2 * t] = (byte) random.nextInt(sizes.get(t));
      }
      writer.add(record);
    }
    float[] weights = new float[Math.toIntExact(large.layout().size())];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (0.1 * random.nextGaussian());
    }
    PrivatePlan plan = plan(0.4, 1, 1);
    try (TokenStore all = writer.finish()) {
      Clipping clipping = new RecordClipping(large, all, 0, plan.clipNorm(), 64);
      double[] with = sum(large, clipping, weights, range(0, records));
      for (int further : new int[] {0, 449, records - 1}) {
        long[] others =
            java.util.Arrays.stream(range(0, records)).filter(unit -> unit != further).toArray();
        double[] without = sum(large, clipping, weights, others);
        double[] own = sum(large, clipping, weights, new long[] {further});
        double moved = 0;
        for (int i = 0; i < with.length; i++) {
          moved += Math.pow(with[i] - without[i] - own[i], 2);
        }
        double slack = plan.sensitivity() - plan.clipNorm();
        assertTrue(Math.sqrt(moved) < slack / 16, Math.sqrt(moved) + " of " + slack);
      }
    }
  }

  private static long[] range(int from, int to) {
    return java.util.stream.LongStream.range(from, to).toArray();
  }

  private static double[] sum(
      FieldDecoder decoder, Clipping clipping, float[] weights, long[] units) {
    try (PointerScope scope = new PointerScope();
        ClippingWorkers pool =
            new ClippingWorkers(clipping, decoder.layout(), torch.tensor(weights), 2)) {
      Tensor sum = torch.zeros(weights.length).to(ScalarType.Double);
      pool.addTo(sum, units);
      double[] values = new double[weights.length];
      sum.data_ptr_double().get(values);
      return values;
    }
  }

  @Test
  void microBatchesHoldEveryUnitOnceAndAreOfAboutOneSize() {
    Clipping clipping = new RecordClipping(decoder, store, 0, 1, 64);
    for (int drawn : new int[] {0, 1, 31, 95, 96, 511, 512, 993, 1_024, 1_087, 1_151, 5_000}) {
      long[] units = java.util.stream.LongStream.range(0, drawn).toArray();
      java.util.List<long[]> parts = clipping.microBatches(units);
      assertArrayEquals(units, parts.stream().flatMapToLong(java.util.Arrays::stream).toArray());
      int most = parts.stream().mapToInt(part -> part.length).max().orElse(0);
      int least = parts.stream().mapToInt(part -> part.length).min().orElse(0);
      assertTrue(most <= 96 && most - least <= 1, drawn + " units in parts of " + most);
      assertTrue(drawn < 512 || parts.size() % 4 == 0, drawn + " units: " + parts.size());
    }
  }

  @Test
  void aCheckpointOfAnotherPlanIsRefused() {
    MemoryStore checkpoints = new MemoryStore();
    checkpoints.save(trainer(plan(0.1, 1, 3), new MemoryStore(), 1).train(initial()));
    PrivateTrainer other = trainer(plan(0.1, 1, 4), checkpoints, 1);
    assertThrows(RunFailedException.class, () -> other.train(initial()));
  }

  /** With one key in both processes, as no run has, all draws are those of the whole run. */
  @Test
  void resumedTrainingEqualsUninterrupted() {
    PrivatePlan plan = plan(0.1, 1, 7);
    Checkpoint whole = trainer(plan, new MemoryStore(), 2).train(initial());
    for (long cut : new long[] {1, 4, 6}) {
      MemoryStore checkpoints = new MemoryStore();
      checkpoints.save(trainer(plan, new MemoryStore(), 1).trainTo(cut, initial()));
      assertEquals(cut, checkpoints.newest.step());
      Checkpoint resumed = trainer(plan, checkpoints, 3).train(initial());
      assertEquals(7, resumed.step());
      assertArrayEquals(whole.best(), resumed.best());
      assertArrayEquals(whole.parameters(), resumed.parameters());
      assertArrayEquals(whole.momentum(), resumed.momentum());
      assertArrayEquals(whole.variance(), resumed.variance());
    }
  }

  @Test
  void aResumedRunTakesOnlyTheStepsThatAreLeft() {
    MemoryStore checkpoints = new MemoryStore();
    Checkpoint whole = trainer(plan(0.1, 1, 4), new MemoryStore(), 1).train(initial());
    checkpoints.save(whole);
    Checkpoint resumed = trainer(plan(0.1, 1, 4), checkpoints, 1).train(initial());
    assertEquals(whole.step(), resumed.step());
    assertArrayEquals(whole.parameters(), resumed.parameters());
  }
}
