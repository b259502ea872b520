package org.safesynth.privacy;

/** ln Σ exp(xᵢ) without overflow. */
final class LogSum {
  private double largest = Double.NEGATIVE_INFINITY;
  private double scaled;

  void add(double x) {
    if (x == Double.NEGATIVE_INFINITY) {
      return;
    }
    if (x <= largest) {
      scaled += Math.exp(x - largest);
    } else {
      scaled = scaled * Math.exp(largest - x) + 1;
      largest = x;
    }
  }

  double value() {
    return largest == Double.NEGATIVE_INFINITY ? largest : largest + Math.log(scaled);
  }
}
