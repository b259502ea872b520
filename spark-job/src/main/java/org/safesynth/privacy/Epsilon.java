package org.safesynth.privacy;

import java.io.Serializable;
import org.safesynth.fault.BadInputException;

/** A privacy budget: the ε of (ε, δ)-differential privacy, above 0. */
public record Epsilon(double value) implements Serializable {
  /** Above this, the guarantee is so weak that a run says so. */
  public static final double WEAK = 12;

  public Epsilon {
    if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
      throw new BadInputException(
          "epsilon is %s, but a privacy budget is a number above 0; typical are 1 to 8"
              .formatted(value));
    }
  }
}
