package org.safesynth.train;

import org.safesynth.model.GroupDecoder;
import org.safesynth.privacy.SecretStreams;

/** Sets {@link EmbeddedTrainer} up for whole groups. */
public final class GroupTraining {
  private GroupTraining() {}

  /**
   * A trainer of groups.
   *
   * @param groups the validation groups, then the training groups
   */
  public static EmbeddedTrainer trainer(
      GroupDecoder decoder,
      GroupStore groups,
      TrainingPlan plan,
      CheckpointStore checkpoints,
      TrainingListener listener,
      int workers) {
    return new EmbeddedTrainer(
        new GroupLessons(decoder, groups, plan), plan, checkpoints, listener, workers);
  }

  /**
   * A private trainer, whose privacy units are the groups.
   *
   * @param groups the training groups alone, each whole: a window that is drawn and clipped by
   *     itself would hide a part of a group only
   * @param mostRows of a group, as it is known without looking at them
   * @param streams of this process alone
   */
  public static PrivateTrainer privateTrainer(
      GroupDecoder decoder,
      GroupStore groups,
      int mostRows,
      PrivatePlan plan,
      SecretStreams streams,
      CheckpointStore checkpoints,
      TrainingListener listener,
      int workers) {
    if (groups.hasWindows()) {
      throw new IllegalArgumentException("a privacy unit is a whole group, not a window of one");
    }
    return new PrivateTrainer(
        new GroupClipping(decoder, groups, plan.clipNorm(), mostRows),
        decoder.layout(),
        groups.groups(),
        groups.positions(),
        plan,
        streams,
        checkpoints,
        listener,
        workers);
  }
}
