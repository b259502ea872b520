package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * How the rows of groups are laid out for the model: the columns of the table, where the order
 * column becomes two (its value in a group's first row, the step from the row before in the
 * others), and at the end whether the row is the group's last.
 *
 * @param groupColumn column whose equal values make a group
 * @param orderColumn column by which a group's rows are ordered; -1 for the input's order
 * @param constant (columns of the table) whether a column has one value in every group
 * @param clockLows (clock buckets) least tick of each bucket of the order column's range
 * @param meanStep mean step between two rows, in ticks
 * @param last greatest tick of the order column that may be written
 * @param meanRows rows of a group, on average
 * @param mostRows rows of the longest group
 * @param leastRows before which no group ends that has time left; 1 where nothing is known
 * @param series the times where the groups are time series; else null
 * @param parent where each group is a row of a parent table with its children; else null
 */
public record GroupLayout(
    @JsonProperty("group_column") int groupColumn,
    @JsonProperty("order_column") int orderColumn,
    @JsonProperty("constant") boolean[] constant,
    @JsonProperty("clock_lows") long[] clockLows,
    @JsonProperty("mean_step") double meanStep,
    @JsonProperty("last") long last,
    @JsonProperty("mean_rows") double meanRows,
    @JsonProperty("most_rows") int mostRows,
    @JsonProperty("least_rows") int leastRows,
    @JsonProperty("series") SeriesSpan series,
    @JsonProperty("parent") ParentColumns parent)
    implements Serializable {
  /** What the model's column of steps is called in messages. */
  public static final String STEP = "step";

  private static final String FIRST = "first";
  private static final String LAST = "last row";
  private static final int CLOCK_BUCKETS = 80;

  /** Entries of {@link #features}. */
  public static final int FEATURES = 3;

  private static final int PACES = 36;
  private static final double PACES_OF_AN_OCTAVE = 2.5;
  private static final double LEAST_PACE = 1e-2;

  /** Groups that are no time series. */
  public GroupLayout(
      int groupColumn,
      int orderColumn,
      boolean[] constant,
      long[] clockLows,
      double meanStep,
      long last,
      double meanRows,
      int mostRows) {
    this(
        groupColumn,
        orderColumn,
        constant,
        clockLows,
        meanStep,
        last,
        meanRows,
        mostRows,
        1,
        null,
        null);
  }

  /** The same for series with other times. */
  public GroupLayout withSeries(SeriesSpan newSeries) {
    return new GroupLayout(
        groupColumn,
        orderColumn,
        constant,
        clockLows,
        meanStep,
        last,
        meanRows,
        mostRows,
        leastRows,
        newSeries,
        parent);
  }

  /** The same for groups that are parents with their children. */
  public GroupLayout withParent(ParentColumns newParent) {
    return new GroupLayout(
        groupColumn,
        orderColumn,
        constant,
        clockLows,
        meanStep,
        last,
        meanRows,
        mostRows,
        leastRows,
        series,
        newParent);
  }

  /** The tick from which a group's first one is measured. */
  public long origin(Object[] cells) {
    return parent == null || parent.origin() == null ? 0 : (Long) cells[parent.origin()];
  }

  /**
   * Whether a row stands for a parent without children, so that it is no row of the child table.
   */
  public boolean isChildless(Object[] cells) {
    return parent != null && ParentColumns.NONE.equals(cells[parent.marker()]);
  }

  /** Buckets of equal width between two ticks. */
  public static long[] clock(long from, long to) {
    return clock(from, to, CLOCK_BUCKETS);
  }

  /** The same, so many at most. */
  public static long[] clock(long from, long to, int most) {
    double width = Math.max(1, Math.ceil(((double) to - from + 1) / Math.min(most, CLOCK_BUCKETS)));
    int buckets = (int) Math.max(1, Math.ceil(((double) to - from + 1) / width));
    long[] lows = new long[buckets];
    for (int i = 0; i < buckets; i++) {
      lows[i] = from + (long) (i * width);
    }
    return lows;
  }

  public boolean isOrdered() {
    return orderColumn >= 0;
  }

  /** Rows of the table of {@link #features}. */
  public int featureRows() {
    return clockLows.length + 1 + 2 * PACES;
  }

  /**
   * What is known of a group's times before a row is written, each as a row of one table: the
   * bucket of the newest time, of the mean step, and of the recent steps, in whose place the
   * seasons stand where the steps are all the same.
   *
   * @param rhythm null before the first row and without an order column
   */
  public int[] features(Rhythm rhythm) {
    int paces = clockLows.length + 1;
    if (rhythm == null) {
      return new int[] {0, paces, paces + PACES};
    }
    if (series != null && series.isRegular()) {
      int[] phases = series.phases(rhythm.last());
      return new int[] {clockBucket(rhythm.last()), paces + phases[0], paces + PACES + phases[1]};
    }
    boolean isFirst = rhythm.steps() == 0;
    return new int[] {
      clockBucket(rhythm.last()),
      paces + (isFirst ? 0 : pace(rhythm.mean())),
      paces + PACES + (isFirst ? 0 : pace(rhythm.recent()))
    };
  }

  private int pace(double step) {
    double octaves = Math.log((step + LEAST_PACE * meanStep) / meanStep) / Math.log(2);
    int middle = PACES / 2;
    return (int)
        Math.max(1, Math.min(PACES - 1, middle + Math.floor(PACES_OF_AN_OCTAVE * octaves)));
  }

  private int clockBucket(long tick) {
    int at = Arrays.binarySearch(clockLows, tick);
    return 1 + Math.max(0, at >= 0 ? at : -at - 2);
  }

  /** The model's columns. */
  public FrozenSchema derived(FrozenSchema table) {
    List<ColumnSchema> columns = new ArrayList<>();
    for (int c = 0; c < table.columns().size(); c++) {
      ColumnSchema column = table.columns().get(c);
      if (c == orderColumn) {
        boolean isStep = parent != null && parent.origin() != null;
        columns.add(renamed(column, FIRST, isStep ? ColumnKind.INTEGER : column.kind()));
        columns.add(renamed(column, STEP, ColumnKind.INTEGER));
      } else {
        columns.add(column);
      }
    }
    columns.add(
        new ColumnSchema(
            LAST,
            "string",
            ColumnKind.CATEGORICAL,
            false,
            0,
            0,
            null,
            null,
            null,
            List.of("false", "true"),
            0));
    return new FrozenSchema(columns);
  }

  private static ColumnSchema renamed(ColumnSchema column, String name, ColumnKind kind) {
    return new ColumnSchema(
        name,
        "bigint",
        kind,
        true,
        column.scale(),
        column.resolutionMicros(),
        null,
        null,
        null,
        null,
        0);
  }

  /** The model's column of a group's first value of the order column. */
  public int firstColumn() {
    return orderColumn;
  }

  /** The model's column of steps. */
  public int stepColumn() {
    return orderColumn + 1;
  }

  /** The model's column that a column of the table becomes. */
  public int derivedColumn(int column) {
    return isOrdered() && column > orderColumn ? column + 1 : column;
  }
}
