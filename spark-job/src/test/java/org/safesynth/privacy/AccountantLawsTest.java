package org.safesynth.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Laws that hold whatever is accounted, on random settings: less noise, more steps, larger rates
 * and smaller deltas cost more, and how a history is cut into entries costs nothing.
 */
@Tag("unit")
final class AccountantLawsTest {
  private static final double ROUNDING = 1e-9; // relative

  /** Training as an accountant sees it. */
  private record Setting(double q, double sigma, long steps, double delta) {
    static Setting draw(SplittableRandom random) {
      return new Setting(
          Math.exp(random.nextDouble(Math.log(1e-4), 0)),
          Math.exp(random.nextDouble(Math.log(0.5), Math.log(20))),
          (long) Math.exp(random.nextDouble(0, Math.log(10_000))),
          Math.pow(10, -random.nextDouble(3, 9)));
    }

    /** Settings that cost less, each by one parameter, some by a hair and some by far. */
    List<Setting> cheaper(SplittableRandom random) {
      double factor = 1 + Math.exp(random.nextDouble(Math.log(1e-3), 0));
      List<Setting> all = new ArrayList<>();
      all.add(new Setting(q / factor, sigma, steps, delta));
      all.add(new Setting(q, sigma * factor, steps, delta));
      all.add(new Setting(q, sigma, steps, Math.min(0.9, delta * factor)));
      if (steps > 1) {
        long fewer = (long) Math.min(steps - 1.0, steps / factor);
        all.add(new Setting(q, sigma, fewer, delta));
      }
      return all;
    }

    Mechanism training() {
      return RdpAccountantTest.steps(q, sigma, steps);
    }

    double rdp() {
      return RdpAccountant.spent(List.of(training()), new Delta(delta)).epsilon();
    }

    PldAccountant.Spent pld() {
      return PldAccountant.spent(List.of(training()), new Delta(delta));
    }
  }

  @Test
  void divergencesFallWithEachOfTheFour() {
    SplittableRandom random = new SplittableRandom(1);
    int strictly = 0;
    for (int i = 0; i < 400; i++) {
      Setting setting = Setting.draw(random);
      double base = setting.rdp();
      for (Setting cheaper : setting.cheaper(random)) {
        double less = cheaper.rdp();
        assertTrue(
            less <= base * (1 + ROUNDING),
            () -> "%s costs %s and %s costs %s".formatted(setting, base, cheaper, less));
        strictly += less < base * (1 - ROUNDING) ? 1 : 0;
      }
    }
    assertTrue(strictly > 1_400, "a flat curve would keep the law too: " + strictly);
  }

  @Test
  void lossDistributionsFallWithEachOfTheFour() {
    assertLossDistributionsFall(10, 2);
  }

  @Tag("slow")
  @Test
  void lossDistributionsFallWithEachOfTheFourAtManySettings() {
    assertLossDistributionsFall(60, 3);
  }

  /** To within the error that the accountant states for the cheaper setting. */
  private static void assertLossDistributionsFall(int settings, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int strictly = 0;
    int compared = 0;
    for (int i = 0; i < settings; i++) {
      Setting setting = Setting.draw(random);
      double base = setting.pld().epsilon();
      for (Setting cheaper : setting.cheaper(random)) {
        PldAccountant.Spent less = cheaper.pld();
        assertTrue(
            less.epsilon() <= base + less.error(),
            () -> "%s costs %s and %s costs %s".formatted(setting, base, cheaper, less));
        strictly += less.epsilon() < base ? 1 : 0;
        compared++;
      }
    }
    assertTrue(strictly >= 0.9 * compared, strictly + " of " + compared);
  }

  @Test
  void neitherAccountantIsBelowWhatTheMeanLossTells() {
    assertAboveMeanLoss(12, 7);
  }

  @Tag("slow")
  @Test
  void neitherAccountantIsBelowWhatTheMeanLossTellsAtManySettings() {
    assertAboveMeanLoss(300, 8);
  }

  private static void assertAboveMeanLoss(int settings, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int told = 0;
    for (int i = 0; i < settings; i++) {
      Setting setting =
          new Setting(
              Math.exp(random.nextDouble(Math.log(1e-2), 0)),
              Math.exp(random.nextDouble(Math.log(0.1), Math.log(5))),
              (long) Math.exp(random.nextDouble(0, Math.log(50_000))),
              Math.pow(10, -random.nextDouble(3, 9)));
      double least = toldByMeanLoss(setting.q(), setting.sigma(), setting.steps());
      told += least > 0 ? 1 : 0;
      assertTrue(setting.rdp() >= least, () -> setting + " costs more than " + least);
      assertTrue(setting.pld().epsilon() >= least, () -> setting + " costs more than " + least);
    }
    assertTrue(told > settings / 4, told + " of " + settings);
  }

