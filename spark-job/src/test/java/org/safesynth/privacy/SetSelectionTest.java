package org.safesynth.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;
import org.safesynth.privacy.SecretStreams.Purpose;

@Tag("unit")
final class SetSelectionTest {
  private static SecretStream stream(long part) {
    return SecretStreams.withTestKey(7).stream(Purpose.DOMAIN_NOISE, part);
  }

  private static int selected(SetSelection selection, long count, int draws) {
    SecretStream stream = stream(count);
    int selected = 0;
    for (int i = 0; i < draws; i++) {
      selected += Double.isNaN(selection.select(count, stream)) ? 0 : 1;
    }
    return selected;
  }

  /**
   * The exact tail of the discrete Gaussian at the threshold, summed, against the bound; and that
   * the bound is no idle one: with a threshold lower by σ it would be broken.
   */
  @Test
  void aRecordsOwnValueIsSelectedWithAtMostTheStatedProbability() {
    for (double sigma : new double[] {0.5, 2, 26.3}) {
      for (double failure : new double[] {1e-2, 1e-6, 1e-12}) {
        CountNoise noise = CountNoise.gaussian(sigma);
        SetSelection selection = new SetSelection(noise, 3, failure);
        double tail = tail(noise.sigma(), selection.threshold() - 1);
        assertTrue(3 * tail <= failure, () -> tail + " in one of three columns");
        double lower = tail(noise.sigma(), selection.threshold() - 1 - noise.sigma());
        assertTrue(3 * lower > failure || failure > 1e-3, () -> "the threshold is idle: " + lower);
      }
    }
  }

  /** P(N ≥ u) for N on the multiples of 1/16, P(x) ∝ exp(−x²/2σ²). */
  private static double tail(double sigma, double u) {
    double above = 0;
    double all = 0;
    int last = (int) Math.ceil(16 * 40 * sigma);
    for (int i = -last; i <= last; i++) {
      double x = i / 16.0;
      double mass = Math.exp(-x * x / (2 * sigma * sigma));
      all += mass;
      above += x >= u ? mass : 0;
    }
    return above / all;
  }

  @Test
  void drawsAgreeWithTheTail() {
    SetSelection selection = new SetSelection(CountNoise.gaussian(5), 1, 0.3);
    double p = tail(CountNoise.gaussian(5).sigma(), selection.threshold() - 1);
    int draws = 20_000;
    double spread = 5 * Math.sqrt(p * (1 - p) * draws); // five sigma: wrong once in 1.7 million
    assertEquals(p * draws, selected(selection, 1, draws), spread);
  }

  @Test
  void manyRecordsValuesAreSelectedAndOneRecordsIsNot() {
    SetSelection selection = new SetSelection(CountNoise.gaussian(5), 10, 1e-9);
    assertEquals(0, selected(selection, 1, 20_000));
    assertEquals(2_000, selected(selection, 100, 2_000));
  }

  /** The ledger has both parts, and losing either would show. */
  @Test
  void bothPartsOfTheCostReachTheAccountants() {
    CountNoise noise = CountNoise.gaussian(10);
    SetSelection selection = new SetSelection(noise, 4, 1e-6);
    Delta delta = new Delta(1e-5);
    List<Mechanism> both = List.of(selection.counts(), selection.failure());
    double whole = RdpAccountant.spent(both, delta).epsilon();
    // Gaussian of multiplier sigma/2, at what is left of delta: an independent way to the figure.
    Gaussian gaussian = new Gaussian(new NoiseMultiplier(noise.sigma() / 2), 1);
    double expected = RdpAccountant.spent(List.of(gaussian), new Delta(9e-6)).epsilon();
    assertEquals(expected, whole, 1e-9 * expected);
    assertTrue(PldAccountant.spent(both, delta).epsilon() <= whole);
    assertTrue(
        PldAccountant.spent(both, delta).epsilon()
            > PldAccountant.spent(List.of(selection.counts()), delta).epsilon() - 1e-3);
    assertEquals(Double.POSITIVE_INFINITY, RdpAccountant.spent(both, new Delta(1e-6)).epsilon());
  }

  @Test
  void nothingIsSelectedForNothing() {
    CountNoise noise = CountNoise.gaussian(5);
    assertThrows(BadInputException.class, () -> new SetSelection(noise, 1, 0));
    assertThrows(BadInputException.class, () -> new SetSelection(noise, 0, 1e-6));
    SetSelection selection = new SetSelection(noise, 1, 1e-6);
    assertThrows(IllegalArgumentException.class, () -> selection.select(0, stream(9)));
  }
}
