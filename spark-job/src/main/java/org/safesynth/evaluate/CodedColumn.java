package org.safesynth.evaluate;

import java.io.Serializable;

/**
 * A column whose values were made coarse: codes {@code 0 <= code < codes}, where neighbouring codes
 * of a number or date are neighbouring ranges and a missing value is a code like any other.
 */
public record CodedColumn(String name, int codes) implements Serializable {
  public CodedColumn {
    if (codes < 1) {
      throw new IllegalArgumentException("column '" + name + "' has " + codes + " codes");
    }
  }
}
