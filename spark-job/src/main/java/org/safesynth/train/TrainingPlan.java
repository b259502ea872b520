package org.safesynth.train;

import java.io.Serializable;

/**
 * Settings of a training run of the embedded model, all of them decided before it starts.
 *
 * @param records training records
 * @param validationRecords records held back for the validation loss; 0: no early stop
 * @param batchSize records of a step
 * @param microBatchSize records that a worker takes at a time; fixed, whatever the workers
 * @param steps length of the learning-rate schedule
 * @param evaluationSteps steps between validation losses
 * @param patience evaluations without a lower loss that end training
 * @param learningRate greatest learning rate
 * @param warmupSteps steps of linear warm-up
 * @param weightDecay of matrices
 * @param mostMasked greatest share of input tokens that is masked in a record
 * @param averageDecay of the weights' exponential moving average
 * @param seed of everything that is drawn
 * @param maxSeconds training stops after this time; best weights are kept
 */
public record TrainingPlan(
    long records,
    long validationRecords,
    int batchSize,
    int microBatchSize,
    long steps,
    int evaluationSteps,
    int patience,
    double learningRate,
    long warmupSteps,
    double weightDecay,
    double mostMasked,
    double averageDecay,
    long seed,
    double maxSeconds)
    implements Serializable {
  private static final double BETA_1 = 0.9;
  private static final double BETA_2 = 0.98;

  /** Momentum of AdamW. */
  public double beta1() {
    return BETA_1;
  }

  /** Second momentum of AdamW. */
  public double beta2() {
    return BETA_2;
  }

  /** Learning rate of a step (from 0): linear warm-up, then a cosine to 0. */
  public double learningRateAt(long step) {
    if (step < warmupSteps) {
      return learningRate * (step + 1) / warmupSteps;
    }
    double done = (step - warmupSteps) / (double) Math.max(1, steps - warmupSteps);
    return learningRate * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, done)));
  }

  /** Decay of the moving average after a step (from 0): short at first. */
  public double averageDecayAt(long step) {
    return Math.min(averageDecay, (step + 1.0) / (step + 10.0));
  }

  /** The same plan with another time limit. */
  public TrainingPlan withMaxSeconds(double seconds) {
    return new TrainingPlan(
        records,
        validationRecords,
        batchSize,
        microBatchSize,
        steps,
        evaluationSteps,
        patience,
        learningRate,
        warmupSteps,
        weightDecay,
        mostMasked,
        averageDecay,
        seed,
        seconds);
  }

  /** Passes over the training records that the schedule plans. */
  public double passes() {
    return (double) steps * batchSize / records;
  }
}
