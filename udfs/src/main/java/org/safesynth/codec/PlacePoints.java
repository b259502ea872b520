package org.safesynth.codec;

/**
 * The points that a place's encoding is fitted to.
 *
 * <p>Leaves of 6 points, or of as many as value protection asks for, are reached in three steps of
 * equally many parts, at most 32: at 39,000 records 19 areas of 19 cells of 18 leaves.
 *
 * @param first (points) ticks of the first coordinate
 * @param second (points)
 * @param units lengths of a tick of either, in a measure that they have in common
 * @param records that the points stand for
 * @param threshold records that must lie in a leaf, at least
 */
public record PlacePoints(
    long[] first, long[] second, double[] units, long records, int threshold) {
  private static final int MOST_PARTS = 32;
  private static final int POINTS_OF_A_LEAF = 6;

  /**
   * @param partner the second coordinate's column
   * @param firstRange that may be written: points beyond are pulled in
   * @param secondRange as {@code firstRange}
   */
  PlaceColumn fit(int partner, long[] firstRange, long[] secondRange, boolean missing) {
    long[] one = pulledIn(first, firstRange);
    long[] two = pulledIn(second, secondRange);
    double sampled = Math.min(1, (double) first.length / records);
    int ofALeaf = (int) Math.max(POINTS_OF_A_LEAF, Math.ceil(threshold * sampled));
    int parts = (int) Math.ceil(Math.cbrt((double) first.length / ofALeaf));
    parts = Math.max(1, Math.min(MOST_PARTS, parts));
    return new PlaceColumn(
        PlaceTree.fit(one, two, units, new int[] {parts, parts, parts}, ofALeaf),
        partner,
        rounding(one),
        rounding(two),
        firstRange,
        missing);
  }

  private static long[] pulledIn(long[] ticks, long[] range) {
    long[] within = ticks.clone();
    for (int i = 0; i < within.length; i++) {
      within[i] = Math.max(range[0], Math.min(range[1], within[i]));
    }
    return within;
  }

  private static RoundSteps rounding(long[] ticks) {
    double[] weights = new double[ticks.length];
    java.util.Arrays.fill(weights, 1);
    return RoundSteps.of(NumberFit.decimalLadder(), ticks, weights);
  }
}
