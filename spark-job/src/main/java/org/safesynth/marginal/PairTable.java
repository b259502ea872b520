package org.safesynth.marginal;

import java.io.Serializable;

/**
 * Noisy counts of two positions.
 *
 * @param first a position
 * @param second a later position
 * @param counts (tokens of first · tokens of second) row by row, none negative
 * @param sigma standard deviation of the noise in a count
 */
public record PairTable(int first, int second, double[] counts, double sigma)
    implements Serializable {
  /** Tokens of the second position. */
  int width(int tokensOfFirst) {
    return counts.length / tokensOfFirst;
  }
}
