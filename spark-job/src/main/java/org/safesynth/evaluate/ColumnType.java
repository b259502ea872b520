package org.safesynth.evaluate;

/**
 * What a column's values look like, by the reference's rules: decides which measures look at it.
 */
public enum ColumnType {
  /** No value at all. */
  EMPTY,
  /** Two distinct values. */
  BINARY,
  NUMERIC,
  CATEGORICAL,
  /** More than two spaces in a value on average. */
  TEXT,
  /** Names, keys, codes: no measure of distributions looks at it. */
  OTHER;

  private static final int MOST_INTEGER_CATEGORIES = 10;
  private static final double REPEATED = 0.9;
  private static final double REPEATED_OF_FEW = 0.7;
  private static final int FEW = 50;
  private static final int SPACES_OF_TEXT = 2;

  public boolean isTabular() {
    return this == BINARY || this == CATEGORICAL || this == NUMERIC;
  }

  public boolean isNominal() {
    return this == BINARY || this == CATEGORICAL;
  }

  /** The type of a sampled column: the first rule that fits. */
  public static ColumnType of(FrameColumn column) {
    int values = column.rows() - column.missing();
    int distinct = column.distinct();
    if (values == 0) {
      return EMPTY;
    }
    if (distinct == 2) {
      return BINARY;
    }
    if (column.storage() == Storage.FLOAT || column.storage() == Storage.DATE) {
      return NUMERIC;
    }
    if (column.storage() == Storage.INTEGER) {
      boolean isCode = distinct <= MOST_INTEGER_CATEGORIES && column.sortedNumbers()[0] >= 0;
      return isCode ? CATEGORICAL : NUMERIC;
    }
    if (column.storage() == Storage.BOOLEAN) {
      return CATEGORICAL; // one value: two are BINARY
    }
    double repeated = (values - distinct) / (double) values;
    if (repeated >= REPEATED || (repeated >= REPEATED_OF_FEW && values <= FEW)) {
      return CATEGORICAL;
    }
    return meanSpaces(column, values) > SPACES_OF_TEXT ? TEXT : OTHER;
  }

  private static double meanSpaces(FrameColumn column, int values) {
    long spaces = 0;
    for (int row = 0; row < column.rows(); row++) {
      String text = column.text(row);
      spaces += text == null ? 0 : text.chars().filter(c -> c == ' ').count();
    }
    return (double) spaces / values;
  }
}
