package org.safesynth.evaluate;

/**
 * How far two distributions over the same cells are apart: Lin 1991, Endres and Schindelin 2003.
 */
final class JensenShannon {
  private JensenShannon() {}

  /**
   * The square root of the divergence in base 2: 0 when equal, 1 when no cell is shared.
   *
   * @param real (cells) counts or shares
   * @param synthetic (cells) likewise
   */
  static double distance(double[] real, double[] synthetic) {
    double realSum = sum(real);
    double syntheticSum = sum(synthetic);
    double divergence = 0; // in nats
    for (int cell = 0; cell < real.length; cell++) {
      double p = real[cell] / realSum;
      double q = synthetic[cell] / syntheticSum;
      double middle = (p + q) / 2;
      divergence += half(p, middle) + half(q, middle);
    }
    return Math.sqrt(Math.max(0, Math.min(1, divergence / Math.log(2))));
  }

  private static double half(double share, double middle) {
    return share == 0 ? 0 : share * Math.log(share / middle) / 2;
  }

  private static double sum(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }
}
