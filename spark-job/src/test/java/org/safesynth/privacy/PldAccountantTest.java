package org.safesynth.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.safesynth.privacy.RdpAccountantTest.steps;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Against dp-accounting 0.6.0 (connect the dots) and closed forms. */
@Tag("unit")
class PldAccountantTest {
  /** The k of "pessimistic + k·steps·interval". */
  private static final double K = 5e-3;

  @Test
  void liesBetweenTheReferencesBounds() throws Exception {
    assertWithinBounds(4);
  }

  @Tag("slow")
  @Test
  void liesBetweenTheReferencesBoundsAtEverySetting() throws Exception {
    assertWithinBounds(1);
  }

  private static void assertWithinBounds(int stride) throws Exception {
    int number = 0;
    for (JsonNode setting : Fixtures.read("pld.json")) {
      if (number++ % stride != 0) {
        continue;
      }
      Delta delta = new Delta(setting.get("delta").asDouble());
      JsonNode coarse = setting.get("default");
      JsonNode tightest = setting.path("fine").isObject() ? setting.get("fine") : coarse;
      double width =
          coarse.get("value_discretization_interval").asDouble() * setting.get("steps").asLong();
      List<Mechanism> history = List.of(steps(setting));
      PldAccountant.Spent spent = PldAccountant.spent(history, delta);
      String found = setting + " gave " + spent;
      assertTrue(spent.epsilon() >= tightest.get("optimistic_epsilon").asDouble(), found);
      assertTrue(
          spent.epsilon() <= coarse.get("pessimistic_epsilon").asDouble() + K * width + 1e-6,
          found);
      RdpAccountant.Spent rdp = RdpAccountant.spent(history, delta);
      assertTrue(rdp.epsilon() >= tightest.get("optimistic_epsilon").asDouble(), found);
      assertTrue(spent.epsilon() <= rdp.epsilon() + spent.error(), found + " and " + rdp);
    }
  }

  @Test
  void phasesCompose() throws Exception {
    for (JsonNode setting : Fixtures.read("composed.json")) {
      List<Mechanism> history = new ArrayList<>();
      setting.get("phases").forEach(phase -> history.add(steps(phase)));
      double interval = setting.get("pld_interval").asDouble();
      double expected = setting.get("pld_pessimistic_epsilon").asDouble();
      double actual = epsilon(history, setting, interval);
      assertEquals(expected, actual, 1e-4, () -> setting + " gave " + actual);
    }
  }

  @Test
  void plainGaussiansLieJustAboveTheirClosedForm() throws Exception {
    for (JsonNode setting : Fixtures.read("gaussian.json")) {
      Gaussian gaussian =
          new Gaussian(
              new NoiseMultiplier(setting.get("sigma").asDouble()), setting.get("steps").asLong());
      Delta delta = new Delta(setting.get("delta").asDouble());
      double exact = setting.get("exact_epsilon").asDouble();
      if (exact > 15) {
        continue; // the larger ones only take longer
      }
      PldAccountant.Spent spent = PldAccountant.spent(List.of(gaussian), delta);
      String found = setting + " gave " + spent;
      assertTrue(spent.epsilon() >= exact * (1 - 1e-12), found);
      assertTrue(spent.epsilon() <= exact + spent.error(), found);
      assertTrue(spent.epsilon() <= exact + 2e-6 * Math.max(1, exact), found);
    }
  }

  /**
   * Losses of T plain Gaussians are N(m, 2m), m = T/2σ². From δ(ε) ≤ P(loss > ε) and, where e^(ε −
   * loss) is below a half, δ(ε) ≥ P(loss > ε + ln 2)/2, ε lies between two quantiles.
   */
  @Test
  void costsWhoseExponentialNoDoubleHoldsAreCounted() {
    Delta delta = new Delta(1e-6);
    for (double mean : new double[] {10, 600, 700, 800, 5_000, 1e5}) {
      long steps = 1_000;
      Gaussian gaussian = new Gaussian(new NoiseMultiplier(Math.sqrt(steps / (2 * mean))), steps);
      PldAccountant.Spent spent = PldAccountant.spent(List.of(gaussian), delta);
      double deviation = Math.sqrt(2 * mean);
      double least = mean + 4.611382 * deviation - Math.log(2); // exceeded with 2e-6
      double most = mean + 4.753425 * deviation; // with 1e-6
      assertTrue(spent.epsilon() >= least, () -> mean + " gave " + spent);
      assertTrue(spent.epsilon() <= most + spent.error(), () -> mean + " gave " + spent);
    }
  }

