package org.safesynth.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Against Opacus 1.6.0, dp-accounting 0.6.0 and values integrated with 40 digits (mpmath 1.3.0).
 */
@Tag("unit")
class RdpAccountantTest {
  static SubsampledGaussian steps(double q, double sigma, long steps) {
    return new SubsampledGaussian(new SamplingRate(q), new NoiseMultiplier(sigma), steps);
  }

  static SubsampledGaussian steps(JsonNode node) {
    return steps(
        node.get("q").asDouble(), node.get("sigma").asDouble(), node.get("steps").asLong());
  }

  static double relative(double expected, double actual) {
    return Math.abs(actual - expected) / Math.abs(expected);
  }

  @Test
  void divergencesEqualTheHighPrecisionValuesAlphaByAlpha() throws Exception {
    int compared = 0;
    for (JsonNode setting : Fixtures.read("rdp-by-alpha.json")) {
      for (JsonNode value : setting.get("values")) {
        double alpha = value.get("alpha").asDouble();
        double expected = Double.parseDouble(value.get("rdp").asText());
        double actual =
            steps(setting.get("q").asDouble(), setting.get("sigma").asDouble(), 1).renyi(alpha);
        assertTrue(
            relative(expected, actual) < 1e-9,
            () ->
                "%s at alpha %s: %s"
                    .formatted(
                        setting.get("q") + " " + setting.get("sigma"),
                        alpha,
                        actual / expected - 1));
        compared++;
      }
    }
    assertTrue(compared > 100);
  }

  @Test
  void epsilonEqualsOpacusOnItsOrders() throws Exception {
    double[] orders = opacusOrders();
    for (JsonNode setting : Fixtures.read("rdp.json")) {
      RdpAccountant.Spent spent =
          RdpAccountant.spent(
              List.of(steps(setting)), new Delta(setting.get("delta").asDouble()), orders);
      assertTrue(
          relative(setting.get("epsilon").asDouble(), spent.epsilon()) < 1e-6,
          () -> setting + " gave " + spent);
      assertEquals(setting.get("alpha").asDouble(), spent.order());
    }
  }

  @Test
  void widerOrdersAreNeverWorseAndEndInside() throws Exception {
    for (JsonNode setting : Fixtures.read("rdp.json")) {
      RdpAccountant.Spent spent =
          RdpAccountant.spent(List.of(steps(setting)), new Delta(setting.get("delta").asDouble()));
      double opacus = setting.get("epsilon").asDouble();
      assertTrue(spent.epsilon() <= opacus * (1 + 1e-6), () -> setting + " gave " + spent);
      if (!setting.get("alpha_at_edge").asBoolean()) {
        assertTrue(spent.epsilon() >= opacus * 0.98, () -> setting + " gave " + spent);
      }
    }
  }

  @Test
  void theBestOrderIsNeverAtAnEdge() throws Exception {
    List<String> files = List.of("rdp.json", "pld.json");
    for (String file : files) {
      for (JsonNode setting : Fixtures.read(file)) {
        List<Mechanism> history = List.of(steps(setting));
        Delta delta = new Delta(setting.get("delta").asDouble());
        RdpAccountant.Spent spent = RdpAccountant.spent(history, delta);
        double below = 1 + (spent.order() - 1) * 0.7;
        double above = Math.rint(1 + spent.order() * 1.3);
        double[] around = {below, above};
        assertTrue(
            RdpAccountant.spent(history, delta, around).epsilon() >= spent.epsilon(),
            () -> setting + " gave " + spent);
      }
    }
  }

  @Test
  void phasesCompose() throws Exception {
    for (JsonNode setting : Fixtures.read("composed.json")) {
      List<Mechanism> history = new ArrayList<>();
      setting.get("phases").forEach(phase -> history.add(steps(phase)));
      RdpAccountant.Spent spent =
          RdpAccountant.spent(history, new Delta(setting.get("delta").asDouble()), opacusOrders());
      assertTrue(
          relative(setting.get("opacus_epsilon").asDouble(), spent.epsilon()) < 1e-6,
          () -> setting + " gave " + spent);
    }
  }

  @Test
  void plainGaussiansEqualOpacus() throws Exception {
    for (JsonNode setting : Fixtures.read("gaussian.json")) {
      Gaussian gaussian =
          new Gaussian(
              new NoiseMultiplier(setting.get("sigma").asDouble()), setting.get("steps").asLong());
      Delta delta = new Delta(setting.get("delta").asDouble());
      double opacus = setting.get("opacus_rdp_epsilon").asDouble();
      assertTrue(
          relative(opacus, RdpAccountant.spent(List.of(gaussian), delta, opacusOrders()).epsilon())
              < 1e-6);
      double own = RdpAccountant.spent(List.of(gaussian), delta).epsilon();
      assertTrue(own >= setting.get("exact_epsilon").asDouble() && own <= opacus * (1 + 1e-9));
    }
  }

  @Test
  void laplaceReleasesAgreeWithTheirReference() throws Exception {
    double[] orders = orders("dp_accounting");
    for (JsonNode setting : Fixtures.read("laplace.json")) {
      Laplace laplace =
          new Laplace(setting.get("noise_multiplier").asDouble(), setting.get("count").asLong());
      Delta delta = new Delta(setting.get("delta").asDouble());
      double expected = setting.get("dp_accounting_rdp_epsilon").asDouble();
      double actual = RdpAccountant.spent(List.of(laplace), delta, orders).epsilon();
      assertTrue(relative(expected, actual) < 1e-6, () -> setting + " gave " + actual);
    }
  }

  @Test
  void failuresTakeTheirShareOfDelta() {
    Delta delta = new Delta(1e-5);
    List<Mechanism> training = List.of(steps(0.01, 1, 100));
    List<Mechanism> both = List.of(training.get(0), BoundedLoss.approximate(0, 4e-6));
    assertEquals(
        RdpAccountant.spent(training, new Delta(6e-6)).epsilon(),
        RdpAccountant.spent(both, delta).epsilon(),
        1e-9);
    assertEquals(
        Double.POSITIVE_INFINITY,
        RdpAccountant.spent(List.of(BoundedLoss.approximate(0.1, 1e-5)), delta).epsilon());
  }

  @Test
  void nothingCostsNothing() {
    assertEquals(0, RdpAccountant.spent(List.of(), new Delta(1e-5)).epsilon());
  }

  @Test
  void historiesMayBeSplitAnywhere() {
    Delta delta = new Delta(1e-6);
    double whole = RdpAccountant.spent(List.of(steps(0.02, 0.9, 1000)), delta).epsilon();
    double split =
        RdpAccountant.spent(
                List.of(steps(0.02, 0.9, 1), steps(0.02, 0.9, 399), steps(0.02, 0.9, 600)), delta)
            .epsilon();
    assertEquals(whole, split, 1e-12 * whole);
  }

  static double[] opacusOrders() throws Exception {
    return orders("opacus");
  }

  private static double[] orders(String library) throws Exception {
    List<Double> orders = new ArrayList<>();
    Fixtures.read("orders.json").get(library).forEach(order -> orders.add(order.asDouble()));
    return orders.stream().mapToDouble(Double::doubleValue).toArray();
  }
}
