package org.safesynth.marginal;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * Chooses pairs whose tables are worth buying beside a tree and a star: those whose noisy score
 * differs most from what rows drawn from the tables bought so far show, by more than the noise of
 * another table would cost (the quality score of AIM: McKenna, Mullins, Sheldon and Miklau 2022, in
 * a single round). A function of noisy counts, so it costs nothing.
 */
public final class FurtherPairs {
  /** What the noise of a count leaves of itself after projection and raking, on average. */
  private static final double NOISE_LEFT = 0.4;

  private static final int LEAST_ROWS = 20_000;
  private static final int MOST_ROWS = 200_000;

  /** Pairs that are looked at: those with the greatest scores. */
  private static final int MOST_CANDIDATES = 1_000;

  private FurtherPairs() {}

  /**
   * A pair and what a table of it would mend.
   *
   * @param records that lie in other cells than they should, twice each
   */
  private record Candidate(int first, int second, double records, int cells) {
    double worth(double sigma) {
      return records - NOISE_LEFT * sigma * cells;
    }
  }

  /**
   * The pairs, at least one where there are any.
   *
   * @param bought tree and star
   * @param scores (pairs) noisy {@link ChowLiu#score} of every pair
   * @param rho zero-concentrated budget of the tables together
   * @param random of the rows that are drawn; the same stream gives the same pairs
   * @return positions of each pair, the smaller first
   */
  public static List<int[]> choose(
      Marginals bought, double[] scores, double rho, RandomGenerator random) {
    List<Candidate> all = candidates(bought, scores, random);
    List<Candidate> best = List.of();
    double most = Double.NEGATIVE_INFINITY;
    for (int tables = 1; tables <= all.size(); tables++) {
      double sigma = Math.sqrt(tables / (2 * rho));
      List<Candidate> chosen =
          all.stream()
              .sorted(Comparator.comparingDouble(c -> -c.worth(sigma)))
              .limit(tables)
              .toList();
      double worth = chosen.stream().mapToDouble(c -> c.worth(sigma)).sum();
      if (worth > most) {
        most = worth;
        best = chosen;
      }
    }
    return best.stream().map(c -> new int[] {c.first(), c.second()}).toList();
  }

  private static List<Candidate> candidates(
      Marginals bought, double[] scores, RandomGenerator random) {
    double[][] ones = bought.ones();
    double records = 0;
    for (double count : ones[0]) {
      records += count;
    }
    Set<Integer> known = new HashSet<>();
    bought.pairs().forEach(p -> known.add(ChowLiu.index(ones.length, p.first(), p.second())));
    List<int[]> open = new ArrayList<>();
    for (int i = 0; i < ones.length; i++) {
      for (int j = i + 1; j < ones.length; j++) {
        if (!known.contains(ChowLiu.index(ones.length, i, j))) {
          open.add(new int[] {i, j});
        }
      }
    }
    open.sort(Comparator.comparingDouble(p -> -scores[ChowLiu.index(ones.length, p[0], p[1])]));
    int[][] rows =
        MarginalRows.draw(
            bought, (int) Math.max(LEAST_ROWS, Math.min(MOST_ROWS, Math.round(records))), random);
    List<Candidate> candidates = new ArrayList<>();
    for (int[] pair : open.subList(0, Math.min(MOST_CANDIDATES, open.size()))) {
      double score = scores[ChowLiu.index(ones.length, pair[0], pair[1])];
      double amiss =
          Math.abs(score - shown(rows, ones, pair, records))
              - byChance(ones, pair, records, rows.length);
      candidates.add(
          new Candidate(
              pair[0], pair[1], Math.max(0, amiss), ones[pair[0]].length * ones[pair[1]].length));
    }
    return candidates;
  }

  /** The score of a pair in drawn rows, as if they were so many records. */
  private static double shown(int[][] rows, double[][] ones, int[] pair, double records) {
    double[] first = ones[pair[0]];
    double[] second = ones[pair[1]];
    double[] counts = new double[first.length * second.length];
    for (int[] row : rows) {
      counts[row[pair[0]] * second.length + row[pair[1]]] += records / rows.length;
    }
    double score = 0;
    for (int i = 0; i < first.length; i++) {
      for (int j = 0; j < second.length; j++) {
        score += Math.abs(counts[i * second.length + j] - first[i] * second[j] / records);
      }
    }
    return score;
  }

  /** By how much the scores of so many rows and of the records differ by chance alone. */
  private static double byChance(double[][] ones, int[] pair, double records, int rows) {
    double sum = 0;
    for (double first : ones[pair[0]]) {
      for (double second : ones[pair[1]]) {
        sum += Math.sqrt(2 / Math.PI * first * second / records);
      }
    }
    return sum * Math.abs(Math.sqrt(records / rows) - 1);
  }
}
