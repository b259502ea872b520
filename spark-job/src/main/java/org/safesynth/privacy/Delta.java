package org.safesynth.privacy;

import java.io.Serializable;
import org.safesynth.fault.BadInputException;

/** The probability δ with which the bound of ε may fail, between 0 and 1 exclusive. */
public record Delta(double value) implements Serializable {
  private static final double FEW_UNITS = 100;

  public Delta {
    if (!(value > 0 && value < 1)) {
      throw new BadInputException(
          "delta is %s, but must lie between 0 and 1, both excluded: Gaussian noise gives no guarantee at delta 0; write auto, or a number below 1 / (number of records)"
              .formatted(value));
    }
  }

  /**
   * What {@code auto} means: n^-1.2 for n ≥ 100 units, else 0.1 / n. In a private run n is the
   * declared or the noisy number of units, never the exact one, since δ is published.
   */
  public static Delta automatic(double units) {
    if (!(units >= 1 && units < Double.POSITIVE_INFINITY)) {
      throw new BadInputException(
          "delta: auto needs the number of privacy units, which is %s; give at least 1"
              .formatted(units));
    }
    return new Delta(units >= FEW_UNITS ? Math.pow(units, -1.2) : 0.1 / units);
  }
}
