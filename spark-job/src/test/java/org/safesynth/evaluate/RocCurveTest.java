package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
final class RocCurveTest {
  @Test
  void areaIsTheShareOfPairsInOrderAndTiesCountHalf() {
    double[] scores = {0.1, 0.4, 0.4, 0.8, 0.9};
    boolean[] positive = {false, true, false, true, false};
    // pairs (positive, negative): .4 beats .1, ties .4, loses to .9; .8 beats .1 and .4, loses to
    // .9
    assertEquals(3.5 / 6, RocCurve.area(scores, positive), 1e-15);
    assertEquals(Double.NaN, RocCurve.area(scores, new boolean[5]));
  }
}
