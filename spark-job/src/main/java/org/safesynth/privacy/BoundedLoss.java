package org.safesynth.privacy;

import org.safesynth.fault.BadInputException;

/**
 * Anything that is (ε, δ)-differentially private, known by these two numbers alone.
 *
 * <p>Such a mechanism is dominated by: with probability δ show everything, else randomised response
 * that tells the truth with odds e^ε (Kairouz, Oh and Viswanath 2015, theorem 3.3 and section 5).
 * Divergences and losses are those of the randomised response; δ is added for each application.
 */
public record BoundedLoss(double epsilon, double delta, long times) implements Mechanism {
  public BoundedLoss {
    Mechanism.requireTimes(times);
    if (!(epsilon >= 0 && epsilon < Double.POSITIVE_INFINITY && delta >= 0 && delta < 1)) {
      throw new BadInputException(
          "a release of epsilon %s and delta %s has no place in a privacy budget"
              .formatted(epsilon, delta));
    }
  }

  /** A release that is ε-differentially private. */
  public static BoundedLoss pure(double epsilon) {
    return new BoundedLoss(epsilon, 0, 1);
  }

  /** A release that is (ε, δ)-differentially private. */
  public static BoundedLoss approximate(double epsilon, double delta) {
    return new BoundedLoss(epsilon, delta, 1);
  }

  @Override
  public BoundedLoss withTimes(long number) {
    return new BoundedLoss(epsilon, delta, number);
  }

  @Override
  public double renyi(double order) {
    // ln(p^a (1-p)^(1-a) + (1-p)^a p^(1-a)), ln p = -log1p(e^-eps), ln(1-p) = ln p - eps
    double truth = -Math.log1p(Math.exp(-epsilon));
    double high = truth + (order - 1) * epsilon;
    double low = truth - order * epsilon;
    double moment = high + Math.log1p(Math.exp(low - high));
    return times * Math.max(0, Math.min(epsilon, moment / (order - 1)));
  }

  @Override
  public double failure() {
    return times * delta;
  }

  @Override
  public LossDistribution losses(LossDistribution.Direction direction) {
    return new RandomizedResponseLosses(epsilon);
  }
}
