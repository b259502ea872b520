package org.safesynth.train;

import org.safesynth.model.GroupDecoder;

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
}
