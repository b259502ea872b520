package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.random.RandomGenerator;

/**
 * The first of two coordinates, whose tokens tell both: the cell of a {@link PlaceTree}, then the
 * leaf in it. What latitude and longitude have in common needs not be learned from either's bins.
 */
final class PlaceColumn implements ColumnCodec {
  private final PlaceTree tree;
  private final int partner;
  private final RoundSteps firstRounding;
  private final RoundSteps secondRounding;
  private final long[] range;
  private final boolean missing;
  private final int[] limits;
  private final int mostLeaves;

  /**
   * Takes a fitted place.
   *
   * @param partner the second coordinate's column
   * @param firstRounding how round the first coordinate's numbers are
   * @param range least and greatest tick of the first coordinate
   * @param missing whether a token after the cells stands for a place that is not known
   */
  @JsonCreator
  PlaceColumn(
      @JsonProperty("tree") PlaceTree tree,
      @JsonProperty("partner") int partner,
      @JsonProperty("first_rounding") RoundSteps firstRounding,
      @JsonProperty("second_rounding") RoundSteps secondRounding,
      @JsonProperty("range") long[] range,
      @JsonProperty("missing") boolean missing) {
    this.tree = tree;
    this.partner = partner;
    this.firstRounding = firstRounding;
    this.secondRounding = secondRounding;
    this.range = range.clone();
    this.missing = missing;
    this.limits = new int[tree.cells() + (missing ? 1 : 0)];
    int most = 1;
    for (int cell = 0; cell < limits.length; cell++) {
      limits[cell] = cell < tree.cells() ? tree.leaves(cell) : 1;
      most = Math.max(most, limits[cell]);
    }
    this.mostLeaves = most;
  }

  @JsonProperty("tree")
  PlaceTree tree() {
    return tree;
  }

  @JsonProperty("partner")
  int partner() {
    return partner;
  }

  @JsonProperty("first_rounding")
  RoundSteps firstRounding() {
    return firstRounding;
  }

  @JsonProperty("second_rounding")
  RoundSteps secondRounding() {
    return secondRounding;
  }

  @JsonProperty("missing")
  boolean missing() {
    return missing;
  }

  @Override
  @JsonProperty("range")
  public long[] range() {
    return range.clone();
  }

  @Override
  public int[] sizes() {
    return new int[] {limits.length, mostLeaves};
  }

  /** Writes the tokens of a place; it is missing where either coordinate is. */
  void encode(Object first, Object second, int[] tokens, int at) {
    if (first == null || second == null) {
      tokens[at] = missing ? tree.cells() : 0;
      tokens[at + 1] = 0;
      return;
    }
    tree.locate((Long) first, (Long) second, tokens, at);
  }

  /** Both coordinates; null where the place is missing. */
  Long[] place(int[] tokens, int at, RandomGenerator random) {
    return tokens[at] >= tree.cells()
        ? null
        : tree.draw(tokens[at], tokens[at + 1], firstRounding, secondRounding, random);
  }

  /**
   * What one coordinate tells of a position's tokens, as logarithms of densities.
   *
   * @param axis 0 for the first coordinate, 1 for the second
   * @param before the cell, for the position of the leaf
   * @return (V) minus infinity for tokens that it rules out
   */
  float[] known(int position, int before, int axis, long tick) {
    int size = sizes()[position];
    float[] all = new float[size];
    java.util.Arrays.fill(all, Float.NEGATIVE_INFINITY);
    float[] of =
        position == 0
            ? tree.cellsAt(axis, tick)
            : tree.leavesAt(Math.min(before, tree.cells() - 1), axis, tick);
    System.arraycopy(of, 0, all, 0, of.length);
    return all;
  }

  @Override
  public void encode(Object value, int[] tokens, int at) {
    throw new IllegalStateException("a place has two coordinates");
  }

  @Override
  public Object decode(int[] tokens, int at, long record, RandomGenerator random) {
    throw new IllegalStateException("a place has two coordinates");
  }

  @Override
  public Acceptance acceptance(Object value) {
    long tick = (Long) value;
    return tick >= range[0] && tick <= range[1] ? Acceptance.EXACT : Acceptance.NEAREST;
  }

  @Override
  public int missingToken() {
    return missing ? tree.cells() : -1;
  }

  @Override
  public boolean isWritable(int position, int token) {
    return true;
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
