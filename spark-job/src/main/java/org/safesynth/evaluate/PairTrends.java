package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * SDMetrics' Column Pair Trends on the samples, and beside them the same with numbers cut at the
 * real table's bins in both tables: SDMetrics cuts each table at its own range, which one far value
 * moves.
 *
 * @param score mean over all pairs
 * @param realBinsScore likewise with the real table's bins
 * @param quality SDMetrics' Quality: the mean of Column Shapes and Column Pair Trends
 * @param columns that are paired
 * @param pairs every pair
 */
public record PairTrends(
    double score, double realBinsScore, double quality, List<String> columns, List<Pair> pairs)
    implements Finding {
  private static final int BINS = 10;
  private static final int CODES = BINS + 2;

  /** One pair of columns: 1 when their joint distributions, or correlations, are equal. */
  public record Pair(String first, String second, double score, double realBinsScore) {}

  static Finding of(Evidence evidence, Findings findings) {
    List<Coded> columns = new ArrayList<>();
    for (int c = 0; c < evidence.columns(); c++) {
      if (ColumnShapes.isScored(evidence, c)) {
        columns.add(
            Coded.of(
                evidence.reference().column(c),
                evidence.synthetic().column(c),
                ColumnShapes.isNumeric(evidence, c)));
      }
    }
    double shapes = findings.find(ColumnShapes.class).map(ColumnShapes::score).orElse(Double.NaN);
    return of(columns, shapes);
  }

  private static Finding of(List<Coded> columns, double shapes) {
    List<Pair> pairs = new ArrayList<>();
    double sum = 0;
    double realBinsSum = 0;
    int scored = 0;
    for (int i = 0; i < columns.size(); i++) {
      for (int j = i + 1; j < columns.size(); j++) {
        Pair pair = pair(columns.get(i), columns.get(j));
        pairs.add(pair);
        if (!Double.isNaN(pair.score())) {
          sum += pair.score();
          realBinsSum += pair.realBinsScore();
          scored++;
        }
      }
    }
    if (scored == 0) {
      return Unavailable.because("pairs need two columns of numbers, dates or categories");
    }
    return new PairTrends(
        sum / scored,
        realBinsSum / scored,
        (shapes + sum / scored) / 2,
        columns.stream().map(Coded::name).toList(),
        pairs);
  }

  private static Pair pair(Coded a, Coded b) {
    if (a.isNumeric && b.isNumeric) {
      double real = Association.pearson(a.realNumbers, b.realNumbers);
      double synthetic = Association.pearson(a.syntheticNumbers, b.syntheticNumbers);
      boolean isConstant =
          Coded.isConstant(a.realNumbers)
              || Coded.isConstant(b.realNumbers)
              || Coded.isConstant(a.syntheticNumbers)
              || Coded.isConstant(b.syntheticNumbers);
      double score = isConstant ? Double.NaN : 1 - Math.abs(real - synthetic) / 2;
      return new Pair(a.name, b.name, score, score);
    }
    return new Pair(
        a.name,
        b.name,
        similarity(a.real, b.real, a.synthetic, b.synthetic, a.size, b.size),
        similarity(a.realOnRealBins, b.realOnRealBins, a.onRealBins, b.onRealBins, a.size, b.size));
  }

  /** One less the total variation distance of two joint distributions. */
  private static double similarity(
      int[] realA, int[] realB, int[] syntheticA, int[] syntheticB, int sizeA, int sizeB) {
    long cells = (long) sizeA * sizeB;
    long[] real = joint(realA, realB, sizeB);
    long[] synthetic = joint(syntheticA, syntheticB, sizeB);
    double distance = 0;
    if (cells <= 1 << 20) {
      double[] difference = new double[(int) cells];
      for (long cell : real) {
        difference[(int) cell] += 1.0 / real.length;
      }
      for (long cell : synthetic) {
        difference[(int) cell] -= 1.0 / synthetic.length;
      }
      for (double d : difference) {
        distance += Math.abs(d);
      }
      return 1 - distance / 2;
    }
    Arrays.sort(real);
    Arrays.sort(synthetic);
    int i = 0;
    int j = 0;
    while (i < real.length || j < synthetic.length) {
      long cell =
          Math.min(
              i < real.length ? real[i] : Long.MAX_VALUE,
              j < synthetic.length ? synthetic[j] : Long.MAX_VALUE);
      int beginReal = i;
      int beginSynthetic = j;
      while (i < real.length && real[i] == cell) {
        i++;
      }
      while (j < synthetic.length && synthetic[j] == cell) {
        j++;
      }
      distance +=
          Math.abs(
              (double) (i - beginReal) / real.length
                  - (double) (j - beginSynthetic) / synthetic.length);
    }
    return 1 - distance / 2;
  }

  private static long[] joint(int[] a, int[] b, int sizeB) {
    long[] cells = new long[a.length];
    for (int row = 0; row < a.length; row++) {
      cells[row] = (long) a[row] * sizeB + b[row];
    }
    return cells;
  }

  /** A column of both samples as codes; numbers also as they are. */
  private static final class Coded {
    private final String name;
    private final boolean isNumeric;
    private final int size;
    private final int[] real; // (rows) each table at its own bins
    private final int[] synthetic;
    private final int[] realOnRealBins; // (rows) both tables at the real table's bins
    private final int[] onRealBins;
    private final double[] realNumbers; // (rows) null for categories
    private final double[] syntheticNumbers;

    private Coded(FrameColumn realColumn, FrameColumn syntheticColumn) {
      name = realColumn.name();
      isNumeric = true;
      size = CODES;
      realNumbers = numbers(realColumn);
      syntheticNumbers = numbers(syntheticColumn);
      double[] realEdges = edges(realColumn.sortedNumbers());
      real = codes(realNumbers, realEdges, false);
      synthetic = codes(syntheticNumbers, edges(syntheticColumn.sortedNumbers()), false);
      realOnRealBins = codes(realNumbers, realEdges, true);
      onRealBins = codes(syntheticNumbers, realEdges, true);
    }

    private Coded(String name, Categories categories) {
      this.name = name;
      isNumeric = false;
      size = categories.size();
      real = categories.real();
      synthetic = categories.synthetic();
      realOnRealBins = real;
      onRealBins = synthetic;
      realNumbers = null;
      syntheticNumbers = null;
    }

    static Coded of(FrameColumn real, FrameColumn synthetic, boolean isNumeric) {
      return isNumeric
          ? new Coded(real, synthetic)
          : new Coded(real.name(), Categories.of(real, synthetic));
    }

    String name() {
      return name;
    }

    private static double[] numbers(FrameColumn column) {
      double[] numbers = new double[column.rows()];
      for (int row = 0; row < numbers.length; row++) {
        numbers[row] = column.number(row);
      }
      return numbers;
    }

    private static double[] edges(double[] sorted) {
      return sorted.length == 0
          ? null
          : NumericBins.equal(sorted[0], sorted[sorted.length - 1], BINS).edges();
    }

    /**
     * @param within whether values beyond the edges join the first and the last bin and missing
     *     ones have a code of their own; else the code is the number of edges at or below the
     *     value, and missing values have that of the maximum
     */
    private static int[] codes(double[] numbers, double[] edges, boolean within) {
      int[] codes = new int[numbers.length];
      for (int row = 0; row < codes.length; row++) {
        double x = numbers[row];
        if (Double.isNaN(x) || edges == null) {
          codes[row] = within ? CODES - 1 : BINS + 1;
          continue;
        }
        int place = Arrays.binarySearch(edges, x);
        int atOrBelow = place >= 0 ? place + 1 : -place - 1;
        codes[row] = within ? Math.max(0, Math.min(BINS - 1, atOrBelow - 1)) : atOrBelow;
      }
      return codes;
    }

    static boolean isConstant(double[] numbers) {
      double first = Double.NaN;
      for (double x : numbers) {
        if (!Double.isNaN(x)) {
          if (Double.isNaN(first)) {
            first = x;
          } else if (x != first) {
            return false;
          }
        }
      }
      return true;
    }
  }
}
