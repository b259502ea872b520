package org.safesynth.train;

/**
 * The rule for differentially private training of an adapter where the user sets nothing: from the
 * public or noisy number of records and what the user wants to spend, nothing else.
 *
 * <p>The work is given, {@code training.num_input_records_to_sample}; it is cut into few steps of
 * many records, since the noise of a step is divided by its batch. The pretrained model and the
 * rows of the noisy marginals have taught the adapter most before the first record is seen.
 */
public final class PrivateAdapterAutoPlan {
  private static final long STEPS = 50;
  private static final double LEAST_BATCH = 32;
  private static final double MOST_RATE = 0.5;
  private static final double CLEAR = 3;

  private PrivateAdapterAutoPlan() {}

  /**
   * Expected records of a step, at most half of all.
   *
   * @param records public or noisy number of records
   * @param seen records seen in all steps together
   * @param asked by the user, or null
   */
  public static double batch(double records, double seen, Integer asked) {
    double wanted = asked == null ? Math.max(LEAST_BATCH, seen / STEPS) : asked;
    return Math.min(wanted, Math.max(1, MOST_RATE * records));
  }

  /**
   * Greatest learning rate of private steps.
   *
   * <p>AdamW makes steps of the same length whether a gradient is signal or noise. Over T steps,
   * the clipped gradients of B records add up to at most B·T·C, and the noise to about σC·√(T·P).
   * Where this ratio is below {@link #CLEAR}, private steps would undo more of what the adapter has
   * learned before than they teach it, and the rate is lowered in proportion.
   *
   * @param highest the rate without noise
   * @param parameters P
   */
  public static double learningRate(double highest, PrivatePlan plan, long parameters) {
    double signal = plan.expectedBatch() * Math.sqrt(plan.steps());
    double noise = plan.noiseMultiplier().value() * Math.sqrt(parameters);
    return highest * Math.min(1, signal / noise / CLEAR);
  }

  /** Number of steps in which about so many records are seen. */
  public static long steps(double seen, double batch) {
    return Math.max(1, Math.round(seen / batch));
  }
}
