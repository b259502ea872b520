package org.safesynth.job;

import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.codec.GroupCodec;
import org.safesynth.generate.Endings;
import org.safesynth.model.GroupDecoder;
import org.safesynth.model.GroupDecoderConfig;
import org.safesynth.privacy.SecretStreams;
import org.safesynth.random.SeededStreams;
import org.safesynth.train.AutoPlan;
import org.safesynth.train.Checkpoint;
import org.safesynth.train.GroupStore;
import org.safesynth.train.GroupTraining;
import org.safesynth.train.PrivatePlan;
import org.safesynth.train.TokenStore;
import org.safesynth.train.TrainingListener;
import org.safesynth.train.TrainingPlan;

/**
 * As {@link PrivateTrainingTask}, for whole groups: the decoder learns groups drawn from the noisy
 * tables, which is free, then the real groups by DP-SGD.
 */
final class PrivateGroupTrainingTask implements Training {
  private static final double GROUPS_OF_A_GROUP = 1; // drawn from the noisy tables
  private static final int LEAST_GROUPS = 4_000;
  private static final int MOST_GROUPS = 40_000;
  private static final double PASSES = 6;
  private static final double MOST_SECONDS = 600;

  private final SerializableConfiguration hadoop;
  private final String examplesFolder;
  private final ExamplesManifest examples;
  private final String checkpointsFolder;
  private final String modelFolder;
  private final GroupCodec codec;
  private final GroupDecoderConfig shape;
  private final PrivatePlan plan;
  private final double[][] ones;
  private final GroupNetwork network;
  private final Endings endings;
  private final double count;
  private final long heldOut;
  private final long seed;

  /**
   * @param plan DP-SGD, or null to learn groups from the noisy tables alone
   * @param ones (positions, tokens) noisy counts, none negative
   * @param network noisy tables of pairs, or null to begin with what {@code ones} tell
   * @param endings how many groups end at each row, from their noisy sizes
   * @param count public or noisy number of groups to train on
   * @param heldOut rows at the start of the examples that are not trained on
   * @param seed of the weights at the start
   */
  PrivateGroupTrainingTask(
      Configuration hadoop,
      RunFolder folder,
      ExamplesManifest examples,
      GroupCodec codec,
      GroupDecoderConfig shape,
      PrivatePlan plan,
      double[][] ones,
      GroupNetwork network,
      Endings endings,
      double count,
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
    this.ones = ones;
    this.network = network;
    this.endings = endings;
    this.count = count;
    this.heldOut = heldOut;
    this.seed = seed;
  }

  /** As {@link PrivateTrainingTask#fingerprint}. */
  String fingerprint() {
    return LanguageTraining.digest(
        List.of(
            PrivateTrainingTask.SavedPlan.DP_SGD,
            examples.fingerprint(),
            String.valueOf(plan),
            shape,
            LanguageTraining.digest(Json.line(ones)),
            network == null,
            count,
            seed));
  }

  @Override
  public TrainingTask.Outcome run(int workers, TrainingTask.Teller teller) {
    long begin = System.nanoTime();
    Configuration configuration = hadoop.value();
    GroupDecoder decoder = new GroupDecoder(shape);
    FolderCheckpoints checkpoints =
        new FolderCheckpoints(configuration, new Path(checkpointsFolder));
    PrivateTrainingTask.requireSame(
        checkpoints,
        checkpointsFolder,
        new PrivateTrainingTask.SavedPlan(
            PrivateTrainingTask.SavedPlan.DP_SGD, examples.fingerprint(), plan));
    Optional<Checkpoint> newest = checkpoints.newest();
    float[] weights =
        newest.isPresent() ? newest.get().parameters() : initial(decoder, workers, teller);
    if (plan != null) {
      checkpoints.fence();
      weights = trainPrivately(configuration, decoder, weights, checkpoints, workers, teller);
      checkpoints.requireCurrent();
    }
    ModelFolder.Manifest manifest =
        new GroupModelFolder(configuration, new Path(modelFolder))
            .write(decoder, weights, codec, fingerprint(), endings);
    checkpoints.clear();
    return PrivateTrainingTask.outcome(manifest, plan, begin, decoder.layout().size());
  }

  private float[] trainPrivately(
      Configuration configuration,
      GroupDecoder decoder,
      float[] weights,
      FolderCheckpoints checkpoints,
      int workers,
      TrainingTask.Teller teller) {
    TrainingListener listener =
        teller.hearsLoss() ? teller : PrivateTrainingTask.withoutLoss(teller);
    Path folder = new Path(examplesFolder);
    try (TokenStore store = PrivateTrainingTask.realRows(configuration, folder, examples)) {
      GroupStore groups =
          new GroupStore(
              store,
              codec.layout().features(null),
              heldOut,
              codec.onlyFirst(),
              codec.neverFirst(),
              codec.markerPosition(),
              GroupStore.Windows.NONE);
      return GroupTraining.privateTrainer(
              decoder,
              groups,
              codec.layout().mostRows(),
              plan,
              SecretStreams.secure(),
              checkpoints,
              listener,
              workers)
          .train(weights)
          .best();
    }
  }

  /** Weights that no private group decided except through what was paid for. */
  private float[] initial(GroupDecoder decoder, int workers, TrainingListener listener) {
    if (network == null) {
      return ofSingleColumns(decoder);
    }
    int drawn = (int) Math.max(LEAST_GROUPS, Math.min(MOST_GROUPS, GROUPS_OF_A_GROUP * count));
    try (TokenStore store = network.draw(drawn, seed)) {
      GroupStore groups =
          new GroupStore(
              store,
              codec.layout().features(null),
              0,
              codec.onlyFirst(),
              codec.neverFirst(),
              codec.markerPosition(),
              GroupStore.Windows.NONE);
      int validation = drawn / 20;
      double rows = (double) groups.allRows() / groups.groups();
      AutoPlan.Wishes wishes =
          new AutoPlan.Wishes(
              null, null, null, null, 0, PASSES * drawn * rows, MOST_SECONDS, false);
      TrainingPlan pretraining = AutoPlan.groupPlan(drawn, validation, rows, wishes, seed);
      return GroupTraining.trainer(
              decoder,
              groups,
              pretraining,
              new PrivateTrainingTask.NoCheckpoints(),
              PrivateTrainingTask.ofDrawnRows(listener),
              workers)
          .train()
          .weights();
    }
  }

  /** The head's bias tells the noisy frequencies. */
  private float[] ofSingleColumns(GroupDecoder decoder) {
    long[] counts = new long[shape.row().totalVocabulary()];
    int[] offsets = shape.row().headOffsets();
    long most = 1;
    for (int t = 0; t < ones.length; t++) {
      long sum = 0;
      for (int token = 0; token < ones[t].length; token++) {
        counts[offsets[t] + token] = Math.round(ones[t][token]);
        sum += counts[offsets[t] + token];
      }
      most = Math.max(most, sum);
    }
    return decoder.initialParameters(
        counts, most, new SeededStreams(seed).stream(SeededStreams.Purpose.INITIAL_WEIGHTS));
  }
}
