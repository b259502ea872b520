package org.safesynth.generate;

import java.io.Serializable;
import org.safesynth.codec.SeriesSpan;
import org.safesynth.schema.TimeOfDay;

/**
 * What makes the records of a group a time series.
 *
 * @param span interval, start and stop, as far as they are known
 * @param isEnforced whether they are held to: under a grammar always
 * @param patience bad records in a row at one place after which the series is given up
 * @param windowRecords records after which it is gone on with in a new sequence, if the context is
 *     not full before
 * @param clock how times of day go on; null where times have dates or are none
 */
public record SeriesRules(
    SeriesSpan span, boolean isEnforced, int patience, int windowRecords, Clock clock)
    implements Serializable {
  /**
   * Times of day, whose ticks go on over midnight: a time before that of the record before is one
   * of the next day.
   *
   * @param way how they are written
   * @param first least tick of a first record
   * @param last greatest tick of a first record
   * @param step greatest one between two records: a longer one would be a way back in time
   */
  public record Clock(TimeOfDay way, long first, long last, long step) implements Serializable {}

  /**
   * Records of a window of a single series, those that prime it included: more would make too few
   * examples of one series.
   */
  public static final int SINGLE_WINDOW = 64;

  private static final int LEAST_PRIMING = 3;
  private static final int MOST_PRIMING = 16;
  private static final int PRIMED_PART = 4;

  /**
   * Records that a series is gone on from, in training as here: some of the window before, which
   * show its seasons and leave room for what is new.
   *
   * @param window records of that window
   */
  public static int priming(int window) {
    int part = Math.max(LEAST_PRIMING, Math.min(MOST_PRIMING, window / PRIMED_PART));
    return Math.min(window, part);
  }
}
