package org.safesynth.marginal;

import java.io.Serializable;
import java.util.List;

/**
 * What noisy counts say of a table.
 *
 * @param ones (positions, tokens) counts of each position, none negative, each summing to the
 *     number of records
 * @param sigma standard deviation of the noise in a count of {@code ones}
 * @param tree pairs that connect all positions, in the order in which they grow from position 0;
 *     empty when no pairs were counted
 * @param star pairs of the target with columns that the tree does not join to it
 */
public record Marginals(double[][] ones, double sigma, List<PairTable> tree, List<PairTable> star)
    implements Serializable {
  public Marginals {
    tree = List.copyOf(tree);
    star = List.copyOf(star);
  }

  /** All pair tables. */
  public List<PairTable> pairs() {
    List<PairTable> all = new java.util.ArrayList<>(tree);
    all.addAll(star);
    return all;
  }
}
