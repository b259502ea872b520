package org.safesynth.marginal;

import java.util.ArrayList;
import java.util.List;

/**
 * The tree of pairs with the greatest sum of scores (Chow and Liu 1968, with the scores of McKenna,
 * Miklau and Sheldon 2021): a function of noisy scores, so it costs nothing.
 */
public final class ChowLiu {
  private ChowLiu() {}

  /**
   * Prim's algorithm from position 0.
   *
   * @param scores (pairs) of the pairs (0,1), (0,2), …, (1,2), …
   * @return positions of each pair, the one already in the tree first
   */
  public static List<int[]> tree(int positions, double[] scores) {
    boolean[] root = new boolean[positions];
    root[0] = true;
    return tree(root, scores);
  }

  /**
   * The same from several positions that are known together: each other one hangs on one of them or
   * on another. Scores of two known positions are not looked at.
   */
  public static List<int[]> tree(boolean[] known, double[] scores) {
    int positions = known.length;
    boolean[] in = known.clone();
    List<int[]> pairs = new ArrayList<>();
    while (true) {
      int[] best = null;
      double most = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < positions; i++) {
        for (int j = 0; j < positions; j++) {
          if (in[i] && !in[j]) {
            double score = scores[index(positions, Math.min(i, j), Math.max(i, j))];
            if (best == null || score > most) {
              best = new int[] {i, j};
              most = score;
            }
          }
        }
      }
      if (best == null) {
        return pairs;
      }
      in[best[1]] = true;
      pairs.add(best);
    }
  }

  /** Number of the pair (i, j), i below j. */
  public static int index(int positions, int i, int j) {
    return i * (2 * positions - i - 1) / 2 + j - i - 1;
  }

  /**
   * Σ |c − n·p·q|, in whole numbers: the product of the noisy one-way counts is rounded first, so
   * that one record more or less changes the score by exactly one.
   *
   * @param counts (tokens of first · tokens of second)
   * @param first (tokens) noisy counts that sum to n
   * @param second (tokens) noisy counts that sum to n
   */
  public static long score(long[] counts, double[] first, double[] second, double n) {
    long score = 0;
    for (int i = 0; i < first.length; i++) {
      for (int j = 0; j < second.length; j++) {
        score += Math.abs(counts[i * second.length + j] - Math.round(first[i] * second[j] / n));
      }
    }
    return score;
  }
}
