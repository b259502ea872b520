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
final class FurtherPairsTest {
  private static final int POSITIONS = 6;
  private static final int VALUES = 4;
  private static final int RECORDS = 30_000;

  /**
   * Records where 1 follows 0, 2 follows 1, and 5 follows 3, while 4 follows 3 and 5 together: a
   * tree of (0,1) (1,2) (0,3) (0,4) (0,5) knows nothing of the last three, and all of (0,2).
   */
  private static int[][] records() {
    SplittableRandom random = new SplittableRandom(6);
    int[][] records = new int[RECORDS][POSITIONS];
    for (int[] record : records) {
      record[0] = random.nextInt(VALUES);
      record[1] = random.nextInt(10) < 7 ? record[0] : random.nextInt(VALUES);
      record[2] = random.nextInt(10) < 7 ? record[1] : random.nextInt(VALUES);
      record[3] = random.nextInt(VALUES);
      record[5] = random.nextInt(10) < 8 ? record[3] : random.nextInt(VALUES);
      record[4] = random.nextInt(10) < 2 ? record[5] : random.nextInt(VALUES);
    }
    return records;
  }

  private static double[] counts(int[][] records, int i, int j) {
    double[] counts = new double[VALUES * VALUES];
    for (int[] record : records) {
      counts[record[i] * VALUES + record[j]]++;
    }
    return counts;
  }

  private static double[][] ones(int[][] records) {
    double[][] ones = new double[POSITIONS][VALUES];
    for (int[] record : records) {
      for (int t = 0; t < POSITIONS; t++) {
        ones[t][record[t]]++;
      }
    }
    return ones;
  }

  private static Marginals tree(int[][] records) {
    List<PairTable> tree = new ArrayList<>();
    for (int[] pair : new int[][] {{0, 1}, {1, 2}, {0, 3}, {0, 4}, {0, 5}}) {
      tree.add(new PairTable(pair[0], pair[1], counts(records, pair[0], pair[1]), 1));
    }
    return new Marginals(ones(records), 1, tree, List.of());
  }

  private static double[] scores(int[][] records) {
    double[][] ones = ones(records);
    double[] scores = new double[POSITIONS * (POSITIONS - 1) / 2];
    for (int i = 0; i < POSITIONS; i++) {
      for (int j = i + 1; j < POSITIONS; j++) {
        long[] counts = Arrays.stream(counts(records, i, j)).mapToLong(c -> (long) c).toArray();
        scores[ChowLiu.index(POSITIONS, i, j)] = ChowLiu.score(counts, ones[i], ones[j], RECORDS);
      }
    }
    return scores;
  }

  private static List<int[]> chosen(double rho) {
    int[][] records = records();
    return FurtherPairs.choose(tree(records), scores(records), rho, new SplittableRandom(1));
  }

  @Test
  void whatTheTreeDoesNotTellIsChosen() {
    List<int[]> chosen = chosen(1e-4);
    assertEquals(3, chosen.size(), chosen.stream().map(Arrays::toString).toList().toString());
    assertArrayEquals(new int[] {3, 5}, chosen.get(0));
    assertArrayEquals(new int[] {4, 5}, chosen.get(1));
    assertArrayEquals(new int[] {3, 4}, chosen.get(2));
  }

  @Test
  void aSmallBudgetBuysTheWorstPairOnly() {
    List<int[]> chosen = chosen(1e-8);
    assertEquals(1, chosen.size());
    assertArrayEquals(new int[] {3, 5}, chosen.get(0));
  }

  @Test
  void rowsAgreeWithThePairsThatWereChosen() {
    int[][] records = records();
    Marginals bought = tree(records);
    List<PairTable> tables = new ArrayList<>();
    for (int[] pair : chosen(1e-4)) {
      tables.add(new PairTable(pair[0], pair[1], counts(records, pair[0], pair[1]), 1));
    }
    int[][] before = MarginalRows.draw(bought, RECORDS, new SplittableRandom(2));
    int[][] after = MarginalRows.draw(bought.with(tables), RECORDS, new SplittableRandom(2));
    for (int[] pair : new int[][] {{3, 5}, {3, 4}, {0, 2}}) { // as far as bounded weights go
      double real = agreeing(records, pair);
      double amiss = Math.abs(real - agreeing(before, pair));
      assertEquals(real, agreeing(after, pair), 0.25 * amiss + 0.03, Arrays.toString(pair));
    }
    assertTrue(
        Math.abs(agreeing(records, new int[] {3, 5}) - agreeing(before, new int[] {3, 5})) > 0.3);
  }

  private static double agreeing(int[][] records, int[] pair) {
    return (double) Arrays.stream(records).filter(r -> r[pair[0]] == r[pair[1]]).count()
        / records.length;
  }
}
