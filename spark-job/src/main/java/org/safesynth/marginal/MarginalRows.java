package org.safesynth.marginal;

import java.util.random.RandomGenerator;

/**
 * Rows drawn from noisy marginals: from the tree, then by weight so that they agree with the tables
 * beside it, in random order. Post-processing: they cost no privacy.
 */
public final class MarginalRows {
  private static final int CANDIDATES = 2; // rows drawn for each one that raking keeps

  private MarginalRows() {}

  /**
   * Draws rows.
   *
   * @return (count, positions) tokens
   */
  public static int[][] draw(Marginals marginals, int count, RandomGenerator random) {
    TreeSampler tree = new TreeSampler(marginals);
    boolean isRaked = !marginals.beside().isEmpty();
    int[][] rows = new int[isRaked ? CANDIDATES * count : count][marginals.ones().length];
    for (int[] row : rows) {
      tree.sample(row, random);
    }
    if (isRaked) {
      rows = Raking.fit(marginals, rows).resample(rows, count, random);
    }
    for (int i = rows.length - 1; i > 0; i--) { // resampling left copies side by side
      int j = random.nextInt(i + 1);
      int[] other = rows[i];
      rows[i] = rows[j];
      rows[j] = other;
    }
    return rows;
  }
}
