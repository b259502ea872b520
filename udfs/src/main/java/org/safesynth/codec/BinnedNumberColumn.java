package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A number or date of many distinct values as two tokens: a bin (a spike or a quantile), then the
 * same split inside the bin. Reading draws from the leaf's integer grid.
 */
final class BinnedNumberColumn implements ColumnCodec {
  private final TickPartition bins;
  private final List<TickPartition> leaves;
  private final List<RoundSteps> rounding;
  private final Tail lowerTail;
  private final Tail upperTail;
  private final boolean missing;
  private final int[] limits;
  private final int mostLeaves;

  /**
   * Takes a fitted column.
   *
   * @param bins the first token's cells
   * @param leaves (bins) the second token's cells
   * @param rounding (bins) how round the bin's numbers are
   * @param lowerTail fitted low tail, or null
   * @param upperTail fitted high tail, or null
   * @param missing whether a token after the bins stands for a missing value
   */
  @JsonCreator
  BinnedNumberColumn(
      @JsonProperty("bins") TickPartition bins,
      @JsonProperty("leaves") List<TickPartition> leaves,
      @JsonProperty("rounding") List<RoundSteps> rounding,
      @JsonProperty("lower_tail") Tail lowerTail,
      @JsonProperty("upper_tail") Tail upperTail,
      @JsonProperty("missing") boolean missing) {
    if (bins.cells() != leaves.size() || bins.cells() != rounding.size()) {
      throw new IllegalArgumentException("every bin needs leaves and rounding");
    }
    this.bins = bins;
    this.leaves = List.copyOf(leaves);
    this.rounding = List.copyOf(rounding);
    this.lowerTail = lowerTail;
    this.upperTail = upperTail;
    this.missing = missing;
    this.limits = new int[bins.cells() + (missing ? 1 : 0)];
    int most = 1;
    for (int i = 0; i < limits.length; i++) {
      limits[i] = i < bins.cells() ? leaves.get(i).cells() : 1;
      most = Math.max(most, limits[i]);
    }
    this.mostLeaves = most;
  }

  @JsonProperty("bins")
  TickPartition bins() {
    return bins;
  }

  @JsonProperty("leaves")
  List<TickPartition> leaves() {
    return leaves;
  }

  @JsonProperty("rounding")
  List<RoundSteps> rounding() {
    return rounding;
  }

  @JsonProperty("lower_tail")
  Tail lowerTail() {
    return lowerTail;
  }

  @JsonProperty("upper_tail")
  Tail upperTail() {
    return upperTail;
  }

  @JsonProperty("missing")
  boolean missing() {
    return missing;
  }

  @Override
  public int[] sizes() {
    return new int[] {limits.length, mostLeaves};
  }

  @Override
  public void encode(Object value, int[] out, int at) {
    if (value == null) {
      out[at] = missing ? bins.cells() : 0;
      out[at + 1] = 0;
      return;
    }
    long tick = (Long) value;
    int bin = bins.locate(tick);
    out[at] = bin;
    out[at + 1] = leaves.get(bin).locate(tick);
  }

  @Override
  public Object decode(int[] in, int at, long record, RandomGenerator random) {
    int bin = in[at];
    if (bin >= bins.cells()) {
      return null;
    }
    TickPartition inside = leaves.get(bin);
    int leaf = Math.min(in[at + 1], inside.cells() - 1);
    long low = inside.low(leaf);
    long high = inside.high(leaf);
    if (low == high) {
      return low;
    }
    for (int tries = 0; tries < 4; tries++) {
      long tick = draw(bin, low, high, random);
      if (!isSpike(inside, tick)) {
        return tick;
      }
    }
    return freeTick(inside, low, high, random);
  }

  private boolean isSpike(TickPartition inside, long tick) {
    return bins.hasSpikeAt(tick) || inside.hasSpikeAt(tick);
  }

  /**
   * A tick of the closed interval on which no spike stands. There is one, since the interval was
   * cut around ticks that are no spikes; its own ends may be spikes, where it was widened to them.
   */
  private long freeTick(TickPartition inside, long low, long high, RandomGenerator random) {
    long tick = random.nextLong(low, Math.addExact(high, 1));
    for (int i = 0; i <= bins.cells() + inside.cells() && isSpike(inside, tick); i++) {
      tick = tick == high ? low : tick + 1;
    }
    return tick;
  }

  private long draw(int bin, long low, long high, RandomGenerator random) {
    if (upperTail != null && upperTail.covers(low, high)) {
      return upperTail.draw(low, high, random);
    }
    if (lowerTail != null && lowerTail.covers(low, high)) {
      return lowerTail.draw(low, high, random);
    }
    return rounding.get(bin).draw(low, high, random);
  }

  @Override
  public Acceptance acceptance(Object value) {
    long tick = (Long) value;
    boolean within = tick >= bins.low(0) && tick <= bins.high(bins.cells() - 1);
    return within ? Acceptance.EXACT : Acceptance.NEAREST;
  }

  @Override
  public long leastTick(int token) {
    return token < bins.cells() ? bins.low(token) : Long.MIN_VALUE;
  }

  @Override
  public long[] range() {
    return new long[] {bins.low(0), bins.high(bins.cells() - 1)};
  }

  @Override
  public int missingToken() {
    return missing ? bins.cells() : -1;
  }

  @Override
  public int[] limits(int position) {
    return position == 0 ? null : limits.clone();
  }

  @Override
  public boolean isComparable() {
    return true;
  }
}
