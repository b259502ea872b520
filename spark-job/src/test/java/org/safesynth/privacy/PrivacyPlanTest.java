package org.safesynth.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;

@Tag("unit")
class PrivacyPlanTest {
  private static final List<LedgerEntry> BEFORE =
      List.of(LedgerEntry.of("domain", "value lists", BoundedLoss.approximate(0.2, 1e-7)));

  private static PrivacyPlan plan(
      double epsilon, double delta, double q, double sigma, double clip, long steps) {
    return new PrivacyPlan(epsilon, delta, Accountant.RDP, q, sigma, clip, steps, 976, BEFORE);
  }

  private static final PrivacyPlan PLANNED = plan(3, 1e-5, 0.03, 1.5, 1, 100);

  @Test
  void theSamePlanGoesOnAfterAWayThroughJson() throws Exception {
    JsonMapper json = JsonMapper.builder().build();
    PrivacyPlan saved = json.readValue(json.writeValueAsString(PLANNED), PrivacyPlan.class);
    PLANNED.requireSame(saved);
    assertEquals(PLANNED, saved);
  }

  @Test
  void everyOtherPlanIsRefused() {
    refused("epsilon", plan(4, 1e-5, 0.03, 1.5, 1, 100));
    refused("delta", plan(3, 1e-6, 0.03, 1.5, 1, 100));
    refused("sampling rate", plan(3, 1e-5, 0.04, 1.5, 1, 100));
    refused("noise multiplier", plan(3, 1e-5, 0.03, 1.4, 1, 100));
    refused("max_grad_norm", plan(3, 1e-5, 0.03, 1.5, 2, 100));
    refused("number of steps", plan(3, 1e-5, 0.03, 1.5, 1, 101));
    refused("without differential privacy", null);
    refused("accountant", new PrivacyPlan(3, 1e-5, Accountant.PLD, 0.03, 1.5, 1, 100, 976, BEFORE));
    refused(
        "earlier releases",
        new PrivacyPlan(3, 1e-5, Accountant.RDP, 0.03, 1.5, 1, 100, 976, List.of()));
    refused("batch size", new PrivacyPlan(3, 1e-5, Accountant.RDP, 0.03, 1.5, 1, 100, 900, BEFORE));
  }

  private static void refused(String what, PrivacyPlan saved) {
    BadInputException fault =
        assertThrows(BadInputException.class, () -> PLANNED.requireSame(saved));
    assertTrue(fault.getMessage().contains(what), fault::getMessage);
  }

  @Test
  void theCostSoFarGrowsToTheWhole() {
    assertTrue(PLANNED.epsilonAfter(0) > 0 && PLANNED.epsilonAfter(0) < 0.21);
    assertTrue(PLANNED.epsilonAfter(50) < PLANNED.epsilonAfter(100));
  }
}
