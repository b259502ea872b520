package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
final class AttackTest {
  @Test
  void ratesAreWilsons() {
    // SciPy 1.17.1: binomtest(20, 100).proportion_ci(.95, method="wilson")
    Attack.Tally tally = new Attack.Tally(20, 100);
    assertEquals((0.1333669333 + 0.2888291656) / 2, tally.rate(), 1e-9);
    assertEquals((0.2888291656 - 0.1333669333) / 2, tally.error(), 1e-9);
  }

  @Test
  void equalRatesAreNoRiskAndCopiesAreNearlyAllOfIt() {
    Attack.Tally some = new Attack.Tally(100, 1_000);
    Attack none = Attack.of("a", "d", some, some, new Attack.Tally(0, 1_000));
    assertEquals(0, none.risk(), 1e-12);
    assertEquals(0, none.riskLow());
    assertTrue(none.riskHigh() < 0.05);
    Attack all = Attack.of("a", "d", new Attack.Tally(1_000, 1_000), some, some);
    assertTrue(all.risk() > 0.99 && all.riskLow() > 0.98 && all.riskHigh() <= 1, all.toString());
  }
}
