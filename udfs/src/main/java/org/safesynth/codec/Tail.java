package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.Serializable;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * A generalised Pareto tail beyond a threshold, drawn from only within an interval, so that it
 * never passes the range's end.
 *
 * <p>Fitted by probability-weighted moments (Hosking and Wallis 1987, section 3): with the mean a0
 * of the exceedances and a1 = E[x(1 − F(x))], shape ξ = 2 − a0 / (a0 − 2·a1) and scale σ = 2·a0·a1
 * / (a0 − 2·a1).
 *
 * @param threshold tick where the tail starts
 * @param upper whether it runs upwards from there
 * @param scale σ in ticks
 * @param shape ξ; positive is heavy
 */
record Tail(
    @JsonProperty("threshold") long threshold,
    @JsonProperty("upper") boolean upper,
    @JsonProperty("scale") double scale,
    @JsonProperty("shape") double shape)
    implements Serializable {
  private static final double LEAST_SHAPE = -0.5;
  private static final double GREATEST_SHAPE = 0.9;

  /**
   * Fits a tail.
   *
   * @param exceedances distances from the threshold in ticks, each at least 0, one a record
   * @return null when they do not spread
   */
  static Tail fit(long threshold, boolean upper, double[] exceedances) {
    double[] x = exceedances.clone();
    Arrays.sort(x);
    int n = x.length;
    double a0 = 0;
    double a1 = 0;
    for (int i = 0; i < n; i++) {
      a0 += x[i] / n;
      a1 += x[i] * (n - 1 - i) / ((double) n * (n - 1));
    }
    double spread = a0 - 2 * a1;
    if (n < 2 || !(spread > 0) || !(a1 > 0)) {
      return null;
    }
    double shape = Math.max(LEAST_SHAPE, Math.min(GREATEST_SHAPE, 2 - a0 / spread));
    double scale = a0 * (1 - shape); // the mean of the tail stays that of the data
    return new Tail(threshold, upper, scale, shape);
  }

  /** Whether the interval lies wholly in the tail. */
  boolean covers(long low, long high) {
    return upper ? low >= threshold : high <= threshold;
  }

  /** A tick of the closed interval, with the tail's density. */
  long draw(long low, long high, RandomGenerator random) {
    double near = upper ? (double) low - threshold : (double) threshold - high;
    double far = upper ? (double) high - threshold + 1 : (double) threshold - low + 1;
    double from = survival(near);
    double to = survival(far);
    double distance = inverseSurvival(to + random.nextDouble() * (from - to));
    long tick = upper ? threshold + (long) distance : threshold - (long) distance;
    return Math.max(low, Math.min(high, tick));
  }

  private double survival(double distance) {
    if (Math.abs(shape) < 1e-9) {
      return Math.exp(-distance / scale);
    }
    return Math.pow(Math.max(0, 1 + shape * distance / scale), -1 / shape);
  }

  private double inverseSurvival(double probability) {
    if (Math.abs(shape) < 1e-9) {
      return -scale * Math.log(probability);
    }
    return scale / shape * (Math.pow(probability, -shape) - 1);
  }
}
