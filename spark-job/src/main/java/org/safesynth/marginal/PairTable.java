package org.safesynth.marginal;

import java.io.Serializable;

/**
 * Noisy counts of two positions.
 *
 * @param first a position
 * @param second a later position
 * @param counts (tokens of first · tokens of second) row by row, none negative
 */
public record PairTable(int first, int second, double[] counts) implements Serializable {
  /** Tokens of the second position. */
  int width(int tokensOfFirst) {
    return counts.length / tokensOfFirst;
  }
}
