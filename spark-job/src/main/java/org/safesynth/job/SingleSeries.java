package org.safesynth.job;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.safesynth.codec.GroupLayout;
import org.safesynth.schema.CellReader;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnProfile;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.TableProfile;

/**
 * Cuts a table that is one time series into segments, so that it can be learned as groups are: in
 * batches, with whole segments held out. A segment is a span of time, and its number stands behind
 * the table's columns in a column that is never written.
 *
 * <p>The number is a function of a row's time alone: rows of one time stay together, no row moves,
 * and a later command that reads the same table finds the same segments.
 */
final class SingleSeries {
  /** The segments' column; the reference implementation's name for the one group of a series. */
  static final String COLUMN = "__nss_sequence_id";

  /** Segments of a table that is neither short nor long: a twentieth of them makes a holdout. */
  private static final int USUAL_SEGMENTS = 64;

  /** Fewer rows would say little of how one follows from those before. */
  private static final int LEAST_ROWS = 16;

  /** A step of training remembers a segment whole, and more segments make for better batches. */
  private static final int MOST_ROWS = 500;

  /**
   * Of 730 days in 45 segments 4 to a bucket leave 72 bits of loss a segment, 8 leave 78, and
   * buckets shorter than a segment 82, with a level that forgets its trend.
   */
  private static final int SEGMENTS_OF_A_BUCKET = 4;

  private SingleSeries() {}

  /** The table's columns and the segments'. */
  static FrozenSchema withSegments(FrozenSchema table) {
    List<ColumnSchema> columns = new ArrayList<>(table.columns());
    columns.add(
        new ColumnSchema(
            COLUMN, "bigint", ColumnKind.IDENTIFIER, false, 0, 0, null, null, null, null, 0));
    return new FrozenSchema(columns);
  }

  /**
   * The table with its segments.
   *
   * @param order column of the times
   */
  static SchemaStage.Inferred cut(
      RunContext context, TableSource table, SchemaStage.Inferred own, int order) {
    Set<String> missing = SchemaStage.missing(context.config().data(), table);
    long[] starts = starts(table.rows(), own.schema().columns().get(order), missing);
    List<ColumnProfile> profiles = new ArrayList<>(own.profile().columns());
    long rows = own.profile().rows();
    long[] none = {};
    long[] first = {0};
    long[] last = {starts.length - 1};
    profiles.add(
        new ColumnProfile(
            rows,
            0,
            starts.length,
            false,
            none,
            new String[0],
            none,
            none,
            none,
            first,
            none,
            last,
            none));
    return new SchemaStage.Inferred(
        withSegments(own.schema()),
        new TableProfile(rows, profiles),
        numbered(table.rows(), own.cells(), order, starts));
  }

  /**
   * Reads canonical cells with the segment's number behind them.
   *
   * @param cells reads those of the table
   * @param time schema of the column of the times
   * @param order number of that column
   * @param missing texts that stand for no time
   */
  static MapFunction<Row, Object[]> cells(
      Dataset<Row> rows,
      MapFunction<Row, Object[]> cells,
      ColumnSchema time,
      int order,
      Set<String> missing) {
    return numbered(rows, cells, order, starts(rows, time, missing));
  }

  private static MapFunction<Row, Object[]> numbered(
      Dataset<Row> rows, MapFunction<Row, Object[]> cells, int order, long[] starts) {
    Broadcast<long[]> shared =
        new JavaSparkContext(rows.sparkSession().sparkContext()).broadcast(starts);
    return new Numbered(cells, order, shared);
  }

  private record Numbered(MapFunction<Row, Object[]> cells, int order, Broadcast<long[]> starts)
      implements MapFunction<Row, Object[]>, Serializable {
    @Override
    public Object[] call(Row row) throws Exception {
      Object[] own = cells.call(row);
      Object[] all = Arrays.copyOf(own, own.length + 1);
      all[own.length] = own[order] == null ? 0 : segment(starts.value(), (Long) own[order]);
      return all;
    }
  }

  /** Tells that a number of rows is not what a single series is asked for by. */
  static void tellSpan(RunContext context) {
    if (context.config().isExplicit("generation.num_records")) {
      context
          .console()
          .warn(
              "generation.num_records is not used: one series is written, from its start to its stop; time_series.start_timestamp and stop_timestamp set them");
    }
  }

  /**
   * The runs of neighbouring segments that are learned as one, since a model that reads text needs
   * more rows to look back on than a segment has.
   *
   * @param parts (segments) the part of the split that each belongs to
   * @param most segments of a run
   * @return (segments) the first segment of the run of each
   */
  static long[] runs(int[] parts, int most) {
    long[] runs = new long[parts.length];
    for (int s = 1; s < runs.length; s++) {
      boolean goesOn = parts[s] == parts[s - 1] && s - runs[s - 1] < most;
      runs[s] = goesOn ? runs[s - 1] : s;
    }
    return runs;
  }

  /**
   * Reads cells behind which the run stands and not the segment.
   *
   * @param cells with the segment behind the table's own
   */
  static MapFunction<Row, Object[]> inRuns(
      RunContext context, MapFunction<Row, Object[]> cells, long[] runs) {
    Broadcast<long[]> shared = new JavaSparkContext(context.spark().sparkContext()).broadcast(runs);
    return row -> {
      Object[] all = cells.call(row);
      int segment = Math.toIntExact((Long) all[all.length - 1]);
      all[all.length - 1] = shared.value()[segment];
      return all;
    };
  }

  /**
   * Buckets of the times, each long enough for several segments: where one of a bucket is held out
   * or validates, the others still tell what was usual then.
   */
  static long[] clock(long from, long to, long segments) {
    return GroupLayout.clock(from, to, (int) Math.max(1, segments / SEGMENTS_OF_A_BUCKET));
  }

  /** The number of the last segment that begins at a time or before it. */
  static long segment(long[] starts, long tick) {
    int at = Arrays.binarySearch(starts, tick);
    return Math.max(0, at >= 0 ? at : -at - 2);
  }

  /** Segments of a table with so many rows. */
  static long segments(long rows) {
    long length = Math.max(LEAST_ROWS, Math.min(MOST_ROWS, rows / USUAL_SEGMENTS));
    return Math.max(1, rows / length);
  }

  /** Whether a row begins a segment, of rows in the order of their times. */
  static boolean isStart(long row, long rows) {
    long segments = segments(rows);
    return row == 0 || row * segments / rows > (row - 1) * segments / rows;
  }

  /** The time at which each segment begins, ascending. */
  private static long[] starts(Dataset<Row> rows, ColumnSchema time, Set<String> missing) {
    JavaRDD<Long> times =
        rows.select(TableSource.column(time.name()))
            .javaRDD()
            .mapPartitions(part -> times(part, CellReader.of(time, missing)))
            .filter(Objects::nonNull);
    JavaRDD<Long> sorted =
        times.sortBy(tick -> tick, true, Math.max(1, rows.rdd().getNumPartitions()));
    long count = sorted.count();
    return sorted.zipWithIndex().filter(row -> isStart(row._2(), count)).keys().collect().stream()
        .mapToLong(Long::longValue)
        .distinct()
        .toArray();
  }

  private static Iterator<Long> times(Iterator<Row> rows, CellReader reader) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return rows.hasNext();
      }

      @Override
      public Long next() {
        return (Long) reader.read(rows.next().get(0));
      }
    };
  }
}
