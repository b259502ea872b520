package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.Serializable;
import java.util.Arrays;

/**
 * Cells of a line of ticks: single ticks (spikes) and closed intervals, in order. A tick belongs to
 * its spike, else to the first interval that ends at or after it, else to the last cell.
 */
final class TickPartition implements Serializable {
  private final long[] low;
  private final long[] high;
  private final boolean[] spike;
  private final long[] spikeTicks;
  private final int[] spikeCells;
  private final long[] intervalEnds;
  private final int[] intervalCells;

  /**
   * Takes cells in ascending order.
   *
   * @param low (cells) least tick of each cell
   * @param high (cells) greatest tick of each cell
   * @param spike (cells) whether the cell is a single tick that may lie inside an interval
   */
  @JsonCreator
  TickPartition(
      @JsonProperty("low") long[] low,
      @JsonProperty("high") long[] high,
      @JsonProperty("spike") boolean[] spike) {
    if (low.length == 0 || low.length != high.length || low.length != spike.length) {
      throw new IllegalArgumentException("a partition needs cells with both ends");
    }
    this.low = low.clone();
    this.high = high.clone();
    this.spike = spike.clone();
    int spikes = 0;
    for (boolean s : spike) {
      spikes += s ? 1 : 0;
    }
    spikeTicks = new long[spikes];
    spikeCells = new int[spikes];
    intervalEnds = new long[low.length - spikes];
    intervalCells = new int[low.length - spikes];
    int s = 0;
    int t = 0;
    for (int cell = 0; cell < low.length; cell++) {
      if (spike[cell]) {
        spikeTicks[s] = low[cell];
        spikeCells[s++] = cell;
      } else {
        intervalEnds[t] = high[cell];
        intervalCells[t++] = cell;
      }
    }
  }

  @JsonProperty("low")
  long[] low() {
    return low.clone();
  }

  @JsonProperty("high")
  long[] high() {
    return high.clone();
  }

  @JsonProperty("spike")
  boolean[] spike() {
    return spike.clone();
  }

  int cells() {
    return low.length;
  }

  long low(int cell) {
    return low[cell];
  }

  long high(int cell) {
    return high[cell];
  }

  boolean isSpike(int cell) {
    return spike[cell];
  }

  /** Whether a spike of its own stands at the tick. */
  boolean hasSpikeAt(long tick) {
    return Arrays.binarySearch(spikeTicks, tick) >= 0;
  }

  /** The cell that a tick belongs to. */
  int locate(long tick) {
    int s = Arrays.binarySearch(spikeTicks, tick);
    if (s >= 0) {
      return spikeCells[s];
    }
    if (intervalEnds.length == 0) {
      return spikeCells[NumberSetColumn.nearest(spikeTicks, tick)];
    }
    int t = Arrays.binarySearch(intervalEnds, tick);
    int first = t >= 0 ? t : -t - 1;
    return intervalCells[Math.min(first, intervalEnds.length - 1)];
  }
}
