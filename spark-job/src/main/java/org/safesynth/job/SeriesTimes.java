package org.safesynth.job;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.safesynth.codec.GroupLayout;
import org.safesynth.codec.SeriesSpan;
import org.safesynth.config.TimeSeriesConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.generate.SeriesRules;
import org.safesynth.schema.CellReader;
import org.safesynth.schema.ColumnProfile;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.DeclaredColumn;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.TimeOfDay;

/** What {@code time_series} says, held against the column of the times. */
final class SeriesTimes {
  private static final long SECONDS_OF_A_DAY = 86_400;
  private static final long MICROS_OF_A_SECOND = 1_000_000;

  /** An irregular series may have this many times the rows that its span has on average. */
  private static final double DENSER = 10;

  /**
   * Held by the task that writes them: five hours at the 509 rows a second measured on one core.
   */
  private static final long MOST_ROWS_OF_A_SERIES = 10_000_000;

  private final TimeSeriesConfig config;

  SeriesTimes(TimeSeriesConfig config) {
    this.config = config;
  }

  boolean isAsked() {
    return config.isTimeseries();
  }

  /** Adds what a given format says of the column of the times. */
  void declare(Map<String, DeclaredColumn> declared) {
    declare(declared, () -> null);
  }

  /**
   * The same, or what the first time says of it where no format is given.
   *
   * @param first its text; null where the times are no texts
   */
  void declare(Map<String, DeclaredColumn> declared, Supplier<String> first) {
    if (!isAsked()) {
      return;
    }
    String name = config.timeColumn();
    TimestampForm form = form();
    if (form == null && !declared.containsKey(name)) {
      String text = first.get();
      form = text == null ? null : TimestampForm.of(TimeOfDay.of(text));
    }
    DeclaredColumn known = declared.get(name);
    declared.put(name, form == null ? asKnown(known) : form.agreed(name, known));
  }

  /** What the given format says; null where it says nothing of how times are written. */
  private TimestampForm form() {
    String format = config.timestampFormat();
    boolean isElapsed = TimeSeriesConfig.ELAPSED_SECONDS.equals(format);
    return format == null || isElapsed ? null : TimestampForm.of(format);
  }

  /** A column that is what its values say, even where whole numbers that never repeat are keys. */
  private DeclaredColumn asKnown(DeclaredColumn known) {
    return known != null
        ? known
        : new DeclaredColumn(
            config.timeColumn(), null, null, null, null, null, null, null, null, null, null, null);
  }

  /** How a column's times go on after midnight; null where they have dates or are none. */
  TimeOfDay rolling(FrozenSchema schema, int order) {
    return isAsked() && order >= 0 ? schema.columns().get(order).timeOfDay() : null;
  }

  /** Refuses times of day where nothing tells on which day they are. */
  static void requireDates(ColumnSchema column, String where) {
    if (column.timeOfDay() != null) {
      throw new BadInputException(
          "column '%s' holds times of day, which are not learned %s; write them with their dates, or as elapsed seconds"
              .formatted(column.name(), where));
    }
  }

  /** Refuses a column whose kind is not what the format says. */
  void check(ColumnSchema column) {
    boolean isElapsed = TimeSeriesConfig.ELAPSED_SECONDS.equals(config.timestampFormat());
    if (isAsked() && isElapsed && ticksOfADay(column) != 0) {
      throw new BadInputException(
          "time_series.timestamp_format is elapsed_seconds, but column '%s' holds %s; remove the format"
              .formatted(column.name(), column.timeOfDay() == null ? "dates" : "times of day"));
    }
  }

  private static long ticksOfADay(ColumnSchema column) {
    return switch (column.kind()) {
      case DATE -> 1;
      case TIMESTAMP -> SECONDS_OF_A_DAY * MICROS_OF_A_SECOND / column.resolutionMicros();
      default -> column.timeOfDay() == null ? 0 : column.timeOfDay().ticksOfADay();
    };
  }