  /**
   * An ε that training costs at least, at any δ below 1/4, whatever an accountant says. By
   * Cantelli's inequality the loss of all steps, of mean m and deviation s, exceeds m − s with
   * probability 1/2, and δ(ε) ≥ P(loss > ε + ln 2)/2: so ε ≥ m − s − ln 2. Mean and deviation are
   * sums over many rectangles.
   */
  static double toldByMeanLoss(double q, double sigma, long steps) {
    double mean = 0;
    double square = 0;
    double width = sigma / 400;
    for (double x = -9 * sigma; x < 1 + 9 * sigma; x += width) {
      double without = normal(x, sigma);
      double with = (1 - q) * without + q * normal(x - 1, sigma);
      double ratio = (2 * x - 1) / (2 * sigma * sigma);
      double loss = Math.log1p(q * Math.expm1(Math.min(700, ratio)));
      mean += width * with * loss;
      square += width * with * loss * loss;
    }
    double variance = Math.max(0, square - mean * mean);
    return steps * mean - Math.sqrt(steps * variance) - Math.log(2);
  }

  private static double normal(double x, double sigma) {
    return Math.exp(-x * x / (2 * sigma * sigma)) / (sigma * Math.sqrt(2 * Math.PI));
  }

  @Test
  void divergencesDoNotCareHowAHistoryIsCut() {
    SplittableRandom random = new SplittableRandom(4);
    for (int i = 0; i < 200; i++) {
      Delta delta = new Delta(Setting.draw(random).delta());
      List<Mechanism> history = history(random, 10_000);
      double whole = RdpAccountant.spent(history, delta).epsilon();
      double cut = RdpAccountant.spent(cut(history, random), delta).epsilon();
      assertEquals(whole, cut, 1e-11 * whole, history::toString);
    }
  }

  @Test
  void lossDistributionsDoNotCareHowAHistoryIsCut() {
    assertLossDistributionsDoNotCare(2, 5);
  }

  @Tag("slow")
  @Test
  void lossDistributionsDoNotCareHowManyHistoriesAreCut() {
    assertLossDistributionsDoNotCare(20, 6);
  }

  private static void assertLossDistributionsDoNotCare(int histories, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < histories; i++) {
      Delta delta = new Delta(Setting.draw(random).delta());
      List<Mechanism> history = history(random, 1_000);
      PldAccountant.Spent whole = PldAccountant.spent(history, delta);
      List<Mechanism> parts = cut(history, random);
      PldAccountant.Spent cut = PldAccountant.spent(parts, delta);
      // Plain Gaussians are one loss however many they are, so parts of them choose another grid.
      double stated = Math.max(whole.error(), cut.error());
      assertEquals(whole.epsilon(), cut.epsilon(), stated, history::toString);
      double same = PldAccountant.spent(parts, delta, whole.interval()).epsilon();
      assertEquals(whole.epsilon(), same, 1e-5 * whole.epsilon(), history::toString);
    }
  }

  /** Two phases of training after a noisy count. */
  private static List<Mechanism> history(SplittableRandom random, long mostSteps) {
    List<Mechanism> history = new ArrayList<>();
    history.add(new Gaussian(new NoiseMultiplier(random.nextDouble(2, 20)), random.nextInt(1, 9)));
    for (int phase = 0; phase < 2; phase++) {
      Setting setting = Setting.draw(random);
      long steps = Math.min(setting.steps(), mostSteps);
      history.add(RdpAccountantTest.steps(setting.q(), setting.sigma(), steps));
    }
    return history;
  }

  /** Each entry in up to four, all of them in another order. */
  private static List<Mechanism> cut(List<Mechanism> history, SplittableRandom random) {
    List<Mechanism> parts = new ArrayList<>();
    for (Mechanism mechanism : history) {
      long left = mechanism.times();
      for (int cut = 0; cut < 3 && left > 1; cut++) {
        long part = random.nextLong(1, left);
        parts.add(mechanism.withTimes(part));
        left -= part;
      }
      parts.add(mechanism.withTimes(left));
    }
    Collections.shuffle(parts, new Random(random.nextLong()));
    return parts;
  }
}
