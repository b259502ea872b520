package org.safesynth.generate;

import java.io.Serializable;
import org.safesynth.codec.SeriesSpan;

/**
 * What makes the records of a group a time series.
 *
 * @param span interval, start and stop, as far as they are known
 * @param isEnforced whether they are held to: under a grammar always
 * @param patience bad records in a row at one place after which the series is given up
 */
public record SeriesRules(SeriesSpan span, boolean isEnforced, int patience)
    implements Serializable {
  /** Records that a series is gone on from where the context is full, in training as here. */
  public static final int PRIMING = 3;
}
