package org.safesynth.train;

/**
 * All that training needs to go on as if it had not been interrupted.
 *
 * @param step steps done
 * @param seconds training time so far
 * @param evaluationsSinceBest evaluations without a lower validation loss
 * @param bestLoss least validation loss in nats a record; infinite before the first evaluation
 * @param bestStep step of it
 * @param planSteps the schedule's length
 * @param parameters (P)
 * @param momentum (P) AdamW's first moment
 * @param variance (P) AdamW's second moment
 * @param average (P) moving average of the weights
 * @param best (P) the average with the least validation loss
 * @param learningRate what a course that follows the validation loss has come to; 0 where the step
 *     alone decides
 */
public record Checkpoint(
    long step,
    double seconds,
    int evaluationsSinceBest,
    double bestLoss,
    long bestStep,
    long planSteps,
    float[] parameters,
    float[] momentum,
    float[] variance,
    float[] average,
    float[] best,
    double learningRate) {}
