package org.safesynth.marginal;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Weights that make sampled records agree with noisy pair tables: iterative proportional fitting on
 * a pool of records (Deming and Stephan 1940), kept as one factor a cell, so that any further
 * record can be weighted by itself. Post-processing: it costs no privacy.
 *
 * <p>Weights are bounded. A record in rare cells of several tables has the product of their
 * factors, and a few such products would carry all the weight of a pool: with 26 tables of Adult at
 * ε 2 a fiftieth of the pool did, with 49 a three-thousandth, and single columns came out worse
 * than before. The bound is in the fit too, so that other records make up for what it cuts off.
 *
 * @param tables the pairs
 * @param factors (tables, cells) the weight of a record is the product over its cells
 */
public record Raking(List<Cells> tables, double[][] factors) implements Serializable {
  private static final int ROUNDS = 25;
  private static final double MOST = 8;

  /** A record weighs at most so many times the pool's mean. */
  private static final double MOST_WEIGHT = 4;

  private static final int NO_SECOND = -1;
  private static final double TRUST_IN_POOL = 0.1;

  /**
   * The cells of a pair of positions, or of one position.
   *
   * @param second -1 for the cells of one position
   * @param width tokens of the second
   */
  public record Cells(int first, int second, int width) implements Serializable {
    int of(int[] tokens) {
      return second == NO_SECOND ? tokens[first] : tokens[first] * width + tokens[second];
    }
  }

  public Raking {
    tables = List.copyOf(tables);
  }

  /**
   * Fits factors.
   *
   * <p>A noisy count is believed as far as it knows better than the pool: the pool's own count of a
   * cell is taken to be right to within {@link #TRUST_IN_POOL} of itself, the noisy one to within
   * its σ, and the target is the mean of both by precision. Without this, small cells are raked to
   * noise: weights then multiply over many tables until a hundredth of the pool carries all of it,
   * and even single columns come out worse than before.
   *
   * @param pool records (pool, positions) as the model writes them
   */
  public static Raking fit(Marginals marginals, int[][] pool) {
    double records = Arrays.stream(marginals.ones()[0]).sum();
    List<Cells> tables = new ArrayList<>();
    List<double[]> targets = new ArrayList<>();
    double[][] ones = new double[marginals.ones().length][];
    for (int t = 0; t < ones.length; t++) {
      Cells single = new Cells(t, NO_SECOND, 1);
      double[] own = counts(single, pool, marginals.ones()[t].length, records);
      ones[t] = between(own, marginals.ones()[t], marginals.sigma(), records);
    }
    for (PairTable pair : marginals.pairs()) {
      Cells cells = new Cells(pair.first(), pair.second(), marginals.ones()[pair.second()].length);
      double[] own = counts(cells, pool, pair.counts().length, records);
      double[] mean = between(own, pair.counts(), pair.sigma(), records);
      tables.add(cells);
      targets.add(shares(Margins.fit(mean, ones[pair.first()], ones[pair.second()])));
    }
    for (int t = 0; t < ones.length; t++) { // last, since they are known best
      tables.add(new Cells(t, NO_SECOND, 1));
      targets.add(shares(ones[t]));
    }
    double[][] factors = new double[tables.size()][];
    for (int k = 0; k < factors.length; k++) {
      factors[k] = new double[targets.get(k).length];
      Arrays.fill(factors[k], 1);
    }
    double[] products = new double[pool.length];
    Arrays.fill(products, 1);
    double mean = 1;
    for (int round = 0; round < ROUNDS; round++) {
      for (int k = 0; k < factors.length; k++) {
        mean = rake(tables.get(k), targets.get(k), factors[k], pool, products, mean);
      }
    }
    double[] last = factors[factors.length - 1];
    for (int c = 0; c < last.length; c++) {
      last[c] /= mean; // the bound of a weight is one of its product
    }
    return new Raking(tables, factors);
  }

  /** The pool's counts of the cells, as if it had so many records. */
  private static double[] counts(Cells cells, int[][] pool, int size, double records) {
    double[] counts = new double[size];
    for (int[] row : pool) {
      counts[cells.of(row)] += records / pool.length;
    }
    return counts;
  }

  /** The mean by precision, with the given sum. */
  private static double[] between(double[] own, double[] noisy, double sigma, double records) {
    double[] mean = new double[own.length];
    for (int c = 0; c < mean.length; c++) {
      double spread = TRUST_IN_POOL * own[c];
      double ofNoisy = sigma == 0 ? 1 : spread * spread / (spread * spread + sigma * sigma);
      mean[c] = own[c] + ofNoisy * (noisy[c] - own[c]);
    }
    return Simplex.project(mean, records);
  }

  /**
   * Brings the pool's weights closer to one table.
   *
   * @param products of the records' factors
   * @param mean weight of a record before
   * @return mean weight of a record after
   */
  private static double rake(
      Cells cells,
      double[] target,
      double[] factors,
      int[][] pool,
      double[] products,
      double mean) {
    double[] now = new double[target.length];
    for (int r = 0; r < pool.length; r++) {
      now[cells.of(pool[r])] += bounded(products[r] / mean) / pool.length;
    }
    double total = Arrays.stream(now).sum();
    double[] step = new double[target.length];
    for (int c = 0; c < step.length; c++) {
      double wanted = now[c] > 0 ? (target[c] + 1e-7) / (now[c] / total + 1e-7) : 1;
      double bounded = Math.max(1 / MOST, Math.min(MOST, factors[c] * wanted));
      step[c] = bounded / factors[c];
      factors[c] = bounded;
    }
    double sum = 0;
    for (int r = 0; r < pool.length; r++) {
      products[r] *= step[cells.of(pool[r])];
      sum += Math.min(products[r], MOST_WEIGHT * mean);
    }
    return sum / pool.length;
  }

  private static double bounded(double weight) {
    return Math.min(weight, MOST_WEIGHT);
  }

  private static double[] shares(double[] counts) {
    double sum = Arrays.stream(counts).sum();
    return Arrays.stream(counts).map(count -> sum > 0 ? count / sum : 0).toArray();
  }

  /** The weight of a record; the pool's mean is about 1. */
  public double weight(int[] tokens) {
    double weight = 1;
    for (int k = 0; k < factors.length; k++) {
      weight *= factors[k][tables.get(k).of(tokens)];
    }
    return bounded(weight);
  }

  /** Draws {@code count} of the candidates by weight: systematic sampling, one number drawn. */
  public int[][] resample(int[][] candidates, int count, RandomGenerator random) {
    double[] weights = new double[candidates.length];
    double sum = 0;
    for (int r = 0; r < weights.length; r++) {
      weights[r] = weight(candidates[r]);
      sum += weights[r];
    }
    int[][] drawn = new int[count][];
    double step = sum / count;
    double level = random.nextDouble() * step;
    double passed = 0;
    int r = -1;
    for (int i = 0; i < count; i++) {
      while (r < weights.length - 1 && (r < 0 || passed <= level)) {
        passed += weights[++r];
      }
      drawn[i] = candidates[r];
      level += step;
    }
    return drawn;
  }
}
