package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A number or date as one token, made without looking at the data: cells of a public grid, and bins
 * of neighbouring cells, which are the tokens. Reading draws a cell of the bin by weight (public or
 * noisy), then a tick of the cell, as round as numbers of its size are. What lies outside the grid
 * takes its nearest cell.
 */
final class CellBinsColumn implements ColumnCodec {
  private final long[] lows;
  private final long high;
  private final int[] firstCells;
  private final double[] weights;
  private final boolean missing;
  private final List<RoundSteps> rounding; // (digits of a number) or null

  /**
   * Takes a grid.
   *
   * @param lows (cells) least tick of each cell, ascending; a cell ends before the next begins
   * @param high greatest tick of the last cell
   * @param firstCells (bins) first cell of each bin, ascending from 0
   * @param weights (cells) how likely each is within its bin; a bin of zeros takes them alike
   * @param missing whether a token after the bins stands for a missing value
   * @param rounding how round numbers of each size are ({@link Roundness#size}); null where nothing
   *     is known of it
   */
  @JsonCreator
  CellBinsColumn(
      @JsonProperty("lows") long[] lows,
      @JsonProperty("high") long high,
      @JsonProperty("first_cells") int[] firstCells,
      @JsonProperty("weights") double[] weights,
      @JsonProperty("missing") boolean missing,
      @JsonProperty("rounding") List<RoundSteps> rounding) {
    if (lows.length == 0 || weights.length != lows.length || high < lows[lows.length - 1]) {
      throw new IllegalArgumentException("a grid has cells, each with a weight");
    }
    if (firstCells.length == 0 || firstCells[0] != 0) {
      throw new IllegalArgumentException("the first bin begins with the first cell");
    }
    this.lows = lows.clone();
    this.high = high;
    this.firstCells = firstCells.clone();
    this.weights = weights.clone();
    this.missing = missing;
    this.rounding = rounding == null ? null : List.copyOf(rounding);
  }

  @JsonProperty("lows")
  long[] lows() {
    return lows.clone();
  }

  @JsonProperty("high")
  long high() {
    return high;
  }

  @JsonProperty("first_cells")
  int[] firstCells() {
    return firstCells.clone();
  }

  @JsonProperty("weights")
  double[] weights() {
    return weights.clone();
  }

  @JsonProperty("missing")
  boolean missing() {
    return missing;
  }

  @JsonProperty("rounding")
  List<RoundSteps> rounding() {
    return rounding;
  }

  @Override
  public int[] sizes() {
    return new int[] {firstCells.length + (missing ? 1 : 0)};
  }

  @Override
  public void encode(Object value, int[] out, int at) {
    if (value == null) {
      out[at] = missing ? firstCells.length : 0;
      return;
    }
    out[at] = last(firstCells, cell((Long) value));
  }

  /** Counts of cells, then of missing values, added up by token. */
  double[] sums(double[] ofCells) {
    double[] sums = new double[sizes()[0]];
    for (int cell = 0; cell < lows.length; cell++) {
      sums[last(firstCells, cell)] += ofCells[cell];
    }
    if (missing) {
      sums[firstCells.length] = ofCells[lows.length];
    }
    return sums;
  }

  /** Between the least and the greatest tick of a cell. */
  double middle(int cell) {
    long end = cell + 1 < lows.length ? lows[cell + 1] - 1 : high;
    return lows[cell] + ((double) end - lows[cell]) / 2;
  }

  private int cell(long tick) {
    int found = Arrays.binarySearch(lows, tick);
    return found >= 0 ? found : Math.max(0, -found - 2);
  }

  /** Index of the last entry that is not above {@code value}. */
  private static int last(int[] ascending, int value) {
    int found = Arrays.binarySearch(ascending, value);
    return found >= 0 ? found : -found - 2;
  }

  @Override
  public Object decode(int[] in, int at, long record, RandomGenerator random) {
    int bin = in[at];
    if (bin >= firstCells.length) {
      return null;
    }
    int from = firstCells[bin];
    int to = bin + 1 < firstCells.length ? firstCells[bin + 1] : lows.length;
    int cell = drawCell(from, to, random);
    long end = cell + 1 < lows.length ? lows[cell + 1] - 1 : high;
    if (rounding != null && lows[cell] < end) {
      int size = Roundness.size(lows[cell] + (end - lows[cell]) / 2);
      return rounding.get(Math.min(rounding.size() - 1, size)).draw(lows[cell], end, random);
    }
    return lows[cell] == end ? end : random.nextLong(lows[cell], Math.addExact(end, 1));
  }

  private int drawCell(int from, int to, RandomGenerator random) {
    double total = 0;
    for (int cell = from; cell < to; cell++) {
      total += weights[cell];
    }
    if (!(total > 0)) {
      return random.nextInt(from, to);
    }
    double left = random.nextDouble() * total;
    for (int cell = from; cell < to; cell++) {
      left -= weights[cell];
      if (left < 0) {
        return cell;
      }
    }
    return to - 1;
  }

  @Override
  public Acceptance acceptance(Object value) {
    long tick = (Long) value;
    return tick >= lows[0] && tick <= high ? Acceptance.EXACT : Acceptance.NEAREST;
  }

  @Override
  public long[] range() {
    return new long[] {lows[0], high};
  }

  @Override
  public int missingToken() {
    return missing ? firstCells.length : -1;
  }

  @Override
  public boolean isComparable() {
    return true;
  }
}
