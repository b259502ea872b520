package org.safesynth.privacy;

import java.io.Serializable;
import org.safesynth.fault.BadInputException;

/** σ: the standard deviation of the noise divided by the L2 sensitivity of what it hides. */
public record NoiseMultiplier(double value) implements Serializable {
  public NoiseMultiplier {
    if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
      throw new BadInputException(
          "the noise multiplier is %s, but must be a number above 0: without noise nothing is private"
              .formatted(value));
    }
  }
}
