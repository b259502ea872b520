package org.safesynth.codec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnProfile;
import org.safesynth.schema.ColumnSchema;

/** Fits the encoding of one column of numbers, dates or timestamps. */
final class NumberFit {
  private static final int MOST_IN_A_SET = 300;
  private static final int LEAST_IN_A_SET = 20;
  private static final int MOST_BINS = 100;
  private static final int LEAST_BINS = 8;
  private static final int MOST_LEAVES = 32;
  private static final double RECORDS_OF_A_LEAF = 12;
  private static final double FINE_ENOUGH_FOR_A_TAIL = 0.6;
  private static final int LEAST_TAIL = 100;
  private static final int MOST_TAIL = 400;

  private final ColumnSchema column;
  private final ColumnProfile counts;
  private final long low;
  private final long high;
  private final long[] ticks; // (distinct) within the ends, ascending
  private final double[] weights; // (distinct) records that hold each tick

  NumberFit(ColumnSchema column, ColumnProfile counts, int threshold) {
    this.column = column;
    this.counts = counts;
    this.low =
        column.min() != null ? column.min() : end(counts.lowTicks(), counts.lowCounts(), threshold);
    this.high =
        column.max() != null
            ? column.max()
            : end(reversed(counts.highTicks()), reversed(counts.highCounts()), threshold);
    TreeMap<Long, Double> merged = weigh();
    this.ticks = merged.keySet().stream().mapToLong(Long::longValue).toArray();
    this.weights = merged.values().stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** The tick at which enough records lie at or beyond it. */
  private static long end(long[] outerFirst, long[] records, int threshold) {
    long sum = 0;
    for (int i = 0; i < outerFirst.length; i++) {
      sum += records[i];
      if (sum >= threshold) {
        return outerFirst[i];
      }
    }
    return outerFirst[outerFirst.length - 1];
  }

  /** Ticks within the ends with their records; what was not sampled is made up for by weight. */
  private TreeMap<Long, Double> weigh() {
    TreeMap<Long, Double> exact = new TreeMap<>();
    put(exact, counts.lowTicks(), counts.lowCounts());
    put(exact, counts.highTicks(), counts.highCounts());
    put(exact, counts.spikeTicks(), counts.spikeCounts());
    double known = exact.values().stream().mapToDouble(Double::doubleValue).sum();
    TreeMap<Long, Double> all = new TreeMap<>(exact);
    double sampled = 0;
    for (int i = 0; i < counts.ticks().length; i++) {
      sampled += exact.containsKey(counts.ticks()[i]) ? 0 : counts.counts()[i];
    }
    double left = counts.rows() - counts.missing() - known;
    double scale = counts.complete() || sampled == 0 ? 1 : Math.max(1, left / sampled);
    for (int i = 0; i < counts.ticks().length; i++) {
      all.putIfAbsent(counts.ticks()[i], counts.counts()[i] * scale);
    }
    TreeMap<Long, Double> within = new TreeMap<>();
    all.forEach((tick, weight) -> within.merge(clamp(tick), weight, Double::sum));
    return within;
  }

  private static void put(TreeMap<Long, Double> map, long[] ticks, long[] records) {
    for (int i = 0; i < ticks.length; i++) {
      map.put(ticks[i], (double) records[i]);
    }
  }

  private long clamp(long tick) {
    // The low end may pass the high one in a table of a few rows: then all records share one value.
    return low > high ? low : Math.max(low, Math.min(high, tick));
  }

  /** Records below the low end and above the high one. */
  long[] pulledIn() {
    if (low > high) {
      return new long[] {counts.rows() - counts.missing(), 0};
    }
    long below = 0;
    for (int i = 0; i < counts.lowTicks().length && counts.lowTicks()[i] < low; i++) {
      below += counts.lowCounts()[i];
    }
    long above = 0;
    for (int i = counts.highTicks().length - 1; i >= 0 && counts.highTicks()[i] > high; i--) {
      above += counts.highCounts()[i];
    }
    return new long[] {below, above};
  }

  /**
   * The column's encoding.
   *
   * @param border tick at which a bin has to begin, or null
   */
  ColumnCodec fit(boolean missing, Long border) {
    long present = counts.rows() - counts.missing();
    long inASet = Math.min(MOST_IN_A_SET, Math.max(LEAST_IN_A_SET, present / 30));
    if (counts.complete() && ticks.length <= inASet) {
      return new NumberSetColumn(ticks, missing);
    }
    int wantedBins =
        (int) Math.max(LEAST_BINS, Math.min(MOST_BINS, Math.round(Math.sqrt(present) / 2)));
    int wantedLeaves =
        (int) Math.max(1, Math.min(MOST_LEAVES, present / (double) wantedBins / RECORDS_OF_A_LEAF));
    List<SpikeOrQuantile.Cell> bins = bins(wantedBins, border);
    List<TickPartition> leaves = new ArrayList<>();
    List<RoundSteps> rounding = new ArrayList<>();
    for (SpikeOrQuantile.Cell bin : bins) {
      int[] items = bin.items().stream().mapToInt(Integer::intValue).toArray();
      long[] binTicks = Arrays.stream(items).mapToLong(i -> ticks[i]).toArray();
      double[] binWeights = Arrays.stream(items).mapToDouble(i -> weights[i]).toArray();
      List<SpikeOrQuantile.Cell> cut =
          SpikeOrQuantile.cut(binWeights, wantedLeaves, binTicks.length);
      leaves.add(partition(binTicks, cut));
      rounding.add(RoundSteps.of(ladder(), binTicks, binWeights));
    }
    return new BinnedNumberColumn(
        partition(ticks, bins), leaves, rounding, tail(bins, false), tail(bins, true), missing);
  }

  /** Bins of all ticks, or of those on either side of the border by the records that are there. */
  private List<SpikeOrQuantile.Cell> bins(int wanted, Long border) {
    int at = border == null ? 0 : Arrays.binarySearch(ticks, border);
    int above = at >= 0 ? at : -at - 1;
    if (above == 0 || above == ticks.length) {
      return SpikeOrQuantile.cut(weights, wanted, ticks.length);
    }
    double[] lower = Arrays.copyOf(weights, above);
    double[] upper = Arrays.copyOfRange(weights, above, weights.length);
    double share = Arrays.stream(lower).sum() / Arrays.stream(weights).sum();
    int ofLower = (int) Math.max(1, Math.min(wanted - 1, Math.round(wanted * share)));
    List<SpikeOrQuantile.Cell> bins =
        new ArrayList<>(SpikeOrQuantile.cut(lower, ofLower, ticks.length));
    for (SpikeOrQuantile.Cell cell : SpikeOrQuantile.cut(upper, wanted - ofLower, ticks.length)) {
      List<Integer> items = cell.items().stream().map(item -> item + above).toList();
      bins.add(new SpikeOrQuantile.Cell(cell.spike(), items));
    }
    return bins;
  }

  /**
   * Cells with their ends. A run of ticks stands for the gaps around it too: it is widened by half
   * of its mean gap, at most to the middle between it and the next run.
   */
  private static TickPartition partition(long[] ticks, List<SpikeOrQuantile.Cell> cells) {
    int n = cells.size();
    long[] from = new long[n];
    long[] to = new long[n];
    boolean[] spike = new boolean[n];
    for (int c = 0; c < n; c++) {
      List<Integer> items = cells.get(c).items();
      from[c] = ticks[items.get(0)];
      to[c] = ticks[items.get(items.size() - 1)];
      spike[c] = cells.get(c).spike();
    }
    int before = -1;
    long[] low = from.clone();
    long[] high = to.clone();
    for (int c = 0; c < n; c++) {
      if (spike[c]) {
        continue;
      }
      if (before >= 0) {
        long gap = from[c] - to[before];
        if (gap > 1) {
          high[before] = to[before] + Math.min((gap - 1) / 2, halfGap(cells, ticks, before));
          low[c] = from[c] - Math.min(gap / 2, halfGap(cells, ticks, c));
        }
      }
      before = c;
    }
    return new TickPartition(low, high, spike);
  }

  private static long halfGap(List<SpikeOrQuantile.Cell> cells, long[] ticks, int cell) {
    List<Integer> items = cells.get(cell).items();
    if (items.size() < 2) {
      return 0;
    }
    double span = (double) ticks[items.get(items.size() - 1)] - ticks[items.get(0)];
    return (long) (span / (items.size() - 1) / 2);
  }

  private Tail tail(List<SpikeOrQuantile.Cell> bins, boolean upper) {
    boolean declared = upper ? column.max() != null : column.min() != null;
    long present = counts.rows() - counts.missing();
    if (column.kind() == ColumnKind.DATE || column.kind() == ColumnKind.TIMESTAMP || declared) {
      return null;
    }
    int wanted = (int) Math.max(LEAST_TAIL, Math.min(MOST_TAIL, present / 100));
    if (present < 10L * wanted) {
      return null;
    }
    List<Integer> outerFirst = new ArrayList<>();
    for (SpikeOrQuantile.Cell bin : bins) {
      if (!bin.spike()) {
        outerFirst.addAll(bin.items());
      }
    }
    outerFirst.sort((a, b) -> upper ? Integer.compare(b, a) : Integer.compare(a, b));
    List<Integer> inTail = new ArrayList<>();
    double records = 0;
    for (int item : outerFirst) {
      if (records >= wanted) {
        break;
      }
      inTail.add(item);
      records += weights[item];
    }
    if (inTail.size() < LEAST_TAIL / 2) {
      return null;
    }
    long[] tailTicks = inTail.stream().mapToLong(i -> ticks[i]).toArray();
    double[] tailWeights = inTail.stream().mapToDouble(i -> weights[i]).toArray();
    if (RoundSteps.of(ladder(), tailTicks, tailWeights).fineShare() < FINE_ENOUGH_FOR_A_TAIL) {
      return null;
    }
    long threshold = tailTicks[tailTicks.length - 1];
    double[] exceedances = new double[(int) records];
    int to = 0;
    for (int i = 0; i < tailTicks.length; i++) {
      for (int k = 0; k < (int) Math.round(tailWeights[i]) && to < exceedances.length; k++) {
        exceedances[to++] = Math.abs((double) tailTicks[i] - threshold);
      }
    }
    return Tail.fit(threshold, upper, Arrays.copyOf(exceedances, to));
  }

  private long[] ladder() {
    return ladder(column);
  }

  /** Steps of the column's ticks that people round to, each dividing the next, from 1. */
  static long[] ladder(ColumnSchema column) {
    if (column.kind() == ColumnKind.DATE) {
      return new long[] {1};
    }
    if (column.kind() == ColumnKind.TIMESTAMP) {
      return timeLadder(column.resolutionMicros());
    }
    return decimalLadder();
  }

  /** Steps of numbers that people round: 1, 5, 10, 50, and so on. */
  static long[] decimalLadder() {
    List<Long> steps = new ArrayList<>(List.of(1L));
    for (long power = 1; power <= 1_000_000_000L; power *= 10) {
      steps.add(5 * power);
      steps.add(10 * power);
    }
    return steps.stream().mapToLong(Long::longValue).toArray();
  }

  private static long[] timeLadder(long resolutionMicros) {
    long second = 1_000_000L;
    List<Long> steps = new ArrayList<>(List.of(1L));
    for (long micros :
        new long[] {second, 60 * second, 900 * second, 3600 * second, 86400 * second}) {
      if (resolutionMicros > 0 && micros > resolutionMicros && micros % resolutionMicros == 0) {
        steps.add(micros / resolutionMicros);
      }
    }
    return steps.stream().mapToLong(Long::longValue).toArray();
  }

  private static long[] reversed(long[] values) {
    long[] reversed = new long[values.length];
    for (int i = 0; i < values.length; i++) {
      reversed[i] = values[values.length - 1 - i];
    }
    return reversed;
  }
}
