package org.safesynth.evaluate;

import java.util.Arrays;

/**
 * The bins in which {@link BoostedTrees} sees its features: a number by quantiles of the rows that
 * are learned from, a category by its code.
 *
 * @param edges (features, bins − 1) ascending; a number is in the bin after the edges that it
 *     exceeds; null of a category
 * @param codes (features) of a category, 0 of a number
 */
record TreeBins(double[][] edges, int[] codes) {
  /** A bin's number fits a signed byte. */
  static final int MOST = 128;

  /**
   * @param rows (rows, features)
   * @param codes (features) number of codes of a category, 0 of a number
   */
  static TreeBins of(double[][] rows, int[] codes) {
    double[][] edges = new double[codes.length][];
    for (int f = 0; f < codes.length; f++) {
      int feature = f;
      if (codes[f] > MOST) {
        throw new IllegalArgumentException("%d codes are too many".formatted(codes[f]));
      }
      edges[f] =
          codes[f] > 0 ? null : edges(Arrays.stream(rows).mapToDouble(r -> r[feature]).toArray());
    }
    return new TreeBins(edges, codes.clone());
  }

  /** Between distinct values where there are few, else between quantiles. */
  private static double[] edges(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    double[] distinct = Arrays.stream(sorted).distinct().toArray();
    if (distinct.length <= MOST) {
      double[] edges = new double[Math.max(0, distinct.length - 1)];
      Arrays.setAll(edges, i -> distinct[i] + (distinct[i + 1] - distinct[i]) / 2);
      return edges;
    }
    double[] edges = new double[MOST - 1];
    Arrays.setAll(edges, i -> sorted[(int) ((i + 1L) * sorted.length / MOST)]);
    return Arrays.stream(edges).distinct().toArray();
  }

  int features() {
    return codes.length;
  }

  boolean isCategory(int feature) {
    return codes[feature] > 0;
  }

  /** Bins of a feature. */
  int count(int feature) {
    return isCategory(feature) ? codes[feature] : edges[feature].length + 1;
  }

  /** (features) of one row. */
  byte[] bin(double[] row) {
    byte[] binned = new byte[row.length];
    for (int f = 0; f < row.length; f++) {
      binned[f] = bin(f, row[f]);
    }
    return binned;
  }

  /** (features, rows). */
  byte[][] columns(double[][] rows) {
    byte[][] columns = new byte[features()][rows.length];
    for (int f = 0; f < columns.length; f++) {
      for (int row = 0; row < rows.length; row++) {
        columns[f][row] = bin(f, rows[row][f]);
      }
    }
    return columns;
  }

  private byte bin(int feature, double value) {
    if (isCategory(feature)) {
      return (byte) value;
    }
    int place = Arrays.binarySearch(edges[feature], value);
    return (byte) (place >= 0 ? place : -place - 1);
  }
}