  /**
   * The times of the table's series.
   *
   * @param firsts ticks of the series' first rows
   * @param steps between the others
   * @param end tick of all last rows; null where they differ
   */
  SeriesSpan span(ColumnSchema column, ColumnProfile firsts, ColumnProfile steps, Long end) {
    Long found = steps.distinct() == 1 && steps.ticks().length == 1 ? steps.ticks()[0] : null;
    Long given = interval(column);
    if (given != null && steps.distinct() > 0 && !given.equals(found)) {
      throw new BadInputException(
          "time_series.timestamp_interval_seconds is %,d, but the steps between rows of column '%s' are %s; mend the rows, or remove the interval to learn the steps"
              .formatted(
                  config.timestampIntervalSeconds(),
                  column.name(),
                  found == null
                      ? "of %,d different lengths".formatted(steps.distinct())
                      : "all of another length"));
    }
    long interval = given != null ? given : found == null ? 0 : found;
    Long start = firsts.distinct() == 1 && firsts.ticks().length == 1 ? firsts.ticks()[0] : null;
    return new SeriesSpan(interval, start, end, ticksOfADay(column), column.timeOfDay() != null);
  }

  /**
   * The times of a table that is one series.
   *
   * @param times all of them
   * @param ofSegments the times of the segments that it was cut into
   * @param threshold rows that lie before the first time that may be written, that one's included,
   *     and after the last
   */
  SeriesSpan ofSingle(
      ColumnSchema column, ColumnProfile times, SeriesSpan ofSegments, int threshold) {
    long first = times.lowTicks()[0];
    long last = times.highTicks()[times.highTicks().length - 1];
    double length = ofSegments.interval() * (times.rows() - 1.0);
    if (config.timestampIntervalSeconds() != null && length != (double) last - first) {
      throw new BadInputException(
          "time_series.timestamp_interval_seconds is %,d, but the times of column '%s' have gaps; fill them, or remove the interval to learn the steps"
              .formatted(config.timestampIntervalSeconds(), column.name()));
    }
    // Positions begin at 0 in every table: the first one tells nothing of a row.
    int atStart = config.isNumbered() ? 1 : threshold;
    long start = start(times.lowTicks(), times.lowCounts(), atStart);
    long stop = GroupStages.end(times.highTicks(), times.highCounts(), threshold);
    if (start > stop && (config.startTimestamp() == null || config.stopTimestamp() == null)) {
      throw new BadInputException(
          "column '%s' has too few times for data.value_protection to let a first and a last one be written; give time_series.start_timestamp and stop_timestamp, or set data.value_protection: false"
              .formatted(column.name()));
    }
    return ofSegments.within(start, stop);
  }

  /**
   * How times of day go on, as far as enough rows show it.
   *
   * @param firsts ticks of the series' first rows
   * @param steps between the others
   */
  SeriesRules.Clock clock(TimeOfDay way, ColumnProfile firsts, ColumnProfile steps, int threshold) {
    long first = start(firsts.lowTicks(), firsts.lowCounts(), threshold);
    long last = GroupStages.end(firsts.highTicks(), firsts.highCounts(), threshold);
    boolean hasSteps = steps.highTicks().length > 0;
    long step = hasSteps ? GroupStages.end(steps.highTicks(), steps.highCounts(), threshold) : 0;
    // Of few series the fifth from below may lie above the fifth from above.
    return new SeriesRules.Clock(way, Math.min(first, last), Math.max(first, last), step);
  }

  /** The least tick at or before which enough rows lie. */
  private static long start(long[] ticks, long[] counts, int threshold) {
    long sum = 0;
    for (int i = 0; i < ticks.length; i++) {
      sum += counts[i];
      if (sum >= threshold) {
        return ticks[i];
      }
    }
    return ticks[ticks.length - 1];
  }

  /** The times as far as they are declared: nothing is looked up in the rows. */
  SeriesSpan declared(ColumnSchema column) {
    Long interval = interval(column);
    return new SeriesSpan(interval == null ? 0 : interval, null, null, ticksOfADay(column));
  }

  private Long interval(ColumnSchema column) {
    if (config.timestampIntervalSeconds() == null) {
      return null;
    }
    BigDecimal seconds = BigDecimal.valueOf(config.timestampIntervalSeconds());
    long ticksOfADay = ticksOfADay(column);
    BigDecimal ticks =
        ticksOfADay == 0
            ? seconds.scaleByPowerOfTen(column.scale())
            : seconds.multiply(BigDecimal.valueOf(ticksOfADay));
    try {
      return ticksOfADay == 0
          ? (Long) ticks.longValueExact()
          : (Long) ticks.divide(BigDecimal.valueOf(SECONDS_OF_A_DAY)).longValueExact();
    } catch (ArithmeticException e) {
      throw new BadInputException(
          "time_series.timestamp_interval_seconds is %,d, but column '%s' does not tell times that finely; give a multiple of its resolution"
              .formatted(config.timestampIntervalSeconds(), column.name()));
    }
  }

