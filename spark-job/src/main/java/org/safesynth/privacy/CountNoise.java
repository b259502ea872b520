package org.safesynth.privacy;

import org.safesynth.privacy.SecretStreams.Purpose;

/**
 * Exact Gaussian noise for counts: the discrete Gaussian of 16σ, divided by 16.
 *
 * <p>The finer lattice costs nothing and lets the loss distribution be accounted for small σ too
 * (see {@link DiscreteGaussianCounts}). Counts below 2^40 plus the noise are exact doubles.
 */
public final class CountNoise {
  static final int STEPS_PER_UNIT = 16;

  private final DiscreteGaussian inSteps;

  private CountNoise(DiscreteGaussian inSteps) {
    this.inSteps = inSteps;
  }

  /** Noise of σ or a little more, never less; σ is at least 3/16. */
  public static CountNoise gaussian(double sigma) {
    return new CountNoise(new DiscreteGaussian(sigma * STEPS_PER_UNIT));
  }

  /** The σ drawn with. */
  public double sigma() {
    return inSteps.sigma() / STEPS_PER_UNIT;
  }

  /** The counts with noise, multiples of 1/16; the purpose and parts name a stream of their own. */
  public double[] addTo(long[] counts, SecretStreams streams, Purpose purpose, long... parts) {
    SecretStream stream = streams.stream(purpose, parts);
    double[] noisy = new double[counts.length];
    for (int i = 0; i < counts.length; i++) {
      noisy[i] = addTo(counts[i], stream);
    }
    return noisy;
  }

  /** One count with noise, a multiple of 1/16. */
  double addTo(long count, SecretStream stream) {
    long steps = Math.addExact(Math.multiplyExact(count, STEPS_PER_UNIT), inSteps.draw(stream));
    return (double) steps / STEPS_PER_UNIT;
  }

  /** What the accountants are told of one application. */
  public DiscreteGaussianCounts mechanism(double l2Sensitivity) {
    return new DiscreteGaussianCounts(sigma(), l2Sensitivity, 1);
  }
}
