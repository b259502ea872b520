package org.safesynth.privacy;

import java.math.BigInteger;

/**
 * Coins that fall with probability exp(−γ), exactly: Canonne, Kamath and Steinke 2020, algorithm 1.
 */
final class ExactBernoulli {
  private ExactBernoulli() {}

  /** True with probability exp(−numerator/denominator), for a fraction of 0 … 1. */
  static boolean expMinus(long numerator, long denominator, SecretStream stream) {
    long k = 1;
    // P(the first k coins fall) = γ^k / k!; the parity of the first that does not gives exp(-γ).
    while (stream.nextBernoulli(numerator, denominator) && stream.nextBernoulli(1, k)) {
      k++;
    }
    return (k & 1) == 1;
  }

  /** The same for fractions of any size, above 1 too. */
  static boolean expMinus(BigInteger numerator, BigInteger denominator, SecretStream stream) {
    BigInteger[] parts = numerator.divideAndRemainder(denominator);
    for (BigInteger i = BigInteger.ZERO; i.compareTo(parts[0]) < 0; i = i.add(BigInteger.ONE)) {
      if (!expMinus(1, 1, stream)) {
        return false;
      }
    }
    BigInteger fraction = parts[1];
    long k = 1;
    while (stream.nextBernoulli(fraction, denominator) && stream.nextBernoulli(1, k)) {
      k++;
    }
    return (k & 1) == 1;
  }
}
