package org.safesynth.codec;

import java.io.Serializable;

/**
 * When the rows of a group came so far: what tells a hurried group from a slow one.
 *
 * @param first tick of the group's first row
 * @param last tick of its newest row
 * @param steps rows after the first
 * @param recent mean of the steps, the newest weighing most
 */
public record Rhythm(long first, long last, int steps, double recent) implements Serializable {
  private static final double NEWEST = 0.3;

  /** A group of one row. */
  public static Rhythm of(long first) {
    return new Rhythm(first, first, 0, 0);
  }

  /** After one more row. */
  public Rhythm next(long tick) {
    double step = (double) tick - last;
    double mean = steps == 0 ? step : recent + NEWEST * (step - recent);
    return new Rhythm(first, tick, steps + 1, mean);
  }

  double mean() {
    return steps == 0 ? 0 : ((double) last - first) / steps;
  }
}
