package org.safesynth.privacy;

/**
 * The Gaussian mechanism on all units: noise of σ times the L2 sensitivity. RDP α/2σ² (Mironov
 * 2017, proposition 7).
 */
public record Gaussian(NoiseMultiplier noiseMultiplier, long times) implements Mechanism {
  public Gaussian {
    Mechanism.requireTimes(times);
  }

  @Override
  public Gaussian withTimes(long number) {
    return new Gaussian(noiseMultiplier, number);
  }

  @Override
  public double renyi(double order) {
    return times * order / (2 * noiseMultiplier.value() * noiseMultiplier.value());
  }

  /** Exactly one Gaussian of σ/√times: the losses of Gaussians are normal. */
  @Override
  public LossDistribution losses(LossDistribution.Direction direction) {
    return new GaussianLosses(1, noiseMultiplier.value() / Math.sqrt(times), direction);
  }

  @Override
  public long lossTimes() {
    return 1;
  }
}
