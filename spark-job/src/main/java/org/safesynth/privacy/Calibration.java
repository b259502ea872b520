package org.safesynth.privacy;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.safesynth.fault.BadInputException;

/**
 * Finds the least noise that keeps training within its budget.
 *
 * <p>ε falls as σ grows, so the root is bracketed and the bracket is narrowed; the answer is the
 * upper end, rounded up, and it is checked once more: ε(σ) never exceeds the budget on the chosen
 * accountant, whatever the rounding. ε counts everything that was released before training.
 */
public final class Calibration {
  private static final double LEAST_SIGMA = 0.05;
  private static final double MOST_SIGMA = 1e5;
  private static final double WIDTH = 1e-8;
  private static final double PLD_WIDTH = 2e-6;
  private static final int MOST_ROUNDS = 200;

  private final List<Mechanism> before;
  private final SamplingRate samplingRate;
  private final long steps;
  private final Delta delta;
  private final Accountant accountant;

  /**
   * Calibrates training of {@code steps} steps.
   *
   * @param before what was released already, on the same budget
   */
  public Calibration(
      List<Mechanism> before,
      SamplingRate samplingRate,
      long steps,
      Delta delta,
      Accountant accountant) {
    if (steps < 1) {
      throw new BadInputException(
          "the number of training steps is %d, but must be at least 1".formatted(steps));
    }
    this.before = List.copyOf(before);
    this.samplingRate = samplingRate;
    this.steps = steps;
    this.delta = delta;
    this.accountant = accountant;
  }

  /**
   * The least σ, rounded up, for a budget.
   *
   * @throws BadInputException if no σ is enough, with the least ε that is possible
   */
  public NoiseMultiplier noiseMultiplier(Epsilon budget) {
    NoiseMultiplier found = least(budget);
    requireAgreement(found);
    return found;
  }

  NoiseMultiplier least(Epsilon budget) {
    double least = epsilon(MOST_SIGMA, accountant);
    if (!(least <= budget.value())) {
      throw new BadInputException(
          "privacy.epsilon is %s, but with sampling rate %.3g, %d steps, delta %.3g and what was released before, the least possible is %.4g; raise privacy.epsilon, or train with fewer steps or smaller batches"
              .formatted(budget.value(), samplingRate.value(), steps, delta.value(), least));
    }
    double high = bracketed(budget.value(), Accountant.RDP, WIDTH);
    if (accountant == Accountant.PLD) {
      high = bracketed(budget.value(), Accountant.PLD, PLD_WIDTH);
    }
    double sigma = roundedUp(high);
    while (epsilon(sigma, accountant) > budget.value()) {
      sigma = roundedUp(sigma * (1 + 1e-5));
    }
    return new NoiseMultiplier(sigma);
  }

  /** Everything released, training with this noise included. */
  public List<Mechanism> history(NoiseMultiplier noiseMultiplier) {
    List<Mechanism> history = new ArrayList<>(before);
    history.add(new SubsampledGaussian(samplingRate, noiseMultiplier, steps));
    return history;
  }

  /**
   * Refuses to go on where the two accountants contradict each other: a loss distribution never
   * costs more than Rényi divergences do, except for the error of its grid.
   */
  private void requireAgreement(NoiseMultiplier noiseMultiplier) {
    requireAgreement(
        RdpAccountant.spent(history(noiseMultiplier), delta),
        PldAccountant.spent(history(noiseMultiplier), delta));
  }

  static void requireAgreement(RdpAccountant.Spent rdp, PldAccountant.Spent pld) {
    if (!(pld.epsilon() <= rdp.epsilon() + pld.error())) {
      throw new IllegalStateException(
          "the accountants contradict each other: epsilon is %s by loss distributions, with an error of at most %s, and %s by Renyi divergences; one of them is wrong, so training does not start"
              .formatted(pld.epsilon(), pld.error(), rdp.epsilon()));
    }
  }

  private double epsilon(double sigma, Accountant by) {
    return by.epsilon(history(new NoiseMultiplier(sigma)), delta);
  }

  private double bracketed(double budget, Accountant by, double width) {
    // In logarithms the curve is nearly straight.
    DoubleUnaryOperator excess =
        logSigma -> {
          double epsilon = epsilon(Math.exp(logSigma), by);
          return Math.log(Math.min(Math.max(epsilon, 1e-12), 1e12) / budget);
        };
    double low = 0;
    double high = 0;
    double atLow = excess.applyAsDouble(0);
    double atHigh = atLow;
    double stride = 0.35;
    while (atHigh > 0 && high < Math.log(MOST_SIGMA)) {
      low = high;
      atLow = atHigh;
      high = Math.min(high + stride, Math.log(MOST_SIGMA));
      atHigh = excess.applyAsDouble(high);
      stride *= 2;
    }
    while (atLow <= 0 && low > Math.log(LEAST_SIGMA)) {
      high = low;
      atHigh = atLow;
      low = Math.max(low - 0.35, Math.log(LEAST_SIGMA));
      atLow = excess.applyAsDouble(low);
    }
    return atLow <= 0 ? Math.exp(low) : narrowed(excess, low, atLow, high, atHigh, width);
  }

  /** Illinois' regula falsi (Dowell and Jarratt 1971), halving where that is slow. */
  private static double narrowed(
      DoubleUnaryOperator excess,
      double from,
      double atFrom,
      double to,
      double atTo,
      double width) {
    double low = from;
    double high = to;
    double fLow = atFrom;
    double fHigh = atTo;
    int side = 0;
    for (int round = 0; high - low > width && round < MOST_ROUNDS; round++) {
      double middle =
          round % 4 == 3 ? (low + high) / 2 : high - fHigh * (high - low) / (fHigh - fLow);
      // A step from the end, so that both ends close in.
      middle = Math.max(low + width / 4, Math.min(high - width / 4, middle));
      double f = excess.applyAsDouble(middle);
      if (f > 0) {
        low = middle;
        fLow = f;
        fHigh = side == 1 ? fHigh / 2 : fHigh;
        side = 1;
      } else {
        high = middle;
        fHigh = f;
        fLow = side == -1 ? fLow / 2 : fLow;
        side = -1;
      }
    }
    return Math.exp(high);
  }

  /** To six digits after the point, or to a millionth of itself where that is coarser. */
  private static double roundedUp(double sigma) {
    double perUnit = Math.pow(10, 6 - Math.max(0, Math.floor(Math.log10(sigma))));
    return Math.ceil(sigma * perUnit) / perUnit;
  }
}
