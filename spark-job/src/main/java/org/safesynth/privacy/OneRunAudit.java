package org.safesynth.privacy;

/**
 * What guesses about canaries prove: a lower bound on ε from one training run (Steinke, Nasr and
 * Jagielski 2023, theorem 5.2).
 *
 * <p>Each of m canaries was in the data with probability 1/2, by itself. After training, r of them
 * are guessed to have been in or out, the rest are passed over, and v guesses are right. If
 * training is (ε, δ)-differentially private, then with W ~ Binomial(r, e^ε/(1 + e^ε))
 *
 * <pre>P(v or more right) ≤ P(W ≥ v) + m·δ·max over i of (2/i)·P(v − i ≤ W &lt; v).</pre>
 *
 * An ε for which this is below 1 − confidence is refuted.
 */
public final class OneRunAudit {
  private final int canaries;
  private final Delta delta;
  private final double confidence;

  /** An audit of m canaries. */
  public OneRunAudit(int canaries, Delta delta, double confidence) {
    if (canaries < 1 || !(confidence > 0 && confidence < 1)) {
      throw new IllegalArgumentException("an audit has canaries and a confidence below 1");
    }
    this.canaries = canaries;
    this.delta = delta;
    this.confidence = confidence;
  }

  /** The largest ε that so many right guesses refute; 0 if none. */
  public double lowerBound(int guesses, int right) {
    if (right < 0 || right > guesses || guesses > canaries) {
      throw new IllegalArgumentException(
          "%d right of %d guesses on %d canaries".formatted(right, guesses, canaries));
    }
    if (!isRefuted(0, guesses, right)) {
      return 0;
    }
    double low = 0;
    double high = 1;
    while (high < 100 && isRefuted(high, guesses, right)) {
      low = high;
      high *= 2;
    }
    for (int i = 0; i < 50; i++) {
      double middle = (low + high) / 2;
      if (isRefuted(middle, guesses, right)) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private boolean isRefuted(double epsilon, int guesses, int right) {
    return probability(epsilon, guesses, right) < 1 - confidence;
  }

  /** Bound on the probability of so many right guesses under (ε, δ)-differential privacy. */
  double probability(double epsilon, int guesses, int right) {
    double[] mass = binomial(guesses, epsilon);
    double atLeast = 0;
    for (int k = right; k <= guesses; k++) {
      atLeast += mass[k];
    }
    double below = 0;
    double most = 0;
    for (int i = 1; i <= right; i++) {
      below += mass[right - i];
      most = Math.max(most, 2 * below / i);
    }
    return Math.min(1, atLeast + canaries * delta.value() * most);
  }

  private static double[] binomial(int n, double epsilon) {
    double logRight = -Math.log1p(Math.exp(-epsilon));
    double logWrong = logRight - epsilon;
    double[] mass = new double[n + 1];
    double logChoose = 0;
    for (int k = 0; k <= n; k++) {
      mass[k] = Math.exp(logChoose + k * logRight + (n - k) * logWrong);
      logChoose += Math.log((double) (n - k) / (k + 1));
    }
    return mass;
  }
}
