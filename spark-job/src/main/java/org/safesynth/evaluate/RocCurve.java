package org.safesynth.evaluate;

import java.util.Arrays;
import java.util.Comparator;

/** The area under a receiver operating characteristic, as the Mann-Whitney statistic. */
final class RocCurve {
  private RocCurve() {}

  /**
   * The odds that a positive scores above a negative, ties counting half; NaN without both kinds.
   */
  static double area(double[] scores, boolean[] isPositive) {
    Integer[] order = new Integer[scores.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparingDouble(i -> scores[i]));
    double rankSum = 0;
    long positives = 0;
    for (int begin = 0, end; begin < order.length; begin = end) {
      end = begin;
      int tied = 0;
      while (end < order.length && scores[order[end]] == scores[order[begin]]) {
        tied += isPositive[order[end]] ? 1 : 0;
        end++;
      }
      rankSum += tied * (begin + 1 + end) / 2.0;
      positives += tied;
    }
    long negatives = scores.length - positives;
    if (positives == 0 || negatives == 0) {
      return Double.NaN;
    }
    return (rankSum - positives * (positives + 1) / 2.0) / ((double) positives * negatives);
  }
}
