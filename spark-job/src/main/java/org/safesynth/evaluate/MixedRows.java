package org.safesynth.evaluate;

import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;

/**
 * Rows for Gower's distance: a column contributes 0 to 1, numbers by their difference over the
 * range of the real ones, others by being equal or not.
 *
 * @param cells (rows, columns) scaled numbers, or codes; NaN when missing
 * @param isNumber (columns)
 */
record MixedRows(double[][] cells, boolean[] isNumber) implements Serializable {
  /** Makes rows of several samples comparable with each other. */
  static MixedRows[] of(Evidence evidence, Frame... frames) {
    int width = evidence.columns();
    boolean[] isNumber = new boolean[width];
    MixedRows[] rows = new MixedRows[frames.length];
    for (int f = 0; f < frames.length; f++) {
      rows[f] = new MixedRows(new double[frames[f].rows()][width], isNumber);
    }
    for (int c = 0; c < width; c++) {
      isNumber[c] =
          evidence.reference().column(c).isNumber() && evidence.synthetic().column(c).isNumber();
      double[] sorted =
          isNumber[c] ? evidence.reference().column(c).sortedNumbers() : new double[0];
      double range = sorted.length == 0 ? 0 : sorted[sorted.length - 1] - sorted[0];
      Map<String, Integer> codes = new HashMap<>();
      for (int f = 0; f < frames.length; f++) {
        FrameColumn column = frames[f].column(c);
        for (int row = 0; row < frames[f].rows(); row++) {
          rows[f].cells[row][c] =
              column.isMissing(row)
                  ? Double.NaN
                  : isNumber[c]
                      ? column.number(row) / (range == 0 ? 1 : range)
                      : codes.computeIfAbsent(column.text(row), unseen -> codes.size());
        }
      }
    }
    return rows;
  }

  int size() {
    return cells.length;
  }

  /** Distance of two cells of a column: missing against missing is 0, against a value 1. */
  double distance(int column, double a, double b) {
    if (Double.isNaN(a) || Double.isNaN(b)) {
      return Double.isNaN(a) && Double.isNaN(b) ? 0 : 1;
    }
    return isNumber[column] ? Math.min(1, Math.abs(a - b)) : a == b ? 0 : 1;
  }
}
