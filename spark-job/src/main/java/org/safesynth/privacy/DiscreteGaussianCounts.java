package org.safesynth.privacy;

/**
 * Counts with exact noise of {@link CountNoise#gaussian}: P(x) ∝ exp(−x²/2σ²) on multiples of 1/16.
 *
 * <p>RDP: α·Δ²/2σ², as for the continuous Gaussian (Canonne, Kamath and Steinke 2020, theorem 14,
 * all values times 16).
 *
 * <p>Loss distribution: accounted as the continuous Gaussian of s² = σ² − τ², τ = 1.5/16, which
 * dominates it. For draw x ~ N(0, s²) and then y on the lattice with P(y | x) ∝ exp(−(y − x)²/2τ²).
 * By Poisson summation the normaliser Σ exp(−(y − x)²/2τ²) is the same for all x up to a factor 1 ±
 * 2.1·exp(−2π²·1.5²) &lt; 1 ± 1.1e-19, so y has P(y) ∝ exp(−y²/2(s² + τ²)) up to twice that. A
 * count is on the lattice, so the kernel commutes with adding it: the mechanism is the continuous
 * one followed by a random map that does not see the data, up to a change of the loss below 1e-18 a
 * cell, which the 1e-9 that the accountant adds covers for a thousand million cells.
 *
 * @param sigma noise of one count
 * @param l2Sensitivity of all counts of one application together
 */
public record DiscreteGaussianCounts(double sigma, double l2Sensitivity, long times)
    implements Mechanism {
  private static final double TAU = 1.5 / CountNoise.STEPS_PER_UNIT;

  public DiscreteGaussianCounts {
    Mechanism.requireTimes(times);
    if (!(sigma >= 2 * TAU && l2Sensitivity > 0 && l2Sensitivity < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "counts need noise of at least %s and a sensitivity above 0, not %s and %s"
              .formatted(2 * TAU, sigma, l2Sensitivity));
    }
  }

  @Override
  public DiscreteGaussianCounts withTimes(long number) {
    return new DiscreteGaussianCounts(sigma, l2Sensitivity, number);
  }

  @Override
  public double renyi(double order) {
    double ratio = l2Sensitivity / sigma;
    return times * order * ratio * ratio / 2;
  }

  @Override
  public LossDistribution losses(LossDistribution.Direction direction) {
    double continuous = Math.sqrt((sigma - TAU) * (sigma + TAU));
    return new GaussianLosses(1, continuous / l2Sensitivity / Math.sqrt(times), direction);
  }

  @Override
  public long lossTimes() {
    return 1;
  }
}
