package org.safesynth.privacy;

/**
 * Steps of DP-SGD: each unit enters by itself with probability q, the sum has L2 sensitivity C, the
 * noise deviates by σC (Abadi et al. 2016; Mironov, Talwar and Zhang 2019).
 *
 * @param times steps
 */
public record SubsampledGaussian(
    SamplingRate samplingRate, NoiseMultiplier noiseMultiplier, long times) implements Mechanism {
  public SubsampledGaussian {
    Mechanism.requireTimes(times);
  }

  @Override
  public SubsampledGaussian withTimes(long number) {
    return new SubsampledGaussian(samplingRate, noiseMultiplier, number);
  }

  @Override
  public double renyi(double order) {
    return times
        * SampledGaussianRenyi.divergence(samplingRate.value(), noiseMultiplier.value(), order);
  }

  @Override
  public LossDistribution losses(LossDistribution.Direction direction) {
    return new GaussianLosses(samplingRate.value(), noiseMultiplier.value(), direction);
  }
}
