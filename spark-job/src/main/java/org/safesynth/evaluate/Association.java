package org.safesynth.evaluate;

import java.util.Arrays;

/** How strongly two columns of a sample belong together. */
final class Association {
  private static final int MOST_TABLE_CELLS = 1 << 20;

  private Association() {}

  /** Pearson's correlation over rows that have both numbers; 0 when either is constant. */
  static double pearson(double[] x, double[] y) {
    long n = 0;
    double meanX = 0;
    double meanY = 0;
    for (int row = 0; row < x.length; row++) {
      if (!Double.isNaN(x[row]) && !Double.isNaN(y[row])) {
        n++;
        meanX += x[row];
        meanY += y[row];
      }
    }
    if (n < 2) {
      return 0;
    }
    meanX /= n;
    meanY /= n;
    double xx = 0;
    double yy = 0;
    double xy = 0;
    for (int row = 0; row < x.length; row++) {
      if (!Double.isNaN(x[row]) && !Double.isNaN(y[row])) {
        xx += (x[row] - meanX) * (x[row] - meanX);
        yy += (y[row] - meanY) * (y[row] - meanY);
        xy += (x[row] - meanX) * (y[row] - meanY);
      }
    }
    return xx == 0 || yy == 0 ? 0 : Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
  }

  /**
   * The correlation ratio: which part of a number's spread lies between the categories.
   *
   * @param codes (rows) categories, below 0 when missing
   * @param values (rows) NaN when missing
   */
  static double correlationRatio(int[] codes, double[] values) {
    int categories = 1 + Arrays.stream(codes).max().orElse(0);
    double[] sums = new double[categories];
    long[] counts = new long[categories];
    double total = 0;
    long n = 0;
    for (int row = 0; row < codes.length; row++) {
      if (codes[row] >= 0 && !Double.isNaN(values[row])) {
        sums[codes[row]] += values[row];
        counts[codes[row]]++;
        total += values[row];
        n++;
      }
    }
    if (n < 2) {
      return 0;
    }
    double mean = total / n;
    double between = 0;
    for (int c = 0; c < categories; c++) {
      if (counts[c] > 0) {
        double apart = sums[c] / counts[c] - mean;
        between += counts[c] * apart * apart;
      }
    }
    double all = 0;
    for (int row = 0; row < codes.length; row++) {
      if (codes[row] >= 0 && !Double.isNaN(values[row])) {
        all += (values[row] - mean) * (values[row] - mean);
      }
    }
    return between == 0 || all == 0 ? 0 : Math.sqrt(Math.min(1, between / all));
  }

  /**
   * Theil's U: which part of the entropy of x knowing y takes away; 1 when x has no entropy.
   *
   * @param x (rows) categories, below 0 when missing
   * @param y (rows) likewise
   */
  static double theilsU(int[] x, int[] y) {
    int sizeX = 1 + Arrays.stream(x).max().orElse(0);
    int sizeY = 1 + Arrays.stream(y).max().orElse(0);
    long[] countsX = new long[sizeX];
    long[] countsY = new long[sizeY];
    long[] cells = new long[x.length];
    int n = 0;
    for (int row = 0; row < x.length; row++) {
      if (x[row] >= 0 && y[row] >= 0) {
        countsX[x[row]]++;
        countsY[y[row]]++;
        cells[n++] = (long) y[row] * sizeX + x[row];
      }
    }
    double entropy = entropy(countsX, n);
    if (entropy == 0) {
      return 1;
    }
    double joint = jointEntropy(cells, n, (long) sizeX * sizeY);
    double given = joint - entropy(countsY, n); // H(x|y) = H(x,y) − H(y)
    return Math.max(0, Math.min(1, (entropy - given) / entropy));
  }

  /** Entropy of counts, in nats. */
  static double entropy(long[] counts, long n) {
    double entropy = 0;
    for (long count : counts) {
      if (count > 0) {
        double share = (double) count / n;
        entropy -= share * Math.log(share);
      }
    }
    return entropy;
  }

  private static double jointEntropy(long[] cells, int n, long size) {
    if (size <= MOST_TABLE_CELLS) {
      long[] counts = new long[(int) size];
      for (int i = 0; i < n; i++) {
        counts[(int) cells[i]]++;
      }
      return entropy(counts, n);
    }
    Arrays.sort(cells, 0, n);
    double entropy = 0;
    int begin = 0;
    for (int i = 1; i <= n; i++) {
      if (i == n || cells[i] != cells[begin]) {
        double share = (double) (i - begin) / n;
        entropy -= share * Math.log(share);
        begin = i;
      }
    }
    return entropy;
  }
}
