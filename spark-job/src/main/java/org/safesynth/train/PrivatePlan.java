package org.safesynth.train;

import java.io.Serializable;
import org.safesynth.privacy.NoiseMultiplier;
import org.safesynth.privacy.SamplingRate;

/**
 * Settings of differentially private training, all of them fixed before the first step and none of
 * them a function of the exact number of records.
 *
 * @param samplingRate q, by which each record enters each step
 * @param expectedBatch q times the public or noisy number of records; gradients are divided by it
 * @param noiseMultiplier σ: the noise deviates by σ times {@link #sensitivity}
 * @param clipNorm C, the greatest L2 norm of one record's gradient
 * @param steps number of steps: neither a loss nor the clock changes it
 * @param microBatchSize records that a worker takes at a time, whatever was drawn
 * @param learningRate greatest learning rate
 * @param warmupSteps steps of linear warm-up
 * @param weightDecay of matrices
 * @param averageDecay of the weights' exponential moving average
 */
public record PrivatePlan(
    SamplingRate samplingRate,
    double expectedBatch,
    NoiseMultiplier noiseMultiplier,
    double clipNorm,
    long steps,
    int microBatchSize,
    double learningRate,
    long warmupSteps,
    double weightDecay,
    double averageDecay)
    implements Serializable {
  private static final double SLACK = 0x1p-10;

  /**
   * By how much one unit is taken to move the sum that noise is added to: C and a little more. The
   * noise deviates by σ times this, and σ is on the ledger.
   *
   * <p>A unit's own part of the sum never exceeds C, roundings included (see {@code GhostNorms}),
   * and the factor of another one does not depend on who else was drawn. What a further unit moves
   * besides are roundings: those after it come to lie in other micro-batches, where matrix products
   * of another shape may round otherwise and sums in float32 go through other partial sums; and the
   * sum is rounded to the noise's grid, by √P · grid, below 2^-20 σC up to 2^32 parameters. The
   * first of these has no useful bound in the worst case, where all roundings of all units would
   * lie in one direction (about 2γ · units · C); they are rounding errors of some thousand products
   * of either sign. Tests with a thousand records, across a number at which all micro-batches are
   * cut anew, and with five hundred groups, where a long one does so, hold what a further unit
   * moves besides its own part below a sixteenth of the slack; it is a hundredth. Sums of adapters
   * are exact and need none of it.
   */
  public double sensitivity() {
    return sensitivity(clipNorm);
  }

  static double sensitivity(double clipNorm) {
    return clipNorm * (1 + SLACK);
  }

  /** Learning rate of a step (from 0): linear warm-up, then a cosine to a tenth. */
  public double learningRateAt(long step) {
    if (step < warmupSteps) {
      return learningRate * (step + 1) / warmupSteps;
    }
    double done = (step - warmupSteps) / (double) Math.max(1, steps - warmupSteps);
    return learningRate * (0.1 + 0.45 * (1 + Math.cos(Math.PI * Math.min(1, done))));
  }

  /** The same plan with another greatest learning rate, which costs no privacy. */
  public PrivatePlan withLearningRate(double rate) {
    return new PrivatePlan(
        samplingRate,
        expectedBatch,
        noiseMultiplier,
        clipNorm,
        steps,
        microBatchSize,
        rate,
        warmupSteps,
        weightDecay,
        averageDecay);
  }

  /** Decay of the moving average after a step (from 0): short at first. */
  public double averageDecayAt(long step) {
    return Math.min(averageDecay, (step + 1.0) / (step + 10.0));
  }
}
