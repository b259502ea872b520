package org.safesynth.evaluate;

/** How a table holds a column's values, before anyone asks what they mean. */
public enum Storage {
  /** Whole numbers without a missing one. */
  INTEGER,
  /** Numbers with a fraction, or whole ones of which some are missing. */
  FLOAT,
  /** Days since 1970-01-01, with a fraction for the time of day: measured like numbers. */
  DATE,
  /** The texts {@code true} and {@code false}. */
  BOOLEAN,
  /** Texts. */
  TEXT;

  /** Whether values are held as doubles; else as texts. */
  public boolean isNumber() {
    return this == INTEGER || this == FLOAT || this == DATE;
  }
}
