package org.safesynth.evaluate;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Rows as trees take them, one feature a column: numbers as they are, categories as codes of the
 * real table's most frequent values, other texts by their length. A missing value is a category of
 * its own, or a number below all others.
 */
final class TreeFeatures {
  /** Codes of a category at most, two of which stand for missing and for all other values. */
  private static final int CODES = TreeBins.MOST;

  private final List<ColumnFeature> columns;

  private TreeFeatures(List<ColumnFeature> columns) {
    this.columns = columns;
  }

  /**
   * Learns the codes.
   *
   * @param columns which columns are features
   */
  static TreeFeatures of(Evidence evidence, int[] columns) {
    return new TreeFeatures(
        Arrays.stream(columns).mapToObj(c -> ColumnFeature.of(evidence, c)).toList());
  }

  int size() {
    return columns.size();
  }

  /** (features) number of codes of a category, 0 of a number. */
  int[] codes() {
    return columns.stream()
        .mapToInt(column -> column.codes() == null ? 0 : column.codes().size() + 2)
        .toArray();
  }

  String name(int feature) {
    return columns.get(feature).name;
  }

  /** (rows, features). */
  double[][] rows(Frame frame) {
    double[][] values = new double[frame.rows()][columns.size()];
    for (int f = 0; f < columns.size(); f++) {
      ColumnFeature feature = columns.get(f);
      FrameColumn column = frame.column(feature.column);
      for (int row = 0; row < values.length; row++) {
        values[row][f] = feature.value(column, row);
      }
    }
    return values;
  }

  /**
   * One column.
   *
   * @param codes of the frequent values; null for numbers and lengths
   * @param absent what a missing number is
   */
  private record ColumnFeature(
      int column, String name, boolean isNumber, Map<String, Integer> codes, double absent) {
    static ColumnFeature of(Evidence evidence, int c) {
      FrameColumn real = evidence.reference().column(c);
      if (real.isNumber()) {
        double low = Math.min(least(real), least(evidence.synthetic().column(c)));
        return new ColumnFeature(c, real.name(), true, null, low - Math.max(1, Math.abs(low)));
      }
      Map<String, Integer> codes = evidence.referenceType(c).isNominal() ? frequent(real) : null;
      return new ColumnFeature(c, real.name(), false, codes, -1);
    }

    private static double least(FrameColumn column) {
      double[] sorted = column.isNumber() ? column.sortedNumbers() : new double[0];
      return sorted.length == 0 ? 0 : sorted[0];
    }

    private static Map<String, Integer> frequent(FrameColumn column) {
      Map<String, Integer> counts = new TreeMap<>();
      for (int row = 0; row < column.rows(); row++) {
        if (!column.isMissing(row)) {
          counts.merge(column.text(row), 1, Integer::sum);
        }
      }
      Map<String, Integer> codes = new HashMap<>();
      counts.entrySet().stream()
          .sorted(Comparator.comparingInt(entry -> -entry.getValue())) // stable: ties by text
          .limit(CODES - 2)
          .forEach(entry -> codes.put(entry.getKey(), codes.size() + 2));
      return codes;
    }

    /** Code 0 is missing, 1 a value that is rare or unknown in the real table. */
    double value(FrameColumn cells, int row) {
      if (cells.isMissing(row)) {
        return codes != null ? 0 : absent;
      }
      if (isNumber) {
        // A text among numbers gives itself away, as it should.
        return cells.isNumber() ? cells.number(row) : 2 * absent - 1;
      }
      String text = cells.text(row);
      return codes != null ? codes.getOrDefault(text, 1) : text.codePointCount(0, text.length());
    }
  }
}
