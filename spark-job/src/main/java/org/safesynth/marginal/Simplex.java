package org.safesynth.marginal;

import java.util.Arrays;

/** Makes noisy counts counts again: none negative, with a known sum. */
public final class Simplex {
  private Simplex() {}

  /**
   * The nearest vector (in L2) that is not negative and sums to {@code total}: everything is
   * lowered by one number and cut at zero (Duchi et al. 2008). Cutting alone would let the noise of
   * empty cells add up to rows that nobody is.
   */
  public static double[] project(double[] noisy, double total) {
    double[] sorted = noisy.clone();
    Arrays.sort(sorted);
    double sum = 0;
    double lower = 0;
    for (int kept = 1; kept <= sorted.length; kept++) {
      double next = sorted[sorted.length - kept];
      double candidate = (sum + next - total) / kept;
      if (kept > 1 && candidate >= next) {
        break;
      }
      sum += next;
      lower = candidate;
    }
    double[] projected = new double[noisy.length];
    for (int i = 0; i < noisy.length; i++) {
      projected[i] = Math.max(0, noisy[i] - lower);
    }
    return projected;
  }
}
