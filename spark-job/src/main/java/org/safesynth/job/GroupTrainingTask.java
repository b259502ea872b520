package org.safesynth.job;

import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.codec.GroupCodec;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.GroupDecoder;
import org.safesynth.train.AutoPlan;
import org.safesynth.train.EmbeddedTrainer;
import org.safesynth.train.GroupStore;
import org.safesynth.train.GroupTraining;
import org.safesynth.train.TokenStore;
import org.safesynth.train.TrainingPlan;

/** As {@link TrainingTask}, for whole groups. */
final class GroupTrainingTask implements Training {
  private final SerializableConfiguration hadoop;
  private final String examplesFolder;
  private final ExamplesManifest examples;
  private final String checkpointsFolder;
  private final String modelFolder;
  private final GroupCodec codec;
  private final AutoPlan.Wishes wishes;
  private final long holdout;
  private final long validation;
  private final long seed;

  GroupTrainingTask(
      Configuration hadoop,
      RunFolder folder,
      ExamplesManifest examples,
      GroupCodec codec,
      AutoPlan.Wishes wishes,
      Split split,
      long seed) {
    this.hadoop = new SerializableConfiguration(hadoop);
    this.examplesFolder = folder.examples().toString();
    this.examples = examples;
    this.checkpointsFolder = folder.checkpoints().toString();
    this.modelFolder = folder.model().toString();
    this.codec = codec;
    this.wishes = wishes;
    this.holdout = split.holdout();
    this.validation = split.validation();
    this.seed = seed;
  }

  @Override
  public TrainingTask.Outcome run(int workers, TrainingTask.Teller teller) {
    Configuration configuration = hadoop.value();
    FolderCheckpoints checkpoints =
        new FolderCheckpoints(configuration, new Path(checkpointsFolder));
    double count = examples.records() / codec.layout().meanRows();
    GroupDecoder decoder =
        new GroupDecoder(
            AutoPlan.groupDecoder(sizes(), features(), count, codec.layout().meanRows(), wishes));
    try (TokenStore store = store(configuration)) {
      GroupStore groups =
          new GroupStore(
              store,
              codec.layout().features(null),
              holdout,
              codec.onlyFirst(),
              codec.neverFirst(),
              codec.markerPosition(),
              GroupStore.Windows.USUAL);
      Optional<FolderCheckpoints.SavedPlan> earlier =
          checkpoints.plan().filter(saved -> saved.fingerprint().equals(examples.fingerprint()));
      TrainingPlan plan;
      double speed = Double.NaN;
      if (earlier.isPresent()) {
        plan = earlier.get().plan().withMaxSeconds(wishes.maxSeconds());
      } else {
        checkpoints.clear();
        TrainingPlan wanted =
            AutoPlan.groupPlan(
                groups.groups(), groups.groupsOf(validation), groups.meanRows(), wishes, seed);
        speed =
            GroupTraining.trainer(decoder, groups, wanted, checkpoints, teller, workers)
                .measureSpeed();
        plan = AutoPlan.withinTime(wanted, speed);
        checkpoints.write(new FolderCheckpoints.SavedPlan(examples.fingerprint(), plan));
      }
      checkpoints.fence();
      teller.onPlan(plan, decoder.layout().size(), speed, earlier.isPresent());
      EmbeddedTrainer.Outcome outcome =
          GroupTraining.trainer(decoder, groups, plan, checkpoints, teller, workers).train();
      checkpoints.requireCurrent();
      ModelFolder.Manifest manifest =
          new GroupModelFolder(configuration, new Path(modelFolder))
              .write(decoder, outcome.weights(), codec, examples.fingerprint());
      checkpoints.clear();
      double bits = outcome.bestBits();
      return new TrainingTask.Outcome(
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

  private java.util.List<Integer> sizes() {
    int[] sizes = new int[codec.fields().positions()];
    Arrays.setAll(sizes, codec.fields()::vocabularySize);
    return Arrays.stream(sizes).boxed().toList();
  }

  private int features() {
    return codec.layout().featureRows();
  }

  private TokenStore store(Configuration configuration) {
    try (TokenStore.Writer writer =
        TokenStore.create(TrainingTask.localFolder(), examples.positions())) {
      Path folder = new Path(examplesFolder);
      ExamplesReader.read(configuration, folder, examples, writer::add);
      return writer.finish();
    } catch (IOException e) {
      throw Faults.reading(new Path(examplesFolder), e);
    }
  }
}
