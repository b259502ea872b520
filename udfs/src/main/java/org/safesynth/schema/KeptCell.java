package org.safesynth.schema;

import java.io.Serializable;

/**
 * A given cell whose canonical value says less than itself, so that it is kept to be written: more
 * digits than the column learned, a finer time, a text of another look.
 *
 * @param canonical value by which the model takes it
 * @param exact a number of the column's type, microseconds of a time, or a text
 */
public record KeptCell(Object canonical, Object exact) implements Serializable {
  /** Canonical values of cells, of which some are kept. */
  public static Object[] canonical(Object[] cells) {
    Object[] values = cells.clone();
    for (int c = 0; c < values.length; c++) {
      if (values[c] instanceof KeptCell kept) {
        values[c] = kept.canonical();
      }
    }
    return values;
  }
}
