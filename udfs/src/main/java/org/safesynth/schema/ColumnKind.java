package org.safesynth.schema;

/** How a column's values are read, encoded and written. */
public enum ColumnKind {
  /** Whole numbers; a value is its own tick. */
  INTEGER,
  /** Decimal numbers; a tick is one unit of the last decimal place. */
  DECIMAL,
  /** Values of a finite set, as text. */
  CATEGORICAL,
  /** True or false. */
  BOOLEAN,
  /** Days; a tick is one day since 1970-01-01. */
  DATE,
  /**
   * Instants or local date-times; a tick is {@link ColumnSchema#resolutionMicros} microseconds
   * since the epoch.
   */
  TIMESTAMP,
  /** Free text. */
  TEXT,
  /** All distinct and without meaning of its own: keys, account numbers, UUIDs. */
  IDENTIFIER;

  /** Whether values of this kind are whole numbers of ticks on a line. */
  public boolean isNumeric() {
    return this == INTEGER || this == DECIMAL || this == DATE || this == TIMESTAMP;
  }
}
