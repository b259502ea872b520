package org.safesynth.privacy;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/** Tests of distributions, for tests of samplers. */
final class Statistics {
  private Statistics() {}

  /** The upper quantile of chi-square with 11 degrees of freedom, Wilson and Hilferty 1931. */
  static double chiSquareQuantile(double level) {
    return chiSquareQuantile(11, level);
  }

  static double chiSquareQuantile(int degrees, double level) {
    double z = normalUpper(level);
    double c = 2.0 / (9 * degrees);
    return degrees * Math.pow(1 - c + z * Math.sqrt(c), 3);
  }

  /** √n times the largest distance between the sample's and the given distribution function. */
  static double kolmogorov(double[] sample, DoubleUnaryOperator distribution) {
    double[] sorted = sample.clone();
    Arrays.sort(sorted);
    double largest = 0;
    int n = sorted.length;
    for (int i = 0; i < n; i++) {
      double f = distribution.applyAsDouble(sorted[i]);
      largest = Math.max(largest, Math.max((i + 1.0) / n - f, f - (double) i / n));
    }
    return largest * Math.sqrt(n);
  }

  /** Where Kolmogorov's distribution has this much above it (first term of its series). */
  static double kolmogorovQuantile(double level) {
    return Math.sqrt(-Math.log(level / 2) / 2);
  }

  /** Φ, to 1e-13, by its Taylor series around 0 (Marsaglia 2004). */
  static double normal(double x) {
    if (x < -9) {
      return 0;
    }
    if (x > 9) {
      return 1;
    }
    double sum = x;
    double term = x;
    for (int i = 3; sum + term != sum; i += 2) {
      term *= x * x / i;
      sum += term;
    }
    return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  private static double normalUpper(double level) {
    double low = 0;
    double high = 9;
    for (int i = 0; i < 80; i++) {
      double middle = (low + high) / 2;
      if (1 - normal(middle) > level) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
