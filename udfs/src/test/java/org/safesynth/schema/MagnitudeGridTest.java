package org.safesynth.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
final class MagnitudeGridTest {
  @Test
  void everyNumberLiesWithinItsCell() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 200_000; i++) {
      holds(random.nextLong() >> random.nextInt(64));
    }
    for (long value = -5_000; value <= 5_000; value++) {
      holds(value);
    }
    holds(Long.MAX_VALUE);
    holds(-Long.MAX_VALUE);
    assertEquals(MagnitudeGrid.cell(-Long.MAX_VALUE), MagnitudeGrid.cell(Long.MIN_VALUE));
  }

  private static void holds(long value) {
    int cell = MagnitudeGrid.cell(value);
    assertTrue(cell >= 0 && cell < MagnitudeGrid.CELLS);
    assertTrue(MagnitudeGrid.low(cell) <= value, () -> value + " is below its cell");
    assertTrue(MagnitudeGrid.high(cell) >= value, () -> value + " is above its cell");
    assertEquals(cell, MagnitudeGrid.cell(MagnitudeGrid.low(cell)));
    assertEquals(cell, MagnitudeGrid.cell(MagnitudeGrid.high(cell)));
  }

  @Test
  void cellsAreInTheOrderOfTheirNumbersAndAnEighthWide() {
    int before = -1;
    for (long value = -100_000; value <= 100_000; value++) {
      int cell = MagnitudeGrid.cell(value);
      assertTrue(cell >= before);
      before = cell;
      double widest = Math.max(1, Math.abs(value) / 8.0);
      assertTrue(MagnitudeGrid.high(cell) - MagnitudeGrid.low(cell) + 1 <= widest + 1);
    }
    assertEquals(960, MagnitudeGrid.low(MagnitudeGrid.cell(1000)));
    assertEquals(1023, MagnitudeGrid.high(MagnitudeGrid.cell(1000)));
    assertEquals(-1023, MagnitudeGrid.low(MagnitudeGrid.cell(-1000)));
  }
}
