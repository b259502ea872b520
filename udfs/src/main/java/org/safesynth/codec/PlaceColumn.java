package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * The first of two coordinates, whose tokens tell both: area, cell and leaf of a {@link PlaceTree}.
 * What latitude and longitude have in common needs not be learned from either's bins.
 */
final class PlaceColumn implements ColumnCodec {
  private final PlaceTree tree;
  private final int partner;
  private final RoundSteps firstRounding;
  private final RoundSteps secondRounding;
  private final long[] range;
  private final boolean missing;
  private final int[] limits; // (areas) cells that each has

  /**
   * Takes a fitted place.
   *
   * @param partner the second coordinate's column
   * @param firstRounding how round the first coordinate's numbers are
   * @param range least and greatest tick of the first coordinate
   * @param missing whether a token after the areas stands for a place that is not known
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
    this.limits = new int[tree.sizes()[0] + (missing ? 1 : 0)];
    for (int area = 0; area < limits.length; area++) {
      limits[area] = area < tree.sizes()[0] ? tree.cells(area) : 1;
    }
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
    int[] sizes = tree.sizes();
    sizes[0] = limits.length;
    return sizes;
  }

  /** Writes the tokens of a place; it is missing where either coordinate is. */
  void encode(Object first, Object second, int[] tokens, int at) {
    if (first == null || second == null) {
      Arrays.fill(tokens, at, at + PlaceTree.LEVELS, 0);
      tokens[at] = missing ? tree.sizes()[0] : 0;
      return;
    }
    tree.locate((Long) first, (Long) second, tokens, at);
  }

  /** Both coordinates; null where the place is missing. */
  Long[] place(int[] tokens, int at, RandomGenerator random) {
    return tokens[at] >= tree.sizes()[0]
        ? null
        : tree.draw(tokens, at, firstRounding, secondRounding, random);
  }

  /**
   * What one coordinate tells of a position's tokens, as logarithms of densities.
   *
   * @param tokens of the record, those of the place from {@code at} on
   * @param axis 0 for the first coordinate, 1 for the second
   * @return (V) minus infinity for tokens that it rules out
   */
  float[] known(int position, int[] tokens, int at, int axis, long tick) {
    float[] of = tree.known(position, tokens, at, axis, tick);
    if (position > 0 || !missing) {
      return of;
    }
    float[] all = Arrays.copyOf(of, of.length + 1);
    all[of.length] = Float.NEGATIVE_INFINITY;
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
    return missing ? tree.sizes()[0] : -1;
  }

  @Override
  public int[] limits(int position) {
    return position == 1 ? limits.clone() : null;
  }

  @Override
  public boolean isComparable() {
    return true;
  }
}
