package org.safesynth.job;

import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.codec.FieldCodec;
import org.safesynth.fault.BadInputException;
import org.safesynth.generate.FieldSampler;
import org.safesynth.marginal.MarginalRows;
import org.safesynth.marginal.Marginals;
import org.safesynth.marginal.Raking;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.privacy.SecretStreams;
import org.safesynth.random.SeededStreams;
import org.safesynth.train.Checkpoint;
import org.safesynth.train.CheckpointStore;
import org.safesynth.train.EmbeddedTrainer;
import org.safesynth.train.PrivatePlan;
import org.safesynth.train.PrivateTrainer;
import org.safesynth.train.TokenStore;
import org.safesynth.train.TrainingListener;
import org.safesynth.train.TrainingPlan;

/**
 * Private training in the one process that is designated for it: a decoder learns rows drawn from
 * the noisy marginals, which is free, then the real rows by DP-SGD; then weights are fitted that
 * make its rows agree with the marginals, which is free again.
 *
 * <p>The secret key is made here, in the memory of the process that draws, and never leaves it.
 */
final class PrivateTrainingTask implements Training {
  private static final double ROWS_OF_A_RECORD = 4; // drawn from the marginals
  private static final int LEAST_ROWS = 40_000;
  private static final int MOST_ROWS = 120_000;
  private static final int PRETRAINING_BATCH = 256;
  private static final double PRETRAINING_PASSES = 3;
  private static final int POOL_BATCH = 512;
  private static final int MICRO_BATCH = 64;

  private final SerializableConfiguration hadoop;
  private final String examplesFolder;
  private final ExamplesManifest examples;
  private final String checkpointsFolder;
  private final String modelFolder;
  private final FieldCodec codec;
  private final FieldDecoderConfig shape;
  private final PrivatePlan plan;
  private final Marginals marginals;
  private final long heldOut;
  private final long seed;

  /**
   * @param plan DP-SGD, or null to train on rows from the marginals alone
   * @param marginals noisy counts, or null to train on the real rows alone
   * @param heldOut records at the start of the examples that are not trained on
   * @param seed of what is not private: weights at the start, rows from the marginals
   */
  PrivateTrainingTask(
      Configuration hadoop,
      RunFolder folder,
      ExamplesManifest examples,
      FieldCodec codec,
      FieldDecoderConfig shape,
      PrivatePlan plan,
      Marginals marginals,
      long heldOut,
      long seed) {
    this.hadoop = new SerializableConfiguration(hadoop);
    this.examplesFolder = folder.examples().toString();
    this.examples = examples;
    this.checkpointsFolder = folder.checkpoints().toString();
    this.modelFolder = folder.model().toString();
    this.codec = codec;
    this.shape = shape;
    this.plan = plan;
    this.marginals = marginals;
    this.heldOut = heldOut;
    this.seed = seed;
  }

  /**
   * Digest of all that decides the model, but for the draws. It lies beside the model, which is
   * made to be released: nothing in it is an exact count of rows.
   */
  String fingerprint() {
    return LanguageTraining.digest(
        List.of(
            SavedPlan.DP_SGD,
            examples.fingerprint(),
            String.valueOf(plan),
            shape,
            marginals == null ? "" : LanguageTraining.digest(Json.line(marginals)),
            seed));
  }

  /** What a checkpoint of this run belongs to. */
  record SavedPlan(String mechanism, String fingerprint, PrivatePlan plan) implements Serializable {
    static final String DP_SGD = "dp-sgd";
    static final String DP_SGD_OF_AN_ADAPTER = "dp-sgd-lora";
  }

  @Override
  public TrainingTask.Outcome run(int workers, TrainingTask.Teller teller) {
    long begin = System.nanoTime();
    Configuration configuration = hadoop.value();
    FieldDecoder decoder = new FieldDecoder(shape);
    FolderCheckpoints checkpoints =
        new FolderCheckpoints(configuration, new Path(checkpointsFolder));
    requireSame(
        checkpoints,
        checkpointsFolder,
        new SavedPlan(SavedPlan.DP_SGD, examples.fingerprint(), plan));
    Optional<Checkpoint> newest = checkpoints.newest();
    float[] weights =
        newest.isPresent() ? newest.get().parameters() : initial(decoder, workers, teller);
    if (plan != null) {
      checkpoints.fence();
      weights = trainPrivately(configuration, decoder, weights, checkpoints, workers, teller);
      checkpoints.requireCurrent();
    }
    Raking raking = marginals == null || marginals.tree().isEmpty() ? null : rake(decoder, weights);
    ModelFolder.Manifest manifest =
        new ModelFolder(configuration, new Path(modelFolder))
            .write(decoder, weights, codec, fingerprint(), raking);
    checkpoints.clear();
    return outcome(manifest, plan, begin, decoder.layout().size());
  }

  /**
   * What came of a training without a validation loss.
   *
   * @param plan null where no real row was trained on
   * @param begin when, by {@link System#nanoTime}
   */
  static TrainingTask.Outcome outcome(
      ModelFolder.Manifest manifest, PrivatePlan plan, long begin, long parameters) {
    return new TrainingTask.Outcome(
        manifest.sha256().get(ModelFolder.WEIGHTS),
        null,
        plan == null ? 0 : plan.steps(),
        plan == null ? 0 : plan.steps() * plan.samplingRate().value(),
        (System.nanoTime() - begin) / 1e9,
        parameters,
        ComputeDevice.CPU.words(),
        "all planned steps were taken");
  }

