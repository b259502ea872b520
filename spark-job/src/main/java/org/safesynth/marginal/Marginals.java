package org.safesynth.marginal;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * What noisy counts say of a table.
 *
 * @param ones (positions, tokens) counts of each position, none negative, each summing to the
 *     number of records
 * @param sigma standard deviation of the noise in a count of {@code ones}
 * @param tree pairs that connect all positions, in the order in which they grow from position 0;
 *     empty when no pairs were counted
 * @param beside pairs that the tree leaves out: the target's with every column, and others that the
 *     tree tells little of
 */
public record Marginals(double[][] ones, double sigma, List<PairTable> tree, List<PairTable> beside)
    implements Serializable {
  public Marginals {
    tree = List.copyOf(tree);
    beside = List.copyOf(beside);
  }

  /** The same with more tables beside the tree. */
  public Marginals with(List<PairTable> more) {
    List<PairTable> all = new ArrayList<>(beside);
    all.addAll(more);
    return new Marginals(ones, sigma, tree, all);
  }

  /** All pair tables. */
  public List<PairTable> pairs() {
    List<PairTable> all = new ArrayList<>(tree);
    all.addAll(beside);
    return all;
  }
}
