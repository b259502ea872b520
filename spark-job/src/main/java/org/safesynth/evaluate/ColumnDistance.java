package org.safesynth.evaluate;

/**
 * The Jensen-Shannon distance of one column's two distributions, by the reference's rules.
 *
 * @param distance 0 (equal) to 1; NaN when the column cannot be compared
 * @param histogram for a plot; null when it cannot be compared
 * @param reason why it cannot be compared, or null
 */
record ColumnDistance(double distance, Histogram histogram, String reason) {
  /**
   * Numbers on both sides are compared in bins, anything else by value, a missing one among them.
   */
  static ColumnDistance of(
      FrameColumn real, ColumnType realType, FrameColumn synthetic, ColumnType syntheticType) {
    if (realType == ColumnType.NUMERIC && syntheticType == ColumnType.NUMERIC) {
      double[] realNumbers = real.sortedNumbers();
      double[] syntheticNumbers = synthetic.sortedNumbers();
      NumericBins bins = NumericBins.doane(realNumbers, syntheticNumbers);
      return new ColumnDistance(
          JensenShannon.distance(bins.count(realNumbers), bins.count(syntheticNumbers)),
          Histogram.ofNumbers(bins, realNumbers, syntheticNumbers),
          null);
    }
    if (!realType.isTabular() || !syntheticType.isTabular()) {
      String reason =
          "the real column is %s and the synthetic one %s"
              .formatted(word(realType), word(syntheticType));
      return new ColumnDistance(Double.NaN, null, reason);
    }
    Categories categories = Categories.of(real, synthetic);
    return new ColumnDistance(
        JensenShannon.distance(categories.realCounts(), categories.syntheticCounts()),
        Histogram.ofCategories(categories),
        null);
  }

  private static String word(ColumnType type) {
    return type == ColumnType.EMPTY
        ? "empty"
        : type == ColumnType.OTHER
            ? "of other values (names, keys)"
            : type.name().toLowerCase(java.util.Locale.ROOT);
  }
}