  /** What is learned of the times, with the start and stop that are asked for. */
  SeriesSpan asked(ColumnSchema column, GroupLayout learned) {
    return asked(column, learned.series(), learned.last());
  }

  /**
   * The same.
   *
   * @param last tick where series end at the latest whose stop is not known
   */
  SeriesSpan asked(ColumnSchema column, SeriesSpan learned, long last) {
    Long start = tick(column, "start_timestamp", config.startTimestamp());
    Long stop = tick(column, "stop_timestamp", config.stopTimestamp());
    if (stop != null && column.timeOfDay() != null) {
      stop = after(column, start == null ? learned.start() : start, stop);
    }
    SeriesSpan span = learned.within(start, stop);
    long end = span.stop() == null ? last : span.stop();
    if (span.start() != null && span.start() > end) {
      throw new BadInputException(
          "time_series.start_timestamp lies after %s; no row is between them"
              .formatted(
                  stop == null ? "the end of the learned series" : "time_series.stop_timestamp"));
    }
    return span;
  }

  /** The first time after a start that is the time of day of a stop. */
  private static long after(ColumnSchema column, Long start, long stop) {
    if (start == null) {
      throw new BadInputException(
          "time_series.stop_timestamp is a time of day, and the series of column '%s' start at different ones; give time_series.start_timestamp too"
              .formatted(column.name()));
    }
    return column.timeOfDay().notBefore(start + 1, stop);
  }

  private static Long tick(ColumnSchema column, String parameter, String text) {
    if (text == null) {
      return null;
    }
    try {
      if (CellReader.of(column, Set.of()).read(text) instanceof Long tick) {
        return tick;
      }
    } catch (CellReader.UnfitCellException e) {
      throw unreadable(column, parameter, text, e);
    }
    throw unreadable(column, parameter, text, null);
  }

  private static BadInputException unreadable(
      ColumnSchema column, String parameter, String text, Exception cause) {
    return new BadInputException(
        "time_series.%s is '%s', but column '%s' holds %s%s; write it so"
            .formatted(
                parameter,
                text,
                column.name(),
                column.kind().name().toLowerCase(java.util.Locale.ROOT),
                column.format() == null ? " values" : " values of the form " + column.format()),
        cause);
  }

  /** Refuses a span with more rows than one task can write and hold. */
  static void requireWritable(SeriesSpan series, double meanStep) {
    double rows = meanRowsOfSpan(series, meanStep);
    if (rows > MOST_ROWS_OF_A_SERIES) {
      throw new BadInputException(
          "the span from time_series.start_timestamp to stop_timestamp asks for %,.0f rows, but one series, whose rows are written one after the other, may have %,d; ask for a shorter span"
              .formatted(rows, MOST_ROWS_OF_A_SERIES));
    }
  }

  /**
   * Refuses a span with more rows than one task can hold of the series that it writes together.
   *
   * @param groups series that are written
   */
  static void requireWritable(GroupLayout layout, long groups) {
    if (layout.series() == null || layout.series().stop() == null) {
      return;
    }
    long together = Math.min(groups, GroupShardSampler.groups(layout));
    double rows = rowsOfSpan(layout) * together;
    if (rows > MOST_ROWS_OF_A_SERIES) {
      throw new BadInputException(
          "the span to time_series.stop_timestamp asks for up to %,.0f rows in %,d series, which one task writes together and holds; %,d are the most: ask for a shorter span or fewer series"
              .formatted(rows, together, MOST_ROWS_OF_A_SERIES));
    }
  }

  /** Rows of a series from its start to its stop, about. */
  static double meanRowsOfSpan(SeriesSpan series, double meanStep) {
    double length = Math.max(0, (double) series.stop() - series.start());
    double step = series.isRegular() ? series.interval() : meanStep;
    return Math.floor(length / step) + 1;
  }

  /** Rows of a series from its start to its stop, at most. */
  static double rowsOfSpan(GroupLayout layout) {
    long first = Arrays.stream(layout.clockLows()).min().orElse(0);
    return rowsOfSpan(layout.series(), first, layout.meanStep());
  }

  /**
   * The same.
   *
   * @param first tick where series begin at the earliest whose start is not known
   */
  static double rowsOfSpan(SeriesSpan series, long first, double meanStep) {
    long start = series.start() != null ? series.start() : first;
    double length = Math.max(0, (double) series.stop() - start);
    return series.isRegular()
        ? Math.floor(length / series.interval()) + 1
        : DENSER * (length / meanStep + 1);
  }
}
