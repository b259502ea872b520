package org.safesynth.train;

import java.io.Serializable;

/**
 * Settings of the training of an adapter, all of them decided before it starts.
 *
 * @param examples training examples, in the order in which they are seen, repetitions included
 * @param validationExamples examples behind them that are held back for the validation loss
 * @param batchSize examples of a forward pass, the unit that a worker takes
 * @param accumulation forward passes of a step
 * @param weightDecay of the adapter's matrices
 * @param maxGradientNorm to which a step's gradient is clipped; infinite leaves it
 * @param validationSteps steps between validation losses
 * @param followsLoss whether the learning rate starts at the first step's and falls when the
 *     validation loss does not, as {@link PlateauRate} has it
 * @param recomputesBlocks whether blocks are computed again on the way back to save memory
 */
public record LoraPlan(
    long examples,
    long validationExamples,
    int batchSize,
    int accumulation,
    double weightDecay,
    double maxGradientNorm,
    int validationSteps,
    boolean followsLoss,
    boolean recomputesBlocks)
    implements Serializable {
  /** Momentum of AdamW, as Hugging Face's Trainer has it. */
  static final double BETA_1 = 0.9;

  /** Second momentum of AdamW. */
  static final double BETA_2 = 0.999;

  public LoraPlan {
    if (examples < 1 || batchSize < 1 || accumulation < 1 || validationSteps < 1) {
      throw new IllegalArgumentException("a plan has at least one example, batch, pass and step");
    }
  }

  /** Examples of a step. */
  public long stepExamples() {
    return (long) batchSize * accumulation;
  }

  /** Steps of the schedule; the last may have fewer examples. */
  public long steps() {
    return (examples + stepExamples() - 1) / stepExamples();
  }
}
