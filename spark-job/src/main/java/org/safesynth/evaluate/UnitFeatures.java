package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The attacks' view of a row: each column as one or several numbers between 0 and 1. A number
 * becomes its place among all values of the compared tables, a category the binary digits of its
 * number, as in the reference.
 */
final class UnitFeatures {
  private static final int QUANTILES = 1_000;

  private final List<double[][]> tables; // (tables)(rows, features)
  private final int[] starts; // (columns + 1) first feature of each column

  private UnitFeatures(List<double[][]> tables, int[] starts) {
    this.tables = tables;
    this.starts = starts;
  }

  /**
   * Turns the given columns of tables into features, all by the same rule.
   *
   * @param frames with the same columns
   * @param columns places of the columns
   */
  static UnitFeatures of(List<Frame> frames, int[] columns) {
    List<double[][]> features = new ArrayList<>(); // (features)(tables)(rows)
    int[] starts = new int[columns.length + 1];
    for (int c = 0; c < columns.length; c++) {
      int column = columns[c];
      List<FrameColumn> sides = frames.stream().map(frame -> frame.column(column)).toList();
      boolean isNumber = sides.stream().allMatch(FrameColumn::isNumber);
      if (isNumber) {
        features.add(ranks(sides));
      } else {
        features.addAll(digits(sides));
      }
      starts[c + 1] = features.size();
    }
    List<double[][]> tables = new ArrayList<>();
    for (int t = 0; t < frames.size(); t++) {
      double[][] rows = new double[frames.get(t).rows()][features.size()];
      for (int f = 0; f < features.size(); f++) {
        double[] values = features.get(f)[t];
        for (int row = 0; row < rows.length; row++) {
          rows[row][f] = values[row];
        }
      }
      tables.add(rows);
    }
    return new UnitFeatures(tables, starts);
  }

  /** (rows, features) of a table. */
  double[][] table(int table) {
    return tables.get(table);
  }

  /** The features of some columns of a row. */
  double[] pick(double[] row, int[] columns) {
    int width = 0;
    for (int column : columns) {
      width += starts[column + 1] - starts[column];
    }
    double[] picked = new double[width];
    int next = 0;
    for (int column : columns) {
      int length = starts[column + 1] - starts[column];
      System.arraycopy(row, starts[column], picked, next, length);
      next += length;
    }
    return picked;
  }

  /** Empirical quantiles of the values of all tables; a missing number counts as 0 among them. */
  private static double[][] ranks(List<FrameColumn> sides) {
    double[][] values = new double[sides.size()][];
    int total = 0;
    for (int t = 0; t < values.length; t++) {
      FrameColumn side = sides.get(t);
      values[t] = new double[side.rows()];
      for (int row = 0; row < values[t].length; row++) {
        values[t][row] = side.isMissing(row) ? 0 : side.number(row);
      }
      total += values[t].length;
    }
    double[] sorted = new double[total];
    int next = 0;
    for (double[] side : values) {
      System.arraycopy(side, 0, sorted, next, side.length);
      next += side.length;
    }
    Arrays.sort(sorted);
    double[] quantiles = quantiles(sorted);
    for (double[] side : values) {
      for (int row = 0; row < side.length; row++) {
        side[row] = place(side[row], quantiles);
      }
    }
    return values;
  }

  private static double[] quantiles(double[] sorted) {
    int count = Math.min(QUANTILES, sorted.length);
    double[] quantiles = new double[count];
    for (int q = 0; q < count; q++) {
      double position = count == 1 ? 0 : (double) q / (count - 1) * (sorted.length - 1);
      int low = (int) position;
      int high = Math.min(sorted.length - 1, low + 1);
      quantiles[q] = sorted[low] + (position - low) * (sorted[high] - sorted[low]);
    }
    return quantiles;
  }

  /** Where a value lies among quantiles, 0 to 1; the middle of those that equal it. */
  static double place(double value, double[] quantiles) {
    int last = quantiles.length - 1;
    if (last == 0 || value <= quantiles[0]) {
      return 0;
    }
    if (value >= quantiles[last]) {
      return 1;
    }
    int below = lowerBound(quantiles, value); // first quantile >= value, at least 1
    if (quantiles[below] == value) {
      int above = below;
      while (above < last && quantiles[above + 1] == value) {
        above++;
      }
      return (below + above) / 2.0 / last;
    }
    double low = quantiles[below - 1];
    double part = (value - low) / (quantiles[below] - low);
    return (below - 1 + part) / last;
  }

  private static int lowerBound(double[] sorted, double value) {
    int low = 0;
    int high = sorted.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (sorted[middle] < value) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Categories are numbered from 1 by first appearance, a missing one among them. */
  private static List<double[][]> digits(List<FrameColumn> sides) {
    Map<String, Integer> numbers = new HashMap<>();
    List<int[]> codes = new ArrayList<>();
    for (FrameColumn side : sides) {
      int[] code = new int[side.rows()];
      for (int row = 0; row < code.length; row++) {
        String text = side.isMissing(row) ? Categories.MISSING : side.text(row);
        Integer next = numbers.size() + 1;
        Integer known = numbers.putIfAbsent(text, next);
        code[row] = known == null ? next : known;
      }
      codes.add(code);
    }
    int width = Integer.SIZE - Integer.numberOfLeadingZeros(numbers.size());
    List<double[][]> digits = new ArrayList<>();
    for (int digit = width - 1; digit >= 0; digit--) {
      double[][] values = new double[codes.size()][];
      for (int t = 0; t < values.length; t++) {
        int bit = digit;
        values[t] = Arrays.stream(codes.get(t)).mapToDouble(code -> (code >> bit) & 1).toArray();
      }
      digits.add(values);
    }
    return digits;
  }
}
