package org.safesynth.job;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.safesynth.codec.Roundness;
import org.safesynth.marginal.ChowLiu;
import org.safesynth.marginal.FurtherPairs;
import org.safesynth.marginal.Marginals;
import org.safesynth.marginal.Margins;
import org.safesynth.marginal.PairTable;
import org.safesynth.marginal.Simplex;
import org.safesynth.privacy.CountNoise;
import org.safesynth.privacy.LedgerEntry;
import org.safesynth.privacy.SecretStreams;
import org.safesynth.privacy.SecretStreams.Purpose;
import org.safesynth.random.SeededStreams;

/**
 * Buys noisy counts: of every position, then of the pairs that a tree of them needs, of the target
 * with all columns, and of further pairs that those tell little of ({@link FurtherPairs}).
 *
 * <p>How round the numbers are ({@link Roundness}) is bought with them: one more cell of each of R
 * histograms, √R.
 *
 * <p>One record more or less changes one cell of each of T histograms: L2 sensitivity √T for them
 * together, √(T − 1) for a tree's tables, √S for S tables of the star or further ones. A pair's
 * score changes by at most one, so all scores together by √pairs ({@link ChowLiu#score}). How many
 * tables there are follows from noisy counts alone; their noise grows with their number so that
 * each purchase costs its share of ρ whichever it is.
 */
final class MarginalStage {
  /** Cells of pair tables that the driver holds at most: 64 MiB of counts. */
  static final long MOST_CELLS = 8L << 20;

  private static final double ONES = 0.1;
  private static final double ROUNDNESS = 0.02;
  private static final double SCORES = 0.15;
  private static final double SCORES_ALONE = 0.2;
  private static final double STAR = 0.15;
  private static final double FURTHER = 0.3;
  private static final double STAR_ALONE = 0.3;

  /** Rows that are drawn to see what is amiss need no secret: they are made of noisy counts. */
  private static final long FURTHER_SEED = 1;

  private final Purchases purchases;
  private final SecretStreams streams;
  private final double rho;
  private final boolean hasTarget;
  private final Kind kind;
  private double ofRoundness; // of rho, once it is bought

  /**
   * What records are counted.
   *
   * @param name before the names of purchases
   * @param words likewise before what they are
   * @param part of the noise's streams, of {@link #PARTS}
   */
  record Kind(String name, String words, int part) {
    static final Kind ROWS = new Kind("", "", 0);

    /** Whether records are drawn from their tables alone, none of their positions being known. */
    boolean isWhole() {
      return this.equals(ROWS);
    }
  }

  private static final int PARTS = 8; // streams of a kind of record
  private static final int ROUNDNESS_PART = 5;

  /** Purchases of tables, each at the number of its part of the streams. */
  private static final List<String> TABLES = List.of("", "", "tree", "star", "further");

  /**
   * @param rho zero-concentrated budget of all marginals together
   */
  MarginalStage(Purchases purchases, SecretStreams streams, double rho, boolean hasTarget) {
    this(purchases, streams, rho, hasTarget, Kind.ROWS);
  }

  MarginalStage(
      Purchases purchases, SecretStreams streams, double rho, boolean hasTarget, Kind kind) {
    this.purchases = purchases;
    this.streams = streams;
    this.rho = rho;
    this.hasTarget = hasTarget;
    this.kind = kind;
  }

  private static CountNoise noise(int applications, double rho) {
    return CountNoise.gaussian(Math.sqrt(applications / (2 * rho)));
  }

  private LedgerEntry entry(String name, String what, CountNoise noise, int applications) {
    return LedgerEntry.of(
        kind.name() + name, kind.words() + what, noise.mechanism(Math.sqrt(applications)));
  }

