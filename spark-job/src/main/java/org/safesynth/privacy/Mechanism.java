package org.safesynth.privacy;

import java.io.Serializable;

/**
 * One kind of release about the data, as the accountants see it, and how often it was made.
 *
 * <p>Adjacency is add or remove one unit. Releases of a history are composed adaptively: each may
 * depend on the results of those before it.
 */
public sealed interface Mechanism extends Serializable
    permits SubsampledGaussian, Gaussian, DiscreteGaussianCounts, Laplace, BoundedLoss {

  /** How often it was applied. */
  long times();

  /** The same mechanism applied that often. */
  Mechanism withTimes(long times);

  /** Rényi divergence of all applications together, at an order above 1; the larger direction. */
  double renyi(double order);

  /** The probability that the bound on the loss fails outright, summed over all applications. */
  default double failure() {
    return 0;
  }

  /** Privacy losses of one application, or of {@link #lossTimes} fewer ones that equal them all. */
  LossDistribution losses(LossDistribution.Direction direction);

  /** How many copies of {@link #losses} compose to all applications. */
  default long lossTimes() {
    return times();
  }

  /** Refuses a number of applications that is none. */
  static void requireTimes(long times) {
    if (times < 1) {
      throw new IllegalArgumentException("a mechanism is applied at least once, not " + times);
    }
  }
}
