package org.safesynth.codec;

/**
 * The points that a place's encoding is fitted to.
 *
 * <p>Of n records there are n/128 cells, 16 to 256, with leaves of 12 points, or of as many as
 * value protection asks for, at most 32 to a cell: as fine as the bins of single numbers.
 *
 * @param first (points) ticks of the first coordinate
 * @param second (points)
 * @param units lengths of a tick of either, in a measure that they have in common
 * @param records that the points stand for
 * @param threshold records that must lie in a leaf, at least
 */
public record PlacePoints(
    long[] first, long[] second, double[] units, long records, int threshold) {
  private static final int LEAST_CELLS = 16;
  private static final int MOST_CELLS = 256;
  private static final int RECORDS_OF_A_CELL = 128;
  private static final int MOST_LEAVES = 32;
  private static final int POINTS_OF_A_LEAF = 12;

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
    long cells = Math.max(LEAST_CELLS, Math.min(MOST_CELLS, records / RECORDS_OF_A_CELL));
    cells = Math.max(1, Math.min(cells, first.length / ofALeaf));
    return new PlaceColumn(
        PlaceTree.fit(one, two, units, (int) cells, ofALeaf, MOST_LEAVES),
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
