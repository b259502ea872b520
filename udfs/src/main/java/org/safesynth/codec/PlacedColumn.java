package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.random.RandomGenerator;

/**
 * The second of two coordinates: a position of one token, since those of the first ({@link
 * PlaceColumn}) tell both.
 */
final class PlacedColumn implements ColumnCodec {
  private final long[] range;

  /**
   * @param range least and greatest tick
   */
  @JsonCreator
  PlacedColumn(@JsonProperty("range") long[] range) {
    this.range = range.clone();
  }

  @Override
  @JsonProperty("range")
  public long[] range() {
    return range.clone();
  }

  @Override
  public int[] sizes() {
    return new int[] {1};
  }

  @Override
  public void encode(Object value, int[] tokens, int at) {
    tokens[at] = 0;
  }

  @Override
  public Object decode(int[] tokens, int at, long record, RandomGenerator random) {
    throw new IllegalStateException("the first coordinate's tokens tell the second");
  }

  @Override
  public Acceptance acceptance(Object value) {
    long tick = (Long) value;
    return tick >= range[0] && tick <= range[1] ? Acceptance.EXACT : Acceptance.NEAREST;
  }

  @Override
  public int missingToken() {
    return -1;
  }

  @Override
  public boolean isComparable() {
    return false;
  }
}
