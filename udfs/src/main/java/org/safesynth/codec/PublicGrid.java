package org.safesynth.codec;

import java.util.ArrayList;
import java.util.List;

/**
 * Cells for the ticks of a range, chosen from the range alone: every tick where there are few, else
 * cells that grow with the distance from zero (or from the end of the range nearest to it), as
 * prices, counts and durations do, and never wider than a fixed part of the range.
 */
final class PublicGrid {
  private static final int MOST_SINGLE = 512;
  private static final int CELLS_OF_AN_OCTAVE = 16;
  private static final int LEAST_CELLS = 64;

  private PublicGrid() {}

  /** The least tick of each cell, ascending. */
  static long[] lows(long min, long max) {
    double span = (double) max - min + 1;
    if (span <= MOST_SINGLE) {
      return java.util.stream.LongStream.rangeClosed(min, max).toArray();
    }
    long anchor = Math.max(min, Math.min(max, 0));
    long widest = Math.max(1, (long) (span / LEAST_CELLS));
    List<Long> below = new ArrayList<>();
    for (long at = anchor; at > min; ) {
      long width = Math.min(width(anchor - at, widest), at - min);
      at -= width;
      below.add(0, at);
    }
    List<Long> lows = new ArrayList<>(below);
    for (long at = anchor; at <= max && at >= anchor; ) {
      lows.add(at);
      long width = width(at - anchor, widest);
      if (width > max - at) {
        break;
      }
      at += width;
    }
    return lows.stream().mapToLong(Long::longValue).toArray();
  }

  private static long width(long distance, long widest) {
    return Math.min(widest, Math.max(1, Long.highestOneBit(distance) / CELLS_OF_AN_OCTAVE));
  }
}
