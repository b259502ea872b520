package org.safesynth.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.privacy.SecretStreams.Purpose;

@Tag("unit")
class OneRunAuditTest {
  private static final OneRunAudit AUDIT = new OneRunAudit(1000, new Delta(1e-5), 0.999);

  @Test
  void guessesOfACoinProveNothing() {
    assertEquals(0, AUDIT.lowerBound(1000, 500));
    assertEquals(0, AUDIT.lowerBound(0, 0));
  }

  @Test
  void allRightProveTheClosedForm() {
    // Without δ: p^100 = .001 at the bound.
    OneRunAudit pure = new OneRunAudit(100, new Delta(1e-300), 0.999);
    double p = Math.pow(1e-3, 1 / 100.0);
    assertEquals(Math.log(p / (1 - p)), pure.lowerBound(100, 100), 1e-9);
  }

  @Test
  void aLargerDeltaProvesLess() {
    double tight = new OneRunAudit(1000, new Delta(1e-9), 0.999).lowerBound(100, 97);
    double loose = new OneRunAudit(1000, new Delta(1e-4), 0.999).lowerBound(100, 97);
    assertTrue(loose < tight && tight > 1, () -> loose + " " + tight);
  }

  /** Randomised response at ε = 1 is refuted at most as often as the confidence says. */
  @Test
  void aTrueClaimIsHardlyEverRefuted() {
    SecretStream stream = SecretStreams.withTestKey(41).stream(Purpose.AUDIT);
    int refuted = 0;
    OneRunAudit audit = new OneRunAudit(200, new Delta(1e-6), 0.95);
    int runs = 2_000;
    double truth = 1 / (1 + Math.exp(-1));
    for (int run = 0; run < runs; run++) {
      int right = 0;
      for (int i = 0; i < 200; i++) {
        if (stream.nextBelow(1 << 30) < truth * (1 << 30)) {
          right++;
        }
      }
      if (audit.lowerBound(200, right) > 1) {
        refuted++;
      }
    }
    // At most 5 %, and not far below: the bound is tight for randomised response.
    assertTrue(refuted <= 0.065 * runs && refuted >= 0.02 * runs, "refuted " + refuted);
  }
}
