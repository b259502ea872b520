package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * A number of few distinct values as one token: the values in order, then "missing". A number that
 * is not among them takes the token of the nearest, so that the protected ends hold what was pulled
 * in.
 */
final class NumberSetColumn implements ColumnCodec {
  private final long[] values;
  private final boolean missing;

  @JsonCreator
  NumberSetColumn(@JsonProperty("values") long[] values, @JsonProperty("missing") boolean missing) {
    if (values.length == 0) {
      throw new IllegalArgumentException("a set of numbers has at least one");
    }
    this.values = values.clone();
    this.missing = missing;
  }

  @JsonProperty("values")
  long[] values() {
    return values.clone();
  }

  @JsonProperty("missing")
  boolean missing() {
    return missing;
  }

  @Override
  public int[] sizes() {
    return new int[] {values.length + (missing ? 1 : 0)};
  }

  @Override
  public void encode(Object value, int[] out, int at) {
    if (value == null) {
      out[at] = missing ? values.length : 0;
      return;
    }
    out[at] = nearest(values, (Long) value);
  }

  /** Index of the value that is nearest to {@code tick}, the lower one of two at equal distance. */
  static int nearest(long[] sorted, long tick) {
    int i = Arrays.binarySearch(sorted, tick);
    if (i >= 0) {
      return i;
    }
    int above = -i - 1;
    if (above == 0) {
      return 0;
    }
    if (above == sorted.length) {
      return sorted.length - 1;
    }
    // Differences of longs may overflow; as unsigned numbers they are right.
    long down = tick - sorted[above - 1];
    long up = sorted[above] - tick;
    return Long.compareUnsigned(up, down) < 0 ? above : above - 1;
  }

  @Override
  public Object decode(int[] in, int at, long record, RandomGenerator random) {
    return in[at] < values.length ? values[in[at]] : null;
  }

  @Override
  public Acceptance acceptance(Object value) {
    return Arrays.binarySearch(values, (Long) value) >= 0 ? Acceptance.EXACT : Acceptance.NEAREST;
  }

  @Override
  public long leastTick(int token) {
    return token < values.length ? values[token] : Long.MIN_VALUE;
  }

  @Override
  public long[] range() {
    return new long[] {values[0], values[values.length - 1]};
  }

  @Override
  public int missingToken() {
    return missing ? values.length : -1;
  }

  @Override
  public boolean isComparable() {
    return true;
  }
}
