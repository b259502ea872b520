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
 * @param noiseMultiplier σ: the noise deviates by σ times {@code clipNorm}
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
