package org.safesynth.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The oracle of sines and cosines is StrictMath. */
@Tag("unit")
class StandardNormalsTest {
  private static final double TURN = 0x1p-53;

  @Test
  void pointsOfTheCircleAreWhereStrictMathHasThem() {
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < 200_000; i++) {
      check(random.nextLong() >>> 11);
    }
  }

  @Test
  void theEndsOfOctantsBelongToTheirPlaces() {
    for (long octant = 0; octant < 8; octant++) {
      for (long beside : new long[] {0, 1, 2, (1L << 49), (1L << 50) - 2, (1L << 50) - 1}) {
        check((octant << 50) + beside);
      }
    }
  }

  /** To within 2^-51: the angle itself is rounded for the oracle, by up to 2^-51 of a turn's 2π. */
  private static void check(long turn) {
    StandardNormals.Point point = StandardNormals.onCircle(turn);
    double angle = turn * TURN * 2 * Math.PI;
    assertEquals(StrictMath.cos(angle), point.cosine(), 0x1p-51 + Math.ulp(angle), "cos " + turn);
    assertEquals(StrictMath.sin(angle), point.sine(), 0x1p-51 + Math.ulp(angle), "sin " + turn);
  }
}
