package org.safesynth.privacy;

import java.math.BigInteger;

/**
 * Exact noise for counts, P(x) ∝ exp(−x²/2σ²) on the integers: Canonne, Kamath and Steinke 2020,
 * algorithm 3.
 *
 * <p>Integer arithmetic only, so that there is no floating point whose gaps could leak. Integer
 * vectors of L2 sensitivity Δ become (Δ²/2σ²)-zero-concentrated differentially private, the same
 * curve of Rényi divergences as for the continuous Gaussian (theorem 14 there).
 *
 * <p>σ is rounded up to a multiple of 2^-10, so that never less noise is drawn than asked for.
 */
public final class DiscreteGaussian {
  private static final int FRACTION_BITS = 10;

  private final double sigma;
  private final long laplaceScale; // t = floor(sigma) + 1
  private final DiscreteLaplace proposals;
  private final BigInteger sigmaSquared; // in units of 2^-20
  private final BigInteger denominator; // 2 sigma^2 t^2 in units of 2^-40

  /** Noise of parameter {@code atLeast} or a little more. */
  public DiscreteGaussian(double atLeast) {
    if (!(atLeast > 0 && atLeast <= 1L << 30)) {
      throw new IllegalArgumentException("sigma must lie in 0 … 2^30, and is " + atLeast);
    }
    long inUnits = (long) Math.ceil(Math.scalb(atLeast, FRACTION_BITS));
    sigma = Math.scalb((double) inUnits, -FRACTION_BITS);
    laplaceScale = (inUnits >> FRACTION_BITS) + 1;
    proposals = new DiscreteLaplace(laplaceScale, 1);
    sigmaSquared = BigInteger.valueOf(inUnits).pow(2);
    // gamma = (|y| - s2/t)^2 / (2 s2) = (|y| t - s2)^2 / (2 s2 t^2), s2 = sigmaSquared / 2^20
    denominator =
        sigmaSquared
            .shiftLeft(2 * FRACTION_BITS + 1)
            .multiply(BigInteger.valueOf(laplaceScale).pow(2));
  }

  /** The σ drawn with. */
  public double sigma() {
    return sigma;
  }

  /** One draw. */
  public long draw(SecretStream stream) {
    while (true) {
      long proposal = proposals.draw(stream);
      BigInteger distance =
          BigInteger.valueOf(Math.abs(proposal))
              .multiply(BigInteger.valueOf(laplaceScale))
              .shiftLeft(2 * FRACTION_BITS)
              .subtract(sigmaSquared);
      if (ExactBernoulli.expMinus(distance.pow(2), denominator, stream)) {
        return proposal;
      }
    }
  }
}