  /** Refuses checkpoints that are not of this training, and says from now on that they are. */
  static void requireSame(FolderCheckpoints checkpoints, String checkpointsFolder, SavedPlan now) {
    Optional<SavedPlan> earlier = checkpoints.privatePlan();
    if (earlier.isPresent() && !earlier.get().equals(now)) {
      throw new BadInputException(
          "%s belongs to another run, mechanism or noise (sigma, sampling rate, steps); resume with the settings that the run was begun with, or choose another --run-id"
              .formatted(checkpointsFolder));
    }
    if (earlier.isEmpty() && checkpoints.newest().isPresent()) {
      throw new BadInputException(
          "%s holds checkpoints of training without differential privacy; choose another --run-id"
              .formatted(checkpointsFolder));
    }
    checkpoints.write(now);
  }

  private float[] trainPrivately(
      Configuration configuration,
      FieldDecoder decoder,
      float[] weights,
      FolderCheckpoints checkpoints,
      int workers,
      TrainingTask.Teller teller) {
    TrainingListener listener = teller.hearsLoss() ? teller : withoutLoss(teller);
    try (TokenStore store = realRows(configuration, new Path(examplesFolder), examples)) {
      return new PrivateTrainer(
              decoder, store, heldOut, plan, SecretStreams.secure(), checkpoints, listener, workers)
          .train(weights)
          .best();
    }
  }

  /** The loss without noise must not travel: accumulators end in event logs. */
  static TrainingListener withoutLoss(TrainingListener listener) {
    return progress -> listener.onProgress(withoutLoss(progress, true));
  }

  /** For training on rows that are drawn from noisy counts. */
  static TrainingListener ofDrawnRows(TrainingListener listener) {
    return progress -> listener.onProgress(withoutLoss(progress, false));
  }

  private static TrainingListener.Progress withoutLoss(
      TrainingListener.Progress progress, boolean isOfRecords) {
    return new TrainingListener.Progress(
        progress.step(),
        progress.steps(),
        Double.NaN,
        Double.NaN,
        progress.recordsPerSecond(),
        progress.tokensPerSecond(),
        progress.secondsLeft(),
        isOfRecords);
  }

  static TokenStore realRows(Configuration configuration, Path folder, ExamplesManifest examples) {
    try (TokenStore.Writer writer =
        TokenStore.create(TrainingTask.localFolder(), examples.positions())) {
      ExamplesReader.read(configuration, folder, examples, writer::add);
      return writer.finish();
    } catch (IOException e) {
      throw Faults.reading(folder, e);
    }
  }

  /** Rows from the marginals, or of the pool that weights are fitted on. */
  private int drawnRows() {
    double records = marginals.ones().length == 0 ? 0 : Arrays.stream(marginals.ones()[0]).sum();
    return (int) Math.max(LEAST_ROWS, Math.min(MOST_ROWS, ROWS_OF_A_RECORD * records));
  }

  /** Weights that no private record decided except through the noisy marginals. */
  private float[] initial(FieldDecoder decoder, int workers, TrainingTask.Teller teller) {
    if (marginals == null) {
      long[] alike = new long[shape.totalVocabulary()];
      Arrays.fill(alike, 1);
      RandomGenerator random =
          new SeededStreams(seed).stream(SeededStreams.Purpose.INITIAL_WEIGHTS);
      return decoder.initialParameters(alike, 1, random);
    }
    try (TokenStore store = marginalRows()) {
      long validation = store.records() / 20;
      long records = store.records() - validation;
      long steps = Math.round(PRETRAINING_PASSES * records / PRETRAINING_BATCH);
      TrainingPlan pretraining =
          new TrainingPlan(
              records,
              validation,
              PRETRAINING_BATCH,
              MICRO_BATCH,
              steps,
              (int) Math.max(1, steps / 8),
              2,
              3e-3,
              steps / 20,
              0.01,
              0,
              0.998,
              seed,
              Double.POSITIVE_INFINITY);
      return new EmbeddedTrainer(
              decoder, store, 0, pretraining, new NoCheckpoints(), ofDrawnRows(teller), workers)
          .train()
          .weights();
    }
  }

  /** Pretraining takes seconds and repeats exactly: a resumed run does it again. */
  record NoCheckpoints() implements CheckpointStore {
    @Override
    public void save(Checkpoint checkpoint) {
      // nothing to keep
    }

    @Override
    public Optional<Checkpoint> newest() {
      return Optional.empty();
    }
  }

  private TokenStore marginalRows() {
    RandomGenerator random = new SeededStreams(seed).stream(SeededStreams.Purpose.SAMPLING, -1);
    int positions = codec.positions();
    try (TokenStore.Writer writer = TokenStore.create(TrainingTask.localFolder(), positions)) {
      for (int[] row : MarginalRows.draw(marginals, drawnRows(), random)) {
        ByteBuffer bytes =
            ByteBuffer.allocate(positions * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int token : row) {
          bytes.putShort((short) token);
        }
        writer.add(bytes.array());
      }
      return writer.finish();
    }
  }

  private Raking rake(FieldDecoder decoder, float[] weights) {
    RandomGenerator random = new SeededStreams(seed).stream(SeededStreams.Purpose.SAMPLING, -2);
    int[][] pool = new int[drawnRows() / 2][];
    try (FieldSampler sampler = new FieldSampler(decoder, weights, codec, 1, 1)) {
      for (int from = 0; from < pool.length; from += POOL_BATCH) {
        int[][] rows = sampler.sample(Math.min(POOL_BATCH, pool.length - from), random);
        System.arraycopy(rows, 0, pool, from, rows.length);
      }
    }
    return Raking.fit(marginals, pool);
  }
}
