package org.safesynth.evaluate;

import java.util.Arrays;

/**
 * Equal bins over the range of two samples; their number is Doane's (1976), as numpy computes it.
 */
final class NumericBins {
  private static final int MOST_EDGES = 500;

  private final double[] edges; // (bins + 1)

  private NumericBins(double[] edges) {
    this.edges = edges;
  }

  /**
   * Bins for two samples.
   *
   * @param real finite numbers
   * @param synthetic likewise; one of both has a number at least
   */
  static NumericBins doane(double[] real, double[] synthetic) {
    double[] all = Arrays.copyOf(real, real.length + synthetic.length);
    System.arraycopy(synthetic, 0, all, real.length, synthetic.length);
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (double x : all) {
      min = Math.min(min, x);
      max = Math.max(max, x);
    }
    double width = doaneWidth(all, max - min);
    double bins = width > 0 ? Math.ceil((max - min) / width) : 1;
    return equal(min, max, bins + 1 > MOST_EDGES ? MOST_EDGES : (int) Math.max(1, bins));
  }

  /** Bins of one width; an empty range is widened by a half to each side. */
  static NumericBins equal(double min, double max, int bins) {
    double low = min == max ? min - 0.5 : min;
    double high = min == max ? max + 0.5 : max;
    double[] edges = new double[bins + 1];
    double step = (high - low) / bins;
    for (int edge = 0; edge < bins; edge++) {
      edges[edge] = low + edge * step;
    }
    edges[bins] = high;
    return new NumericBins(edges);
  }

  private static double doaneWidth(double[] x, double range) {
    double n = x.length;
    if (n <= 2) {
      return 0;
    }
    double mean = 0;
    for (double value : x) {
      mean += value / n;
    }
    double variance = 0;
    for (double value : x) {
      variance += (value - mean) * (value - mean) / n;
    }
    double sigma = Math.sqrt(variance);
    if (!(sigma > 0)) {
      return 0;
    }
    double skewness = 0;
    for (double value : x) {
      double z = (value - mean) / sigma;
      skewness += z * z * z / n;
    }
    double spread = Math.sqrt(6 * (n - 2) / ((n + 1) * (n + 3)));
    double log2 = Math.log(2);
    return range / (1 + Math.log(n) / log2 + Math.log(1 + Math.abs(skewness) / spread) / log2);
  }

  double[] edges() {
    return edges.clone();
  }

  /** Counts numbers; a bin is closed to the right, the first one to both sides. */
  double[] count(double[] numbers) {
    double[] counts = new double[edges.length - 1];
    for (double x : numbers) {
      int place = Arrays.binarySearch(edges, x);
      int bin = place >= 0 ? place - 1 : -place - 2;
      counts[Math.max(0, Math.min(counts.length - 1, bin))]++;
    }
    return counts;
  }
}
