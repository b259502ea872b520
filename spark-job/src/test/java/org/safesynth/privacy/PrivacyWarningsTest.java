package org.safesynth.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class PrivacyWarningsTest {
  @Test
  void aSoundBudgetIsNotTalkedAbout() {
    assertEquals(List.of(), PrivacyWarnings.of(10_000, 12, Delta.automatic(10_000)));
  }

  @Test
  void fewUnitsAWeakEpsilonAndALargeDeltaAreSaid() {
    assertSaid("few", PrivacyWarnings.of(9_999, 12, Delta.automatic(9_999)));
    assertSaid("weak", PrivacyWarnings.of(10_000, 12.1, Delta.automatic(10_000)));
    assertSaid("1/n", PrivacyWarnings.of(10_000, 12, new Delta(1.01e-4)));
  }

  /** At 1/n one record published at random is within the bound already. */
  @Test
  void aDeltaOfOneOverTheUnitsIsSaidToo() {
    for (double units : new double[] {10_000, 32_561, 48_842.5, 1e6 + 1}) {
      assertSaid("not below 1/n", PrivacyWarnings.of(units, 12, new Delta(1 / units)));
      double below = Math.nextDown(1 / units);
      assertEquals(List.of(), PrivacyWarnings.of(units, 12, new Delta(below)));
    }
    assertSaid("not below 1/n", PrivacyWarnings.of(10_000, 12, new Delta(1e-4)));
  }

  private static void assertSaid(String word, List<String> warnings) {
    assertEquals(1, warnings.size());
    assertTrue(warnings.get(0).contains(word), warnings.get(0));
  }
}
