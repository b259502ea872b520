package org.safesynth.privacy;

import java.io.Serializable;
import org.safesynth.fault.BadInputException;

/** q: the probability with which a step takes a privacy unit, each unit by itself. */
public record SamplingRate(double value) implements Serializable {
  public SamplingRate {
    if (!(value > 0 && value <= 1)) {
      throw new BadInputException(
          "the sampling rate is %s, but must lie above 0 and be at most 1: it is the batch size divided by the number of records"
              .formatted(value));
    }
  }

  /** The rate whose expected batch is {@code batchSize} of {@code units}. */
  public static SamplingRate of(double batchSize, double units) {
    if (!(batchSize > 0 && units >= batchSize)) {
      throw new BadInputException(
          "the batch size is %s of %s privacy units, but must lie above 0 and be at most their number"
              .formatted(batchSize, units));
    }
    return new SamplingRate(batchSize / units);
  }
}
