package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Whether rows that belong together do so in the synthetic table as in the real one: how many they
 * are, how they follow one another, and what one row tells of the next.
 *
 * @param group column whose equal values make a group
 * @param order column by which its rows follow one another, or null
 * @param sampledGroups groups that all figures but those of sizes look at, real and synthetic
 * @param figures each with its value in both tables
 * @param autocorrelations of the columns of numbers
 * @param left columns of numbers beyond those that were looked at
 */
public record GroupStructure(
    String group,
    String order,
    int[] sampledGroups,
    List<Figure> figures,
    List<Autocorrelation> autocorrelations,
    List<String> left)
    implements Finding {
  private static final int LAGS = 7;
  private static final int MOST_COLUMNS = 60;
  private static final double CONSTANT = 0.999;
  private static final double TAIL = 0.999;

  /**
   * One figure.
   *
   * @param distance Kolmogorov-Smirnov distance of what the figure sums up, 0 where both tables
   *     agree; NaN where the figure says it all
   * @param isDate whether it counts days since 1970
   */
  public record Figure(
      String name, double real, double synthetic, double distance, boolean isDate) {}

  /**
   * What a column's value tells of the value some rows later in its group: the mean product of
   * their deviations from the column's mean, over its variance.
   *
   * @param real (lags) from 1 on; NaN where no group is so long
   * @param synthetic (lags)
   */
  public record Autocorrelation(String column, double[] real, double[] synthetic) {}

  static Finding of(Evidence evidence) {
    GroupKeys keys = evidence.input().groups().orElse(null);
    if (keys == null) {
      return Unavailable.because(
          "the table is not one of groups (data.group_training_examples_by)");
    }
    TypedTable real = evidence.input().reference();
    TypedTable synthetic = evidence.input().synthetic();
    for (String name : keys.names()) {
      if (synthetic.indexOf(name) < 0) {
        return Unavailable.because(
            "column '%s', which makes or orders the groups, is not in the synthetic table"
                .formatted(name));
      }
    }
    List<String> left = new ArrayList<>();
    List<String> names = columns(real, synthetic, keys, left);
    int limit =
        (int) Math.min(evidence.config().sqsReportRows(), Evidence.MOST_CELLS / (names.size() + 1));
    long key = evidence.key(40);
    GroupSample ofReal = GroupSample.draw(real, keys, names, limit, key);
    GroupSample made = GroupSample.draw(synthetic, keys, names, limit, key);
    if (ofReal.groups() == 0 || made.groups() == 0) {
      return Unavailable.because(
          "column '%s', which makes the groups, is empty in the %s table"
              .formatted(keys.group(), ofReal.groups() == 0 ? "real" : "synthetic"));
    }
    return of(keys, ofReal, made, left);
  }

  /** The order's column first, then those that are of one form in both tables. */
  private static List<String> columns(
      TypedTable real, TypedTable synthetic, GroupKeys keys, List<String> left) {
    List<String> names = new ArrayList<>();
    if (keys.order() != null) {
      names.add(keys.order());
    }
    for (TypedColumn column : real.columns()) {
      int other = synthetic.indexOf(column.name());
      boolean isKey = column.name().equals(keys.group()) || column.name().equals(keys.order());
      if (isKey
          || other < 0
          || synthetic.columns().get(other).storage().isNumber() != column.storage().isNumber()) {
        continue;
      }
      (names.size() < MOST_COLUMNS ? names : left).add(column.name());
    }
    return names;
  }

  static GroupStructure of(
      GroupKeys keys, GroupSample real, GroupSample synthetic, List<String> left) {
    List<Figure> figures = new ArrayList<>();
    List<Autocorrelation> autocorrelations = new ArrayList<>();
    sizes(figures, real.sizes(), synthetic.sizes());
    List<FrameColumn> columns = real.rows().columns();
    for (int c = 0; c < columns.size(); c++) {
      FrameColumn of = columns.get(c);
      FrameColumn made = synthetic.rows().column(c);
      if (of.name().equals(keys.order())) {
        if (of.isNumber() && made.isNumber()) {
          order(figures, of, made, real.starts(), synthetic.starts());
        }
        continue;
      }
      double constant = constantShare(of, real.starts());
      if (constant > CONSTANT) {
        figures.add(
            figure(
                "groups with one value of '%s'".formatted(of.name()),
                constant,
                constantShare(made, synthetic.starts())));
      } else if (of.isNumber()) {
        Autocorrelation both =
            new Autocorrelation(
                of.name(),
                autocorrelation(of, real.starts()),
                autocorrelation(made, synthetic.starts()));
        autocorrelations.add(both);
        figures.add(
            figure(
                "'%s' correlated with the row before".formatted(of.name()),
                both.real()[0],
                both.synthetic()[0]));
      } else {
        figures.add(
            figure(
                "'%s' as in the row before".formatted(of.name()),
                repeatShare(of, real.starts()),
                repeatShare(made, synthetic.starts())));
      }
    }
    return new GroupStructure(
        keys.group(),
        keys.order(),
        new int[] {real.sampled(), synthetic.sampled()},
        figures,
        autocorrelations,
        left);
  }

  private static Figure figure(String name, double real, double synthetic) {
    return new Figure(name, real, synthetic, Double.NaN, false);
  }

  private static void sizes(
      List<Figure> figures, TreeMap<Long, Long> real, TreeMap<Long, Long> synthetic) {
    figures.add(figure("groups", total(real), total(synthetic)));
    figures.add(
        new Figure(
            "rows of a group, on average",
            mean(real),
            mean(synthetic),
            distance(real, synthetic),
            false));
    figures.add(
        figure(
            "groups of one row",
            real.getOrDefault(1L, 0L) / total(real),
            synthetic.getOrDefault(1L, 0L) / total(synthetic)));
    figures.add(figure("rows that .999 of the groups do not exceed", tail(real), tail(synthetic)));
    figures.add(figure("rows of the longest group", real.lastKey(), synthetic.lastKey()));
  }

  static double total(TreeMap<Long, Long> sizes) {
    return sizes.values().stream().mapToLong(n -> n).sum();
  }

  static double mean(TreeMap<Long, Long> sizes) {
    return sizes.entrySet().stream().mapToDouble(e -> e.getKey() * e.getValue()).sum()
        / total(sizes);
  }

  static double tail(TreeMap<Long, Long> sizes) {
    double passed = 0;
    double wanted = TAIL * total(sizes);
    for (Map.Entry<Long, Long> size : sizes.entrySet()) {
      passed += size.getValue();
      if (passed >= wanted) {
        return size.getKey();
      }
    }
    return sizes.lastKey();
  }

  /** The greatest difference of the two distribution functions of the sizes. */
  static double distance(TreeMap<Long, Long> real, TreeMap<Long, Long> synthetic) {
    Set<Long> all = new TreeSet<>(real.keySet());
    all.addAll(synthetic.keySet());
    double realPassed = 0;
    double syntheticPassed = 0;
    double greatest = 0;
    for (long size : all) {
      realPassed += real.getOrDefault(size, 0L) / total(real);
      syntheticPassed += synthetic.getOrDefault(size, 0L) / total(synthetic);
      greatest = Math.max(greatest, Math.abs(realPassed - syntheticPassed));
    }
    return greatest;
  }

  private static void order(
      List<Figure> figures, FrameColumn real, FrameColumn made, int[] starts, int[] madeStarts) {
    double[] realSteps = steps(real, starts);
    double[] madeSteps = steps(made, madeStarts);
    String name = real.name();
    figures.add(
        compared(
            "first '%s' of a group, median".formatted(name),
            firsts(real, starts),
            firsts(made, madeStarts),
            real.storage() == Storage.DATE));
    figures.add(
        compared(
            "step of '%s' to the next row, median%s"
                .formatted(name, real.storage() == Storage.DATE ? " (days)" : ""),
            realSteps,
            madeSteps,
            false));
    figures.add(
        figure(
            "steps of '%s' that are 0".formatted(name),
            zeroShare(realSteps),
            zeroShare(madeSteps)));
  }

  private static Figure compared(String name, double[] real, double[] synthetic, boolean isDate) {
    boolean isKnown = real.length > 0 && synthetic.length > 0;
    return new Figure(
        name,
        median(real),
        median(synthetic),
        isKnown ? ColumnShapes.kolmogorovSmirnov(real, synthetic) : Double.NaN,
        isDate);
  }

  private static double median(double[] sorted) {
    int n = sorted.length;
    return n == 0 ? Double.NaN : (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  }

  private static double zeroShare(double[] steps) {
    return steps.length == 0
        ? Double.NaN
        : (double) Arrays.stream(steps).filter(step -> step == 0).count() / steps.length;
  }

  private static double[] firsts(FrameColumn column, int[] starts) {
    return sorted(
        Arrays.stream(starts, 0, starts.length - 1).mapToDouble(column::number).toArray());
  }

  private static double[] steps(FrameColumn column, int[] starts) {
    double[] steps = new double[column.rows()];
    Arrays.fill(steps, Double.NaN);
    for (int g = 0; g + 1 < starts.length; g++) {
      for (int row = starts[g] + 1; row < starts[g + 1]; row++) {
        steps[row] = column.number(row) - column.number(row - 1);
      }
    }
    return sorted(steps);
  }

  /** Those that are there, ascending. */
  private static double[] sorted(double[] values) {
    return Arrays.stream(values).filter(v -> !Double.isNaN(v)).sorted().toArray();
  }

  /** Share of the groups that hold no two values of a column. */
  private static double constantShare(FrameColumn column, int[] starts) {
    int constant = 0;
    for (int g = 0; g + 1 < starts.length; g++) {
      Set<String> values = new HashSet<>();
      for (int row = starts[g]; row < starts[g + 1]; row++) {
        if (!column.isMissing(row)) {
          values.add(column.text(row));
        }
      }
      constant += values.size() <= 1 ? 1 : 0;
    }
    return (double) constant / (starts.length - 1);
  }

  private static double repeatShare(FrameColumn column, int[] starts) {
    long pairs = 0;
    long equal = 0;
    for (int g = 0; g + 1 < starts.length; g++) {
      for (int row = starts[g] + 1; row < starts[g + 1]; row++) {
        pairs++;
        boolean isThere = !column.isMissing(row) && !column.isMissing(row - 1);
        equal += isThere && column.text(row).equals(column.text(row - 1)) ? 1 : 0;
      }
    }
    return pairs == 0 ? Double.NaN : (double) equal / pairs;
  }

  /** (lags) from 1 on. */
  static double[] autocorrelation(FrameColumn column, int[] starts) {
    double[] there = column.sortedNumbers();
    double mean = Arrays.stream(there).average().orElse(Double.NaN);
    double variance =
        Arrays.stream(there).map(v -> (v - mean) * (v - mean)).sum() / (there.length - 1);
    double[] result = new double[LAGS];
    for (int lag = 1; lag <= LAGS; lag++) {
      double sum = 0;
      long pairs = 0;
      for (int g = 0; g + 1 < starts.length; g++) {
        for (int row = starts[g] + lag; row < starts[g + 1]; row++) {
          if (!column.isMissing(row) && !column.isMissing(row - lag)) {
            sum += (column.number(row) - mean) * (column.number(row - lag) - mean);
            pairs++;
          }
        }
      }
      result[lag - 1] = pairs == 0 || !(variance > 0) ? Double.NaN : sum / pairs / variance;
    }
    return result;
  }
}
