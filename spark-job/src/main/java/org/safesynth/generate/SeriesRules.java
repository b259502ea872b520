package org.safesynth.generate;

import java.io.Serializable;
import org.safesynth.codec.SeriesSpan;

/**
 * What makes the records of a group a time series.
 *
 * @param span interval, start and stop, as far as they are known
 * @param isEnforced whether they are held to: under a grammar always
 * @param patience bad records in a row at one place after which the series is given up
 * @param windowRecords records after which it is gone on with in a new sequence, if the context is
 *     not full before
 */
public record SeriesRules(SeriesSpan span, boolean isEnforced, int patience, int windowRecords)
    implements Serializable {
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
