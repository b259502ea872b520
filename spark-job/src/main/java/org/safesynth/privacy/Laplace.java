package org.safesynth.privacy;

import org.safesynth.fault.BadInputException;

/**
 * The Laplace mechanism with this scale over the L1 sensitivity. RDP: Mironov 2017, proposition 6.
 * Discrete Laplace noise is accounted by {@link BoundedLoss#pure}, never looser than its ε.
 */
public record Laplace(double noiseMultiplier, long times) implements Mechanism {
  public Laplace {
    Mechanism.requireTimes(times);
    if (!(noiseMultiplier > 0 && noiseMultiplier < Double.POSITIVE_INFINITY)) {
      throw new BadInputException(
          "the scale of Laplace noise is %s times the sensitivity, but must be a number above 0"
              .formatted(noiseMultiplier));
    }
  }

  @Override
  public Laplace withTimes(long number) {
    return new Laplace(noiseMultiplier, number);
  }

  @Override
  public double renyi(double order) {
    double epsilon = 1 / noiseMultiplier;
    double high = Math.log(order / (2 * order - 1)) + (order - 1) * epsilon;
    double low = Math.log((order - 1) / (2 * order - 1)) - order * epsilon;
    // Near order 1 the sum of exponentials is near 1; the divergence is at most epsilon.
    double moment = high + Math.log1p(Math.exp(low - high));
    return times * Math.max(0, Math.min(epsilon, moment / (order - 1)));
  }

  @Override
  public LossDistribution losses(LossDistribution.Direction direction) {
    return new LaplaceLosses(noiseMultiplier);
  }
}
