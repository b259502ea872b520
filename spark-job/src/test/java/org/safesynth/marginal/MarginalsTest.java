package org.safesynth.marginal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class MarginalsTest {
  @Test
  void projectedCountsAreNotNegativeAndSumToTheTotal() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 200; i++) {
      double[] noisy = random.doubles(1 + random.nextInt(50), -50, 100).toArray();
      double total = random.nextDouble(1, 1_000);
      double[] projected = Simplex.project(noisy, total);
      assertEquals(total, Arrays.stream(projected).sum(), 1e-6);
      assertTrue(Arrays.stream(projected).allMatch(count -> count >= 0));
    }
    assertArrayEquals(new double[] {3, 1}, Simplex.project(new double[] {3, 1}, 4), 1e-12);
    assertArrayEquals(new double[] {4, 0}, Simplex.project(new double[] {5, -9}, 4), 1e-12);
  }

  @Test
  void aFittedTableHasTheWantedSums() {
    SplittableRandom random = new SplittableRandom(6);
    for (int i = 0; i < 100; i++) {
      double[] rows = Simplex.project(random.doubles(7, 0, 50).toArray(), 300);
      double[] columns = Simplex.project(random.doubles(5, 0, 90).toArray(), 300);
      double[] fitted =
          Margins.fit(Simplex.project(random.doubles(35, -30, 30).toArray(), 300), rows, columns);
      for (int r = 0; r < 7; r++) {
        assertEquals(rows[r], Arrays.stream(fitted, r * 5, r * 5 + 5).sum(), 1e-6);
      }
      for (int c = 0; c < 5; c++) {
        double sum = 0;
        for (int r = 0; r < 7; r++) {
          sum += fitted[r * 5 + c];
        }
        assertEquals(columns[c], sum, 1e-6);
      }
      assertTrue(Arrays.stream(fitted).allMatch(count -> count >= 0));
    }
  }

  @Test
  void aTableThatFitsIsLeftAsItIs() {
    double[] counts = {5, 0, 0, 7};
    assertArrayEquals(counts, Margins.fit(counts, new double[] {5, 7}, new double[] {5, 7}), 1e-12);
  }

  @Test
  void oneRecordMovesAScoreByExactlyOne() {
    SplittableRandom random = new SplittableRandom(2);
    double[] first = {10.3, 20.2, 5.5};
    double[] second = {17.25, 18.75};
    for (int i = 0; i < 100; i++) {
      long[] counts = random.longs(6, 0, 20).toArray();
      long before = ChowLiu.score(counts, first, second, 36);
      counts[random.nextInt(6)]++;
      assertEquals(1, Math.abs(ChowLiu.score(counts, first, second, 36) - before));
    }
  }

  /** Positions 0 and 1 are known: 2 hangs on 1, 3 on 2, and what joins 0 and 1 does not matter. */
  @Test
  void aTreeMayBeginWithSeveralKnownPositions() {
    double[] scores = {Double.NaN, 1, 2, 8, 3, 4};
    List<int[]> tree = ChowLiu.tree(new boolean[] {true, true, false, false}, scores);
    assertEquals(2, tree.size());
    assertArrayEquals(new int[] {1, 2}, tree.get(0));
    assertArrayEquals(new int[] {2, 3}, tree.get(1));
  }

  /** The last position follows the second of the two known ones in nine of ten records. */
  @Test
  void whatIsKnownOfARecordStaysAndDecidesTheRest() {
    double[][] ones = {{50, 50}, {50, 50}, {50, 50}};
    PairTable pair = new PairTable(1, 2, new double[] {45, 5, 5, 45}, 1);
    Marginals marginals = new Marginals(ones, 1, List.of(pair), List.of());
    TreeSampler sampler = new TreeSampler(marginals, new boolean[] {true, true, false});
    SplittableRandom random = new SplittableRandom(3);
    int alike = 0;
    for (int i = 0; i < 4_000; i++) {
      int[] tokens = {i % 2, i / 2 % 2, -1};
      sampler.complete(tokens, random);
      assertEquals(i % 2, tokens[0]);
      assertEquals(i / 2 % 2, tokens[1]);
      alike += tokens[2] == tokens[1] ? 1 : 0;
    }
    assertEquals(3_600, alike, 5 * Math.sqrt(4_000 * 0.9 * 0.1));
  }

  @Test
  void theTreeHasTheGreatestSumOfScores() {
    // pairs (0,1) (0,2) (0,3) (1,2) (1,3) (2,3)
    List<int[]> tree = ChowLiu.tree(4, new double[] {1, 9, 2, 8, 3, 4});
    assertEquals(3, tree.size());
    assertArrayEquals(new int[] {0, 2}, tree.get(0));
    assertArrayEquals(new int[] {2, 1}, tree.get(1));
    assertArrayEquals(new int[] {2, 3}, tree.get(2));
  }

  /** Three coins: the second repeats the first, the third agrees with the second 3 times of 4. */
  private static Marginals coins() {
    double[][] ones = {{500, 500}, {500, 500}, {500, 500}};
    return new Marginals(
        ones,
        1,
        List.of(
            new PairTable(0, 1, new double[] {500, 0, 0, 500}, 1),
            new PairTable(1, 2, new double[] {375, 125, 125, 375}, 1)),
        List.of());
  }

  @Test
  void sampledRecordsFollowTheTree() {
    TreeSampler sampler = new TreeSampler(coins());
    SplittableRandom random = new SplittableRandom(3);
    int[] tokens = new int[3];
    int agree = 0;
    int ones = 0;
    for (int i = 0; i < 20_000; i++) {
      sampler.sample(tokens, random);
      assertEquals(tokens[0], tokens[1]);
      agree += tokens[1] == tokens[2] ? 1 : 0;
      ones += tokens[0];
    }
    assertEquals(15_000, agree, 300);
    assertEquals(10_000, ones, 350);
  }

  @Test
  void rakedRecordsAgreeWithTheTables() {
    SplittableRandom random = new SplittableRandom(4);
    int[][] pool = new int[8_000][];
    for (int r = 0; r < pool.length; r++) { // far from the tables: independent coins, one biased
      pool[r] = new int[] {random.nextInt(10) < 3 ? 1 : 0, random.nextInt(2), random.nextInt(2)};
    }
    Raking raking = Raking.fit(coins(), pool);
    int[][] drawn = raking.resample(pool, 4_000, random);
    int agree = 0;
    int ones = 0;
    for (int[] tokens : drawn) {
      agree += tokens[1] == tokens[2] ? 1 : 0;
      ones += tokens[0];
    }
    assertEquals(3_000, agree, 100);
    assertEquals(2_000, ones, 150);
  }

  /**
   * Many columns of many values, all independent, with tables that are all noise but for their
   * sums: the pool is as good as it gets, and must not be raked to the noise.
   */
  @Test
  void noiseDoesNotTakeTheWeightFromThePool() {
    SplittableRandom random = new SplittableRandom(5);
    int columns = 12;
    int values = 20;
    double records = 10_000;
    double sigma = 20; // a cell holds 25 records
    double[][] ones = new double[columns][values];
    for (double[] of : ones) {
      Arrays.fill(of, records / values);
    }
    List<PairTable> pairs = new ArrayList<>();
    for (int t = 1; t < columns; t++) {
      double[] noisy = new double[values * values];
      for (int c = 0; c < noisy.length; c++) {
        noisy[c] = records / noisy.length + sigma * random.nextGaussian();
      }
      double[] counts = Margins.fit(Simplex.project(noisy, records), ones[0], ones[t]);
      pairs.add(new PairTable(0, t, counts, sigma));
    }
    int[][] pool = new int[20_000][columns];
    for (int[] row : pool) {
      Arrays.setAll(row, t -> random.nextInt(values));
    }
    Raking raking = Raking.fit(new Marginals(ones, 5, pairs, List.of()), pool);
    double sum = 0;
    double squares = 0;
    for (int[] row : pool) {
      sum += raking.weight(row);
      squares += raking.weight(row) * raking.weight(row);
    }
    double effective = sum * sum / squares / pool.length;
    assertTrue(effective > 0.8, "a part of " + effective + " of the pool carries the weight");
  }

  @Test
  void rakingIsTheSameForTheSameNumbers() {
    int[][] pool = {{0, 0, 0}, {1, 1, 1}, {0, 0, 1}, {1, 1, 0}};
    Raking raking = Raking.fit(coins(), pool);
    int[][] once = raking.resample(pool, 3, new SplittableRandom(9));
    int[][] again = raking.resample(pool, 3, new SplittableRandom(9));
    assertTrue(Arrays.deepEquals(once, again));
  }
}
