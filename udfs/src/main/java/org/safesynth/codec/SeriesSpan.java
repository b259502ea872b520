package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.Serializable;
import java.time.LocalDate;

/**
 * The times of a table of series: how far apart their rows are, and where they begin and end.
 *
 * @param interval ticks between two rows; 0 where they vary
 * @param start tick of every series' first row; null where they begin at different times
 * @param stop last tick of every series; null where they end at different times
 * @param ticksOfADay 0 for times that are no dates
 * @param isTimeOfDay whether times have no date, so that their day means nothing
 */
public record SeriesSpan(
    @JsonProperty("interval") long interval,
    @JsonProperty("start") Long start,
    @JsonProperty("stop") Long stop,
    @JsonProperty("ticks_of_a_day") long ticksOfADay,
    @JsonProperty("time_of_day") boolean isTimeOfDay)
    implements Serializable {
  private static final int HOURS = 24;
  private static final int WEEKDAYS = 7;

  /** Numbers, or times with their dates. */
  public SeriesSpan(long interval, Long start, Long stop, long ticksOfADay) {
    this(interval, start, stop, ticksOfADay, false);
  }

  public boolean isRegular() {
    return interval > 0;
  }

  /** The same with another beginning and end; null leaves one as it is. */
  public SeriesSpan within(Long newStart, Long newStop) {
    return new SeriesSpan(
        interval,
        newStart == null ? start : newStart,
        newStop == null ? stop : newStop,
        ticksOfADay,
        isTimeOfDay);
  }

  /**
   * Where a time stands in the seasons, which at a fixed interval tells where the next one does:
   * the weekday, and the hour where rows are less than a day apart, else the month; each from 1, 0
   * where times are no dates.
   */
  int[] phases(long tick) {
    if (ticksOfADay == 0) {
      return new int[] {0, 0};
    }
    long day = Math.floorDiv(tick, ticksOfADay);
    int weekday = isTimeOfDay ? 0 : 1 + (int) Math.floorMod(day, (long) WEEKDAYS);
    if (interval < ticksOfADay) {
      double part = (double) Math.floorMod(tick, ticksOfADay) / ticksOfADay;
      return new int[] {weekday, 1 + (int) (HOURS * part)};
    }
    return new int[] {weekday, LocalDate.ofEpochDay(day).getMonthValue()};
  }
}
