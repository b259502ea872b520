package org.safesynth.job;

import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkEnv;
import org.apache.spark.SparkFiles;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.codec.FieldCodec;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.train.AutoPlan;
import org.safesynth.train.EmbeddedTrainer;
import org.safesynth.train.TokenStore;
import org.safesynth.train.TrainingListener;
import org.safesynth.train.TrainingPlan;

/**
 * Training in the one process that is designated for it: the driver or an executor. Streams the
 * examples to the local disk, trains from the newest checkpoint, and leaves the model.
 */
final class TrainingTask implements Training {
  /** Enough to measure the speed by; of a larger table only what the schedule sees is fetched. */
  private static final long FIRST_RECORDS = 1 << 20;

  private final SerializableConfiguration hadoop;
  private final String examplesFolder;
  private final ExamplesManifest examples;
  private final String checkpointsFolder;
  private final String modelFolder;
  private final FieldCodec codec;
  private final AutoPlan.Wishes wishes;
  private final long holdout;
  private final long seed;
  private final long firstRecords;

  TrainingTask(
      Configuration hadoop,
      RunFolder folder,
      ExamplesManifest examples,
      FieldCodec codec,
      AutoPlan.Wishes wishes,
      long holdout,
      long seed) {
    this(hadoop, folder, examples, codec, wishes, holdout, seed, FIRST_RECORDS);
  }

  /**
   * @param firstRecords training records that are fetched before the plan is known
   */
  TrainingTask(
      Configuration hadoop,
      RunFolder folder,
      ExamplesManifest examples,
      FieldCodec codec,
      AutoPlan.Wishes wishes,
      long holdout,
      long seed,
      long firstRecords) {
    this.hadoop = new SerializableConfiguration(hadoop);
    this.examplesFolder = folder.examples().toString();
    this.examples = examples;
    this.checkpointsFolder = folder.checkpoints().toString();
    this.modelFolder = folder.model().toString();
    this.codec = codec;
    this.wishes = wishes;
    this.holdout = holdout;
    this.seed = seed;
    this.firstRecords = firstRecords;
  }

  /**
   * What came of it, for {@code result.json}.
   *
   * @param modelSha256 of the weights
   * @param bits least validation loss in bits a row; null without validation rows
   * @param device where it was computed, in words
   */
  record Outcome(
      String modelSha256,
      Double bits,
      long steps,
      double passes,
      double seconds,
      long parameters,
      String device,
      String ended)
      implements Serializable {}

  /** Hears what there is to tell while the task runs. */
  interface Teller extends TrainingListener {
    /** Where it is computed, before anything is loaded; the processor goes without saying. */
    default void onDevice(String words) {}

    /** The plan, before the first step. */
    void onPlan(TrainingPlan plan, long parameters, double recordsPerSecond, boolean resumed);

    /** Whether it shows the loss to the operator at once and stores it nowhere. */
    default boolean hearsLoss() {
      return false;
    }
  }

  @Override
  public Outcome run(int workers, Teller teller) {
    Configuration configuration = hadoop.value();
    FolderCheckpoints checkpoints =
        new FolderCheckpoints(configuration, new Path(checkpointsFolder));
    int[] sizes = new int[codec.positions()];
    Arrays.setAll(sizes, codec::vocabularySize);
    FieldDecoderConfig shape = AutoPlan.decoder(Arrays.stream(sizes).boxed().toList(), wishes);
    FieldDecoder decoder =
        new FieldDecoder(wishes.randomOrders() ? shape.inAnyOrder(columns()) : shape);
    Optional<FolderCheckpoints.SavedPlan> earlier =
        checkpoints.plan().filter(saved -> saved.fingerprint().equals(examples.fingerprint()));
    try (Fetched fetched = new Fetched(configuration)) {
      TrainingPlan plan;
      double speed = Double.NaN;
      if (earlier.isPresent()) {
        plan = earlier.get().plan().withMaxSeconds(wishes.maxSeconds());
      } else {
        checkpoints.clear();
        TrainingPlan wanted =
            AutoPlan.plan(examples.records() - holdout, codec.positions(), wishes, seed);
        TokenStore first = fetched.atLeast(before(wanted) + firstRecords);
        speed =
            new EmbeddedTrainer(decoder, first, holdout, wanted, checkpoints, teller, workers)
                .measureSpeed();
        plan = AutoPlan.withinTime(wanted, speed);
        checkpoints.write(new FolderCheckpoints.SavedPlan(examples.fingerprint(), plan));
      }
      TokenStore store = fetched.atLeast(before(plan) + Math.max(firstRecords, seen(plan)));
      checkpoints.fence();
      teller.onPlan(plan, decoder.layout().size(), speed, earlier.isPresent());
      EmbeddedTrainer.Outcome outcome =
          new EmbeddedTrainer(decoder, store, holdout, plan, checkpoints, teller, workers).train();
      checkpoints.requireCurrent();
      ModelFolder.Manifest manifest =
          new ModelFolder(configuration, new Path(modelFolder))
              .write(decoder, outcome.weights(), codec, examples.fingerprint());
      checkpoints.clear();
      double bits = outcome.bestBits();
      return new Outcome(
          manifest.sha256().get(ModelFolder.WEIGHTS),
          Double.isFinite(bits) ? bits : null,
          outcome.last().step(),
          (double) outcome.last().step() * plan.batchSize() / plan.records(),
          outcome.seconds(),
          decoder.layout().size(),
          ComputeDevice.CPU.words(),
          outcome.ended());
    }
  }

  /** Positions of each column. */
  private List<Integer> columns() {
    return IntStream.range(0, codec.columns()).map(codec::positionsOf).boxed().toList();
  }

  /** Records that come before those of training. */
  private long before(TrainingPlan plan) {
    return holdout + plan.validationRecords();
  }

  /** Training records that a schedule comes to see; fewer than there are when time cuts it. */
  private static long seen(TrainingPlan plan) {
    return Math.min(plan.records(), plan.steps() * plan.batchSize());
  }

  /**
   * The examples on the local disk: the first ones, which are a random sample, as many as are
   * needed. A table of a billion rows is not copied for a training that sees some millions.
   */
  private final class Fetched implements AutoCloseable {
    private final Configuration configuration;
    private TokenStore store;

    Fetched(Configuration configuration) {
      this.configuration = configuration;
    }

    TokenStore atLeast(long wanted) {
      long most = Math.min(wanted, examples.records());
      if (store == null || store.records() < most) {
        close();
        store = fetch(most);
      }
      return store;
    }

    private TokenStore fetch(long most) {
      try (TokenStore.Writer writer = TokenStore.create(localFolder(), examples.positions())) {
        Path folder = new Path(examplesFolder);
        ExamplesReader.read(configuration, folder, examples, most, writer::add);
        return writer.finish();
      } catch (IOException e) {
        throw Faults.reading(new Path(examplesFolder), e);
      }
    }

    @Override
    public void close() {
      if (store != null) {
        store.close();
        store = null;
      }
    }
  }

  /**
   * Spark's own folder on the local disk: the executor's working folder, the driver's temporary
   * one.
   */
  static java.nio.file.Path localFolder() {
    return Paths.get(
        SparkEnv.get() == null
            ? System.getProperty("java.io.tmpdir")
            : SparkFiles.getRootDirectory());
  }
}
