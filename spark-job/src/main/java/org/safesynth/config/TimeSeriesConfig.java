package org.safesynth.config;

import java.io.Serializable;
import java.util.Set;

/** Tables whose rows are moments of one or several series. */
@Section("Tables whose rows are moments of one or several series")
public record TimeSeriesConfig(
    @Parameter(meaning = "Whether the table is a time series", byDefault = "false")
        boolean isTimeseries,
    @Parameter(
            meaning = "Column with the time; null numbers the rows by the interval",
            byDefault = "null",
            note = "needs time_series.is_timeseries: true")
        String timestampColumn,
    @Parameter(meaning = "Seconds between two rows; null infers them", byDefault = "null", min = 1)
        Long timestampIntervalSeconds,
    @Parameter(
            meaning = "strftime codes, or elapsed_seconds; null infers them",
            byDefault = "null",
            note = "for example \"%Y-%m-%d %H:%M:%S\", or \"%H:%M\" for times of day")
        String timestampFormat,
    @Parameter(meaning = "Time of the first row; null takes the data's", byDefault = "null")
        String startTimestamp,
    @Parameter(meaning = "Time of the last row; null takes the data's", byDefault = "null")
        String stopTimestamp)
    implements Serializable {

  /** The same series, from the start to the stop that another one names, if it does. */
  public TimeSeriesConfig within(TimeSeriesConfig span) {
    return new TimeSeriesConfig(
        isTimeseries,
        timestampColumn,
        timestampIntervalSeconds,
        timestampFormat,
        span.startTimestamp() == null ? startTimestamp : span.startTimestamp(),
        span.stopTimestamp() == null ? stopTimestamp : span.stopTimestamp());
  }

  /** Whether the rows have no times of their own and get them by their positions. */
  public boolean isNumbered() {
    return isTimeseries && timestampColumn == null && timestampIntervalSeconds != null;
  }

  /** The column of the times, the rows' own or the one that they get. */
  public String timeColumn() {
    return isNumbered() ? ELAPSED_SECONDS : timestampColumn;
  }

  /** Whether the format is one of times without a date. */
  boolean isOfDay() {
    return timestampFormat != null
        && Set.of("%H:%M:%S", "%H:%M", "%T", "%R", "%X").contains(timestampFormat);
  }

  /** The format of times that are seconds since the start. */
  public static final String ELAPSED_SECONDS = "elapsed_seconds";
}
