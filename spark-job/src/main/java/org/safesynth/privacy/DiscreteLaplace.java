package org.safesynth.privacy;

/**
 * Exact noise for counts, P(x) ∝ exp(−|x|·den/num): Canonne, Kamath and Steinke 2020, algorithm 2.
 *
 * <p>Integer arithmetic only, so that there is no floating point whose gaps could leak (Mironov
 * 2012). With scale num/den = Δ/ε it makes integer counts of L1 sensitivity Δ ε-differentially
 * private: the ratio of neighbouring probabilities is exactly exp(ε/Δ) a step.
 */
public final class DiscreteLaplace {
  private static final long MAX = 1L << 31;

  private final long numerator;
  private final long denominator;

  /** Scale numerator / denominator, both 1 to 2^31. */
  public DiscreteLaplace(long numerator, long denominator) {
    if (numerator < 1 || denominator < 1 || numerator > MAX || denominator > MAX) {
      throw new IllegalArgumentException(
          "the scale must be a fraction of numbers from 1 to 2^31, not %d/%d"
              .formatted(numerator, denominator));
    }
    this.numerator = numerator;
    this.denominator = denominator;
  }

  /**
   * The scale that hides {@code sensitivity} at ε, rounded up to a fraction, so that never less
   * noise is drawn than ε asks for.
   */
  public static DiscreteLaplace hiding(long sensitivity, Epsilon epsilon) {
    double scale = sensitivity / epsilon.value();
    if (!(sensitivity >= 1 && scale <= 0x1p30)) {
      throw new IllegalArgumentException("no scale for sensitivity " + sensitivity);
    }
    // A double's quotient errs by half an ulp; the next one up is on the safe side.
    double upper = Math.nextUp(scale);
    long denominator = 1;
    while (denominator < 1L << 20 && upper * denominator * 2 < 0x1p30) {
      denominator *= 2;
    }
    return new DiscreteLaplace((long) Math.ceil(upper * denominator), denominator);
  }

  /** t of P(x) ∝ exp(−|x|/t). */
  public double scale() {
    return (double) numerator / denominator;
  }

  /** One draw. */
  public long draw(SecretStream stream) {
    while (true) {
      long u = stream.nextBelow(numerator);
      if (!ExactBernoulli.expMinus(u, numerator, stream)) {
        continue;
      }
      long whole = 0;
      while (ExactBernoulli.expMinus(1, 1, stream)) {
        whole++;
      }
      long magnitude = Math.addExact(u, Math.multiplyExact(numerator, whole)) / denominator;
      boolean negative = stream.nextBelow(2) == 1;
      if (!negative || magnitude != 0) {
        return negative ? -magnitude : magnitude; // a zero with a minus would count zero twice
      }
    }
  }
}
