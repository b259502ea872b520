package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * SDMetrics' single-column measures on the samples: shape, coverage, adherence and missing rates.
 *
 * @param score Column Shapes: mean over the columns
 * @param columns numbers, dates and categories in the table's order
 * @param left columns of free texts, names and keys, which have no shape
 */
public record ColumnShapes(double score, List<Column> columns, List<String> left)
    implements Finding {
  private static final int MOST_NUMBERS_AS_CATEGORIES = 10;

  /**
   * One column, each figure 1 when perfect, NaN when there are no values.
   *
   * @param shape KSComplement of numbers, TVComplement of categories
   * @param coverage share of the real range or of the real categories that occurs
   * @param adherence share of synthetic values within the real range or among the real categories
   * @param missingSimilarity one less the difference of the shares of missing values
   */
  public record Column(
      String name,
      boolean isNumeric,
      double shape,
      double coverage,
      double adherence,
      double missingSimilarity) {}

  static Finding of(Evidence evidence) {
    List<Column> columns = new ArrayList<>();
    List<String> left = new ArrayList<>();
    for (int c = 0; c < evidence.columns(); c++) {
      if (isScored(evidence, c)) {
        columns.add(
            column(
                evidence.reference().column(c),
                evidence.synthetic().column(c),
                isNumeric(evidence, c)));
      } else {
        left.add(evidence.name(c));
      }
    }
    double[] shapes =
        columns.stream().mapToDouble(Column::shape).filter(s -> !Double.isNaN(s)).toArray();
    if (shapes.length == 0) {
      return Unavailable.because("no column has numbers, dates or categories in both tables");
    }
    return new ColumnShapes(java.util.Arrays.stream(shapes).average().orElseThrow(), columns, left);
  }

  /** Numbers and dates are scored, and texts that repeat. */
  static boolean isScored(Evidence evidence, int c) {
    ColumnType type = evidence.referenceType(c);
    return type.isTabular() || (type != ColumnType.EMPTY && isNumeric(evidence, c));
  }

  /** Numbers of more than a few values on both sides; others are categories. */
  static boolean isNumeric(Evidence evidence, int c) {
    FrameColumn real = evidence.reference().column(c);
    return real.isNumber()
        && evidence.synthetic().column(c).isNumber()
        && real.distinct() > MOST_NUMBERS_AS_CATEGORIES;
  }

  static Column column(FrameColumn real, FrameColumn synthetic, boolean isNumeric) {
    double missing =
        1
            - Math.abs(
                (double) real.missing() / real.rows()
                    - (double) synthetic.missing() / synthetic.rows());
    if (isNumeric) {
      double[] x = real.sortedNumbers();
      double[] y = synthetic.sortedNumbers();
      return new Column(
          real.name(),
          true,
          x.length == 0 || y.length == 0 ? Double.NaN : 1 - kolmogorovSmirnov(x, y),
          rangeCoverage(x, y),
          boundaryAdherence(x, y, real.missing() > 0 ? 0 : synthetic.missing()),
          missing);
    }
    Categories categories = Categories.of(real, synthetic);
    return new Column(
        real.name(),
        false,
        totalVariationComplement(categories),
        categoryCoverage(categories),
        categoryAdherence(categories),
        missing);
  }

  /** The greatest difference of the two distribution functions. */
  static double kolmogorovSmirnov(double[] x, double[] y) {
    return Math.max(TextSemantics.greatestExcess(x, y), TextSemantics.greatestExcess(y, x));
  }

  private static double rangeCoverage(double[] x, double[] y) {
    if (x.length == 0 || y.length == 0) {
      return Double.NaN;
    }
    double range = x[x.length - 1] - x[0];
    if (range == 0) {
      return Double.NaN;
    }
    double below = Math.max(0, (y[0] - x[0]) / range);
    double above = Math.max(0, (x[x.length - 1] - y[y.length - 1]) / range);
    return Math.max(0, 1 - below - above);
  }

  /**
   * @param violations missing synthetic values that count as outside, since the real column has
   *     none
   */
  private static double boundaryAdherence(double[] x, double[] y, int violations) {
    if (x.length == 0 || y.length + violations == 0) {
      return Double.NaN;
    }
    long within = 0;
    for (double value : y) {
      within += value >= x[0] && value <= x[x.length - 1] ? 1 : 0;
    }
    return (double) within / (y.length + violations);
  }

  private static double totalVariationComplement(Categories categories) {
    double[] real = categories.realCounts();
    double[] synthetic = categories.syntheticCounts();
    int values = categories.size() - (categories.hasMissing() ? 1 : 0);
    double realRows = 0;
    double syntheticRows = 0;
    for (int c = 0; c < values; c++) {
      realRows += real[c];
      syntheticRows += synthetic[c];
    }
    if (realRows == 0 || syntheticRows == 0) {
      return Double.NaN;
    }
    double distance = 0;
    for (int c = 0; c < values; c++) {
      distance += Math.abs(real[c] / realRows - synthetic[c] / syntheticRows);
    }
    return 1 - distance / 2;
  }

  private static double categoryCoverage(Categories categories) {
    double[] real = categories.realCounts();
    double[] synthetic = categories.syntheticCounts();
    Set<Integer> known = new HashSet<>();
    Set<Integer> produced = new HashSet<>();
    int values = categories.size() - (categories.hasMissing() ? 1 : 0);
    for (int c = 0; c < values; c++) {
      if (real[c] > 0) {
        known.add(c);
        if (synthetic[c] > 0) {
          produced.add(c);
        }
      }
    }
    return known.isEmpty() ? Double.NaN : (double) produced.size() / known.size();
  }

  private static double categoryAdherence(Categories categories) {
    double[] real = categories.realCounts();
    double[] synthetic = categories.syntheticCounts();
    double rows = 0;
    double known = 0;
    for (int c = 0; c < real.length; c++) {
      rows += synthetic[c];
      known += real[c] > 0 ? synthetic[c] : 0;
    }
    return rows == 0 ? Double.NaN : known / rows;
  }
}
