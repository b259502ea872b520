package org.safesynth.privacy;

import org.safesynth.fault.BadInputException;

/**
 * Selects the values of some columns that enough records have: noisy counts above a threshold
 * (Korolova et al. 2009; Gopi et al. 2020, the Gaussian mechanism for set union).
 *
 * <p><b>Why it is private.</b> Let one table have a record more than the other, and T columns be
 * counted. The record adds one to the count of one value in each column. For values that both
 * tables have, the noisy counts are the discrete Gaussian mechanism of L2 sensitivity √T, and
 * comparing them with a threshold is post-processing: that is on the ledger as {@link #counts}. A
 * value that only the record has, at most one a column, has no count in the other table and a count
 * of one in this one. Unless it is selected, the outputs are those of the mechanism on the common
 * values. It is selected when noise N ≥ threshold − 1. Now E[e^(tN)] = e^(t²σ²/2)·Σ
 * e^(−(x−tσ²)²/2σ²) / Σ e^(−x²/2σ²), and no shift of the lattice makes the upper sum larger than
 * the lower one (its Fourier coefficients are positive), so N is σ²-sub-Gaussian and P(N ≥ u) ≤
 * exp(−u²/2σ²). By the union over T columns that has probability at most δ′ for
 *
 * <pre>threshold = 1 + σ·√(2·ln(T/δ′)).</pre>
 *
 * <p>So the selection is δ′-approximately as private as the counts (Bun and Steinke 2016, section
 * 8): δ′ is on the ledger as {@link #failure}, and is taken off the δ of the conversion.
 */
public final class SetSelection {
  private final CountNoise noise;
  private final int columns;
  private final double failure;
  private final double threshold;

  /**
   * A selection.
   *
   * @param noise of one count
   * @param columns T, in each of which a record has one value at most
   * @param failure δ′
   */
  public SetSelection(CountNoise noise, int columns, double failure) {
    if (columns < 1 || !(failure > 0 && failure < 1)) {
      throw new BadInputException(
          "a selection from %d columns with probability %s of failure cannot be private"
              .formatted(columns, failure));
    }
    this.noise = noise;
    this.columns = columns;
    this.failure = failure;
    this.threshold = 1 + noise.sigma() * Math.sqrt(2 * Math.log(columns / failure));
  }

  /** The least noisy count of a value that is selected. */
  public double threshold() {
    return threshold;
  }

  /**
   * The noisy count of a value that at least one record has, or NaN when the value is not selected:
   * then nothing of it may be kept.
   */
  public double select(long count, SecretStream stream) {
    if (count < 1) {
      throw new IllegalArgumentException("a value that no record has is not a candidate");
    }
    double noisy = noise.addTo(count, stream);
    return noisy >= threshold ? noisy : Double.NaN;
  }

  /** What the counts cost. */
  public Mechanism counts() {
    return noise.mechanism(Math.sqrt(columns));
  }

  /** What it costs that a record's own value may be selected. */
  public Mechanism failure() {
    return BoundedLoss.approximate(0, failure);
  }
}
