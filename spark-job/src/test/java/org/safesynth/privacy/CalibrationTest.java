package org.safesynth.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;

/**
 * The noise that is found keeps the budget, and is the least that does.
 *
 * <p>The slow tests were run in full, on two shared cores: {@code mvn -pl spark-job -am test -Dslow
 * -Dtest=CalibrationTest -Dsurefire.failIfNoSpecifiedTests=false}. Of 10,000 random settings for
 * RDP (six minutes) and 100 for PLD (five) none exceeded its budget, and none had .1 % more noise
 * than it needed.
 */
@Tag("unit")
class CalibrationTest {
  private static Calibration of(double q, long steps, double delta, Accountant accountant) {
    return new Calibration(List.of(), new SamplingRate(q), steps, new Delta(delta), accountant);
  }

  @Test
  void findsTheReferencesSigma() throws Exception {
    for (JsonNode setting : Fixtures.read("calibrate.json")) {
      double sigma =
          of(
                  setting.get("q").asDouble(),
                  setting.get("steps").asLong(),
                  setting.get("delta").asDouble(),
                  Accountant.RDP)
              .least(new Epsilon(setting.get("epsilon").asDouble()))
              .value();
      double best =
          Math.min(
              setting.get("opacus_rdp_sigma").asDouble(),
              setting.get("dp_accounting_rdp_sigma").asDouble());
      // Their lists of orders are other ones: a wider list needs no more noise, a finer one no
      // less.
      assertTrue(sigma <= best * (1 + 2e-5) + 1e-6, () -> setting + " gave " + sigma);
      assertTrue(sigma >= best * (1 - 2e-3), () -> setting + " gave " + sigma);
    }
  }

  @Test
  void neverExceedsTheBudgetOnRandomSettings() {
    assertWithinBudget(Accountant.RDP, 150, 1);
  }

  @Test
  void neverExceedsTheBudgetOnRandomSettingsOfLossDistributions() {
    assertWithinBudget(Accountant.PLD, 1, 2);
  }

  @Tag("slow")
  @Test
  void neverExceedsTheBudgetOnTenThousandRandomSettings() {
    assertWithinBudget(Accountant.RDP, 10_000, 3);
  }

  @Tag("slow")
  @Test
  void neverExceedsTheBudgetOnAHundredRandomSettingsOfLossDistributions() {
    assertWithinBudget(Accountant.PLD, 100, 4);
  }

  private static void assertWithinBudget(Accountant accountant, int settings, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < settings; i++) {
      double q = Math.exp(random.nextDouble(Math.log(1e-5), 0));
      long steps = (long) Math.exp(random.nextDouble(0, Math.log(20_000)));
      double delta = Math.pow(10, -random.nextDouble(3, 9));
      double epsilon = Math.exp(random.nextDouble(Math.log(0.2), Math.log(16)));
      String setting = "q %s, %d steps, delta %s, epsilon %s".formatted(q, steps, delta, epsilon);
      Calibration calibration = of(q, steps, delta, accountant);
      NoiseMultiplier sigma = calibration.least(new Epsilon(epsilon));
      double spent = accountant.epsilon(calibration.history(sigma), new Delta(delta));
      assertTrue(spent <= epsilon, () -> setting + " gave " + sigma + ", spending " + spent);
      double least = AccountantLawsTest.toldByMeanLoss(q, sigma.value(), steps);
      assertTrue(least <= epsilon, () -> setting + " gave " + sigma + ", costing " + least);
      if (sigma.value() > 0.06) {
        double less =
            accountant.epsilon(
                calibration.history(new NoiseMultiplier(sigma.value() * 0.999)), new Delta(delta));
        assertTrue(less > epsilon, () -> setting + ": less than " + sigma + " is enough");
      }
    }
  }

  /** With little noise these would cost e^709 and more, where the search begins. */
  @Test
  void longTrainingOfLargeBatchesGetsItsNoiseFromBothAccountants() {
    double rdp = sigma(Accountant.RDP, 0.5, 10_000, 1e-7, 2);
    double pld = sigma(Accountant.PLD, 0.5, 10_000, 1e-7, 2);
    assertTrue(pld < rdp && pld > 0.9 * rdp, pld + " and " + rdp);
  }

  @Test
  void moreBudgetNeedsLessNoiseMoreStepsNeedMore() {
    double base = sigma(Accountant.RDP, 0.01, 500, 1e-5, 2);
    assertTrue(sigma(Accountant.RDP, 0.01, 500, 1e-5, 3) < base);
    assertTrue(sigma(Accountant.RDP, 0.01, 500, 1e-4, 2) < base);
    assertTrue(sigma(Accountant.RDP, 0.01, 1000, 1e-5, 2) > base);
    assertTrue(sigma(Accountant.RDP, 0.02, 500, 1e-5, 2) > base);
    assertTrue(sigma(Accountant.PLD, 0.01, 500, 1e-5, 2) < base);
  }

  private static double sigma(
      Accountant accountant, double q, long steps, double delta, double epsilon) {
    return of(q, steps, delta, accountant).least(new Epsilon(epsilon)).value();
  }

  @Test
  void whatWasReleasedBeforeIsCounted() {
    List<Mechanism> before =
        List.of(
            new DiscreteGaussianCounts(20, Math.sqrt(15), 1),
            BoundedLoss.approximate(0.3, 1e-7),
            new Laplace(20, 2));
    Delta delta = new Delta(1e-5);
    for (Accountant accountant : Accountant.values()) {
      Calibration calibration =
          new Calibration(before, new SamplingRate(0.02), 200, delta, accountant);
      NoiseMultiplier sigma = calibration.least(new Epsilon(2));
      assertTrue(sigma.value() > sigma(accountant, 0.02, 200, 1e-5, 2));
      assertTrue(accountant.epsilon(calibration.history(sigma), delta) <= 2);
    }
  }

  @Test
  void aBudgetThatNoNoiseMeetsIsRefusedWithTheLeastPossible() {
    List<Mechanism> before = List.of(BoundedLoss.pure(0.9));
    Calibration calibration =
        new Calibration(before, new SamplingRate(0.01), 100, new Delta(1e-6), Accountant.RDP);
    BadInputException refused =
        assertThrows(BadInputException.class, () -> calibration.noiseMultiplier(new Epsilon(0.5)));
    assertTrue(refused.getMessage().contains("least possible is 0.9"), refused::getMessage);
  }

  @Test
  void contradictingAccountantsStopTheRun() {
    RdpAccountant.Spent rdp = new RdpAccountant.Spent(1, 8);
    Calibration.requireAgreement(rdp, new PldAccountant.Spent(1.01, 1e-4, 0.02));
    assertThrows(
        IllegalStateException.class,
        () -> Calibration.requireAgreement(rdp, new PldAccountant.Spent(1.03, 1e-4, 0.02)));
    assertThrows(
        IllegalStateException.class,
        () -> Calibration.requireAgreement(rdp, new PldAccountant.Spent(Double.NaN, 1e-4, 0.02)));
  }

  @Test
  void trainingHasSteps() {
    assertThrows(BadInputException.class, () -> of(0.1, 0, 1e-5, Accountant.RDP));
    assertEquals(1, of(0.1, 1, 1e-5, Accountant.RDP).history(new NoiseMultiplier(1)).size());
  }
}