  /**
   * Counts of each position, none negative, each summing to the number of records.
   *
   * @param exact (positions, tokens) counted when they are needed
   */
  double[][] ones(int positions, double records, Supplier<long[][]> exact) {
    CountNoise noise = noise(positions, ONES * rho);
    double[][] noisy =
        purchases.once(
            entry("single columns", "noisy histogram of every column", noise, positions),
            () -> noisy(exact.get(), noise, 0));
    double[][] counts = new double[noisy.length][];
    for (int t = 0; t < counts.length; t++) {
      counts[t] = Simplex.project(noisy[t], records);
    }
    return counts;
  }

  /**
   * How round the numbers of the columns are.
   *
   * @param counts (positions, tokens) none negative, each summing to the number of records
   * @param sigma standard deviation of their noise
   */
  record Rounds(double[][] counts, double sigma) {}

  /**
   * Counts of {@link Roundness}; null where no column needs them.
   *
   * @param exact (positions, tokens) counted when they are needed
   */
  Rounds rounds(Roundness roundness, double records, Supplier<long[][]> exact) {
    if (roundness.positions() == 0) {
      return null;
    }
    ofRoundness = ROUNDNESS;
    CountNoise noise = noise(roundness.positions(), ofRoundness * rho);
    double[][] noisy =
        purchases.once(
            entry(
                "roundness",
                "noisy histogram of how round the numbers of a column are",
                noise,
                roundness.positions()),
            () -> noisy(exact.get(), noise, ROUNDNESS_PART));
    double[][] counts = new double[noisy.length][];
    for (int t = 0; t < counts.length; t++) {
      counts[t] = Simplex.project(noisy[t], records);
    }
    return new Rounds(counts, noise.sigma());
  }

  private double[][] noisy(long[][] exact, CountNoise noise, long part) {
    double[][] noisy = new double[exact.length][];
    for (int k = 0; k < exact.length; k++) {
      noisy[k] =
          noise.addTo(exact[k], streams, Purpose.MARGINAL_NOISE, kind.part() * PARTS + part, k);
    }
    return noisy;
  }

  /**
   * Tree and star.
   *
   * @param ones (positions, tokens) noisy counts that sum to {@code records}
   * @param target position of the declared target, or -1
   * @param exact (pairs, cells) counted when they are needed
   */
  Marginals pairs(double[][] ones, double records, int target, Supplier<long[][]> exact) {
    boolean[] root = new boolean[ones.length];
    root[0] = true;
    return pairs(ones, records, root, target, exact);
  }

  /**
   * Tree and star, where the tree begins with positions that are known together: pairs of those are
   * neither scored nor bought.
   *
   * @param known (positions)
   */
  Marginals pairs(
      double[][] ones, double records, boolean[] known, int target, Supplier<long[][]> exact) {
    int positions = ones.length;
    int[] scored = scored(known);
    int all = scored.length;
    Supplier<long[][]> counts = new Once(exact);
    double ofScores = (hasTarget ? SCORES : SCORES_ALONE) * rho;
    CountNoise scoreNoise = noise(all, ofScores);
    double[] scores =
        purchases
            .once(
                entry(
                    "scores",
                    "how much each pair of columns differs from independence",
                    scoreNoise,
                    all),
                () ->
                    noisy(
                        new long[][] {scores(counts.get(), ones, records, scored)}, scoreNoise, 1))[
            0];
    double[] ofPairs = new double[positions * (positions - 1) / 2];
    for (int k = 0; k < scored.length; k++) {
      ofPairs[scored[k]] = scores[k];
    }
    List<int[]> tree = ChowLiu.tree(known, ofPairs);
    List<int[]> star = star(tree, positions, target);
    boolean hasFurther = kind.isWhole() && tree.size() + star.size() < all;
    double ofStar = star.isEmpty() ? 0 : (kind.isWhole() ? STAR : STAR_ALONE) * rho;
    double ofFurther = hasFurther ? FURTHER * rho : 0;
    double ofTree = rho * (1 - ONES - ofRoundness) - ofScores - ofStar - ofFurther;
    Marginals bought =
        new Marginals(
            ones,
            noise(positions, ONES * rho).sigma(),
            tables(
                "tree", "noisy tables of the pairs of a tree", tree, ofTree, counts, ones, records),
            star.isEmpty()
                ? List.of()
                : tables(
                    "star", "noisy tables of the target", star, ofStar, counts, ones, records));
    if (!hasFurther) {
      return bought;
    }
    List<int[]> further =
        FurtherPairs.choose(
            bought,
            ofPairs,
            ofFurther,
            new SeededStreams(FURTHER_SEED).stream(SeededStreams.Purpose.SAMPLING));
    return bought.with(
        tables(
            "further",
            "noisy tables of pairs that those before tell little of",
            further,
            ofFurther,
            counts,
            ones,
            records));
  }

