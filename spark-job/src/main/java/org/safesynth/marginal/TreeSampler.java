package org.safesynth.marginal;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/** Draws records from a tree of noisy pair tables, the root first, then along each pair. */
public final class TreeSampler {
  private final double[][] ones; // (positions, tokens) cumulative
  private final List<Edge> edges = new ArrayList<>();

  /** From a position to another: cumulative counts of the child for each token of the parent. */
  private record Edge(int parent, int child, double[][] cumulative) {}

  public TreeSampler(Marginals marginals) {
    this(marginals, root(marginals.ones().length));
  }

  private static boolean[] root(int positions) {
    boolean[] root = new boolean[positions];
    root[0] = true;
    return root;
  }

  /**
   * For records of which some positions are known.
   *
   * @param known (positions) where the tree begins
   */
  public TreeSampler(Marginals marginals, boolean[] known) {
    ones = new double[marginals.ones().length][];
    for (int t = 0; t < ones.length; t++) {
      ones[t] = cumulative(marginals.ones()[t]);
    }
    boolean[] in = known.clone();
    for (PairTable pair : marginals.tree()) {
      boolean forward = in[pair.first()];
      int parent = forward ? pair.first() : pair.second();
      int child = forward ? pair.second() : pair.first();
      in[child] = true;
      edges.add(new Edge(parent, child, conditional(pair, forward)));
    }
  }

  private double[][] conditional(PairTable pair, boolean forward) {
    int rows = ones[pair.first()].length;
    int columns = ones[pair.second()].length;
    double[][] of = new double[forward ? rows : columns][forward ? columns : rows];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        of[forward ? i : j][forward ? j : i] = pair.counts()[i * columns + j];
      }
    }
    for (int i = 0; i < of.length; i++) {
      of[i] = cumulative(of[i]);
    }
    return of;
  }

  private static double[] cumulative(double[] counts) {
    double[] sums = new double[counts.length];
    double sum = 0;
    for (int i = 0; i < counts.length; i++) {
      sum += counts[i];
      sums[i] = sum;
    }
    return sums;
  }

  /** Draws one record's tokens (positions). */
  public void sample(int[] tokens, RandomGenerator random) {
    if (edges.isEmpty()) {
      for (int t = 0; t < tokens.length; t++) {
        tokens[t] = draw(ones[t], random);
      }
      return;
    }
    tokens[0] = draw(ones[0], random);
    complete(tokens, random);
  }

  /** Draws what is not known of a record's tokens (positions). */
  public void complete(int[] tokens, RandomGenerator random) {
    for (Edge edge : edges) {
      double[] given = edge.cumulative()[tokens[edge.parent()]];
      boolean empty = !(given[given.length - 1] > 0); // noise may leave nothing of a rare token
      tokens[edge.child()] = draw(empty ? ones[edge.child()] : given, random);
    }
  }

  private static int draw(double[] cumulative, RandomGenerator random) {
    double total = cumulative[cumulative.length - 1];
    if (!(total > 0)) {
      return random.nextInt(cumulative.length);
    }
    double level = random.nextDouble() * total;
    int token = 0;
    while (token < cumulative.length - 1 && cumulative[token] <= level) {
      token++;
    }
    return token;
  }
}
