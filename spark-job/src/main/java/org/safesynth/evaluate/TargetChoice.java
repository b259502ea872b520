package org.safesynth.evaluate;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Finds the column that is worth predicting when nobody named one: a category with a few
 * well-filled classes, of which the other columns tell most without giving it away.
 */
final class TargetChoice {
  private static final int MOST_CLASSES = 10;
  private static final double LEAST_CLASS = 0.02;
  private static final double GIVES_AWAY = 0.95;
  private static final int BINS = 10;

  private TargetChoice() {}

  /** The place of the column, or -1 when there is none. */
  static int of(Evidence evidence) {
    int[][] codes = new int[evidence.columns()][];
    for (int c = 0; c < codes.length; c++) {
      codes[c] = codes(evidence, c);
    }
    int best = -1;
    double most = 0;
    for (int c = 0; c < codes.length; c++) {
      if (codes[c] != null && isCandidate(evidence, c, codes[c])) {
        double told = told(codes, c);
        if (told >= most) { // of equals the last: where tables have their target
          most = told;
          best = c;
        }
      }
    }
    return best;
  }

  private static boolean isCandidate(Evidence evidence, int column, int[] codes) {
    if (!evidence.referenceType(column).isNominal()) {
      return false;
    }
    long[] counts = new long[Arrays.stream(codes).max().orElse(0) + 1];
    Arrays.stream(codes).forEach(code -> counts[code]++);
    long least = Arrays.stream(counts).filter(n -> n > 0).min().orElse(0);
    long classes = Arrays.stream(counts).filter(n -> n > 0).count();
    return classes >= 2 && classes <= MOST_CLASSES && least >= LEAST_CLASS * codes.length;
  }

  /** Mean share of the column's entropy that another one explains; 0 when one explains it all. */
  private static double told(int[][] codes, int column) {
    double sum = 0;
    for (int other = 0; other < codes.length; other++) {
      if (other != column && codes[other] != null) {
        double share = explained(codes[column], codes[other]);
        if (share > GIVES_AWAY) {
          return 0;
        }
        sum += share;
      }
    }
    return sum / codes.length;
  }

  /** Theil's U of y given x. */
  private static double explained(int[] y, int[] x) {
    Map<Long, Integer> joint = new HashMap<>();
    Map<Long, Integer> ofX = new HashMap<>();
    Map<Long, Integer> ofY = new HashMap<>();
    for (int row = 0; row < y.length; row++) {
      joint.merge((long) x[row] << 32 | y[row], 1, Integer::sum);
      ofX.merge((long) x[row], 1, Integer::sum);
      ofY.merge((long) y[row], 1, Integer::sum);
    }
    double alone = entropy(ofY, y.length);
    return alone == 0 ? 1 : (alone + entropy(ofX, y.length) - entropy(joint, y.length)) / alone;
  }

  private static double entropy(Map<Long, Integer> counts, int rows) {
    // Sorted: a hash map's order of summing is not promised.
    return counts.values().stream()
        .sorted()
        .mapToDouble(n -> -(double) n / rows * Math.log((double) n / rows))
        .sum();
  }

  /** Coarse codes of a tabular column, 0 when missing; null for texts. */
  private static int[] codes(Evidence evidence, int column) {
    ColumnType type = evidence.referenceType(column);
    if (!type.isTabular()) {
      return null;
    }
    FrameColumn cells = evidence.reference().column(column);
    int[] codes = new int[cells.rows()];
    if (type == ColumnType.NUMERIC) {
      double[] sorted = cells.sortedNumbers();
      double[] edges = new double[BINS - 1];
      Arrays.setAll(edges, i -> sorted[(int) ((i + 1L) * sorted.length / BINS)]);
      for (int row = 0; row < codes.length; row++) {
        codes[row] = cells.isMissing(row) ? 0 : 1 + bin(edges, cells.number(row));
      }
      return codes;
    }
    Map<String, Integer> known = new HashMap<>();
    for (int row = 0; row < codes.length; row++) {
      String text = cells.text(row);
      codes[row] = text == null ? 0 : known.computeIfAbsent(text, unseen -> known.size() + 1);
    }
    return codes;
  }

  private static int bin(double[] edges, double value) {
    int bin = 0;
    while (bin < edges.length && value >= edges[bin]) {
      bin++;
    }
    return bin;
  }
}