  /** Numbers of the pairs of which at most one position is known. */
  private static int[] scored(boolean[] known) {
    List<Integer> scored = new ArrayList<>();
    for (int i = 0, k = 0; i < known.length; i++) {
      for (int j = i + 1; j < known.length; j++, k++) {
        if (!(known[i] && known[j])) {
          scored.add(k);
        }
      }
    }
    return scored.stream().mapToInt(Integer::intValue).toArray();
  }

  private static long[] scores(long[][] counts, double[][] ones, double records, int[] scored) {
    long[] scores = new long[scored.length];
    for (int i = 0, k = 0, at = 0; i < ones.length; i++) {
      for (int j = i + 1; j < ones.length; j++, k++) {
        if (at < scored.length && scored[at] == k) {
          scores[at++] = ChowLiu.score(counts[k], ones[i], ones[j], records);
        }
      }
    }
    return scores;
  }

  private static List<int[]> star(List<int[]> tree, int positions, int target) {
    List<int[]> star = new ArrayList<>();
    if (target < 0) {
      return star;
    }
    Set<Integer> joined = new HashSet<>(Set.of(target));
    for (int[] pair : tree) {
      if (pair[0] == target) {
        joined.add(pair[1]);
      } else if (pair[1] == target) {
        joined.add(pair[0]);
      }
    }
    for (int t = 0; t < positions; t++) {
      if (!joined.contains(t)) {
        star.add(new int[] {target, t});
      }
    }
    return star;
  }

  private List<PairTable> tables(
      String name,
      String what,
      List<int[]> pairs,
      double budget,
      Supplier<long[][]> counts,
      double[][] ones,
      double records) {
    CountNoise noise = noise(pairs.size(), budget);
    int positions = ones.length;
    double[][] noisy =
        purchases.once(
            entry(name, what, noise, pairs.size()),
            () -> {
              long[][] chosen = new long[pairs.size()][];
              for (int k = 0; k < chosen.length; k++) {
                int low = Math.min(pairs.get(k)[0], pairs.get(k)[1]);
                int high = Math.max(pairs.get(k)[0], pairs.get(k)[1]);
                chosen[k] = counts.get()[ChowLiu.index(positions, low, high)];
              }
              return noisy(chosen, noise, TABLES.indexOf(name));
            });
    List<PairTable> tables = new ArrayList<>();
    for (int k = 0; k < noisy.length; k++) {
      int low = Math.min(pairs.get(k)[0], pairs.get(k)[1]);
      int high = Math.max(pairs.get(k)[0], pairs.get(k)[1]);
      tables.add(
          new PairTable(
              low,
              high,
              Margins.fit(Simplex.project(noisy[k], records), ones[low], ones[high]),
              noise.sigma()));
    }
    return tables;
  }

  /** Counts at the first call and remembers. */
  static final class Once implements Supplier<long[][]> {
    private final Supplier<long[][]> exact;
    private long[][] counts;

    Once(Supplier<long[][]> exact) {
      this.exact = exact;
    }

    @Override
    public long[][] get() {
      if (counts == null) {
        counts = exact.get();
      }
      return counts;
    }
  }
}
