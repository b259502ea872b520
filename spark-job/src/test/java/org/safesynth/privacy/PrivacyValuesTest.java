package org.safesynth.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;

@Tag("unit")
class PrivacyValuesTest {
  @Test
  void valuesWithoutMeaningAreRefused() {
    for (double bad : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThrows(BadInputException.class, () -> new Epsilon(bad));
      assertThrows(BadInputException.class, () -> new NoiseMultiplier(bad));
      assertThrows(BadInputException.class, () -> new SamplingRate(bad));
      assertThrows(BadInputException.class, () -> new Delta(bad));
    }
    assertThrows(BadInputException.class, () -> new Delta(1));
    assertThrows(BadInputException.class, () -> new SamplingRate(1.0001));
    assertThrows(BadInputException.class, () -> SamplingRate.of(11, 10));
  }

  @Test
  void automaticDeltaFollowsTheReference() {
    assertEquals(Math.pow(100, -1.2), Delta.automatic(100).value());
    assertEquals(0.1 / 99, Delta.automatic(99).value());
    assertThrows(BadInputException.class, () -> Delta.automatic(0));
  }
}
