package org.safesynth.privacy;

/**
 * The distribution of the privacy loss ln P(o)/Q(o), o ~ P, of a pair (P, Q) that dominates a
 * mechanism in one direction (Sommer, Meiser and Mohammadi 2019; Zhu, Dong and Wang 2022).
 */
interface LossDistribution {
  /** Which of two neighbours P is drawn from: the one with the unit, or the one without. */
  enum Direction {
    REMOVE,
    ADD
  }

  /** Losses below have probability 0 or {@link #left} out. */
  double lowest();

  /** Losses above have probability 0 or {@link #left} out. */
  double highest();

  /** Probability of what lies outside lowest … highest; counted as loss without bound. */
  double left();

  /** Adds the probability of lowest … highest to the grid. */
  void spread(LossGrid grid);
}