  @Test
  void laplaceReleasesAgreeWithTheirReference() throws Exception {
    for (JsonNode setting : Fixtures.read("laplace.json")) {
      Laplace laplace =
          new Laplace(setting.get("noise_multiplier").asDouble(), setting.get("count").asLong());
      double expected = setting.get("pld_pessimistic_epsilon").asDouble();
      if (expected > 15) {
        continue; // the larger ones only take longer
      }
      double actual = epsilon(List.of(laplace), setting, 1e-4);
      assertEquals(expected, actual, 1e-4, () -> setting + " gave " + actual);
      assertTrue(actual <= setting.get("basic_epsilon").asDouble() + 1e-4);
    }
  }

  @Test
  void mechanismsOfSeveralKindsCompose() throws Exception {
    for (JsonNode setting : Fixtures.read("gaussian-and-laplace.json")) {
      List<Mechanism> history =
          List.of(
              steps(setting),
              new Laplace(
                  setting.get("laplace_noise_multiplier").asDouble(),
                  setting.get("laplace_count").asLong()));
      double expected = setting.get("pld_pessimistic_epsilon").asDouble();
      double actual = epsilon(history, setting, 1e-4);
      assertEquals(expected, actual, 1e-4, () -> setting + " gave " + actual);
      double rdp =
          RdpAccountant.spent(history, new Delta(setting.get("delta").asDouble())).epsilon();
      assertTrue(rdp <= setting.get("dp_accounting_rdp_epsilon").asDouble() * (1 + 1e-6));
      assertTrue(rdp >= actual);
    }
  }

  @Test
  void releasesKnownByTheirEpsilonAloneCostNoMoreThanTheirSum() {
    Delta delta = new Delta(1e-6);
    double one = PldAccountant.spent(List.of(BoundedLoss.pure(0.7)), delta).epsilon();
    assertTrue(one <= 0.7 + 1e-4 && one >= 0.6999, () -> "one costs " + one);
    double five = PldAccountant.spent(List.of(BoundedLoss.pure(0.7).withTimes(5)), delta).epsilon();
    assertTrue(five <= 3.5 + 1e-3 && five > 3.4, () -> "five cost " + five);
    List<Mechanism> failing = List.of(BoundedLoss.approximate(0.7, 5e-7));
    double failed = PldAccountant.spent(failing, delta).epsilon();
    assertEquals(
        PldAccountant.spent(List.of(BoundedLoss.pure(0.7)), new Delta(5e-7)).epsilon(),
        failed,
        1e-6);
    assertEquals(
        Double.POSITIVE_INFINITY,
        PldAccountant.spent(List.of(BoundedLoss.approximate(0.7, 1e-6)), delta).epsilon());
  }

  @Test
  void discreteGaussiansCostAHairMoreThanContinuousOnes() {
    Delta delta = new Delta(1e-6);
    double continuous =
        PldAccountant.spent(List.of(new Gaussian(new NoiseMultiplier(2), 1)), delta).epsilon();
    double discrete =
        PldAccountant.spent(List.of(new DiscreteGaussianCounts(8, 4, 1)), delta).epsilon();
    assertTrue(discrete > continuous && discrete < continuous * 1.001);
  }

  @Test
  void historiesMayBeSplitAnywhere() {
    Delta delta = new Delta(1e-6);
    double whole = PldAccountant.spent(List.of(steps(0.02, 0.9, 500)), delta).epsilon();
    double split =
        PldAccountant.spent(List.of(steps(0.02, 0.9, 1), steps(0.02, 0.9, 499)), delta).epsilon();
    assertEquals(whole, split, 1e-8);
  }

  @Test
  void moreNoiseFewerStepsSmallerRatesAndLargerDeltasCostLess() {
    double base = epsilon(0.02, 1, 200, 1e-6);
    assertTrue(epsilon(0.02, 1.1, 200, 1e-6) < base);
    assertTrue(epsilon(0.01, 1, 200, 1e-6) < base);
    assertTrue(epsilon(0.02, 1, 199, 1e-6) < base);
    assertTrue(epsilon(0.02, 1, 200, 2e-6) < base);
  }

  private static double epsilon(double q, double sigma, long steps, double delta) {
    return PldAccountant.spent(List.of(steps(q, sigma, steps)), new Delta(delta)).epsilon();
  }

  private static double epsilon(List<Mechanism> history, JsonNode setting, double interval) {
    Delta delta = new Delta(setting.get("delta").asDouble());
    return PldAccountant.spent(history, delta, interval).epsilon();
  }
}
