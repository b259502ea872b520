package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.safesynth.codec.Roundness;
import org.safesynth.marginal.Marginals;
import org.safesynth.marginal.PairTable;
import org.safesynth.privacy.LedgerEntry;
import org.safesynth.privacy.SecretStreams;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

@Tag("unit")
final class MarginalStageTest {
  private static final int VALUES = 3;
  private static final int RECORDS = 9_000;

  @TempDir private Path temp;

  /** Records of two clusters of positions: those of a cluster follow its first, and each other. */
  private static int[][] records(int positions) {
    SplittableRandom random = new SplittableRandom(7);
    int[][] records = new int[RECORDS][positions];
    for (int[] record : records) {
      for (int t = 0; t < positions; t++) {
        boolean follows = t >= 2 && random.nextInt(10) < 6;
        record[t] = follows ? record[t - 1 - t % 2] : random.nextInt(VALUES);
      }
    }
    return records;
  }

  private static long[][] ones(int[][] records) {
    long[][] ones = new long[records[0].length][VALUES];
    for (int[] record : records) {
      for (int t = 0; t < record.length; t++) {
        ones[t][record[t]]++;
      }
    }
    return ones;
  }

  private static long[][] pairs(int[][] records) {
    List<long[]> pairs = new ArrayList<>();
    for (int i = 0; i < records[0].length; i++) {
      for (int j = i + 1; j < records[0].length; j++) {
        long[] counts = new long[VALUES * VALUES];
        for (int[] record : records) {
          counts[record[i] * VALUES + record[j]]++;
        }
        pairs.add(counts);
      }
    }
    return pairs.toArray(long[][]::new);
  }

  private Marginals bought(
      Purchases purchases,
      double rho,
      int target,
      Supplier<long[][]> exactOnes,
      Supplier<long[][]> exactPairs,
      int positions) {
    MarginalStage stage =
        new MarginalStage(purchases, SecretStreams.withTestKey(5), rho, target >= 0);
    double[][] ones = stage.ones(positions, RECORDS, exactOnes);
    return stage.pairs(ones, RECORDS, target, exactPairs);
  }

  private Purchases purchases() {
    return new Purchases(
        new Configuration(), new org.apache.hadoop.fs.Path(temp.resolve("bought").toUri()));
  }

  /** Of two or three positions the tree, or tree and star, leave no pair to buy. */
  @ParameterizedTest
  @CsvSource({"2, -1", "3, -1", "3, 0", "4, 1", "7, -1", "7, 3"})
  void whateverIsBoughtCostsTheSame(int positions, int target) {
    for (double rho : new double[] {0.002, 0.3}) {
      Purchases purchases =
          new Purchases(
              new Configuration(), new org.apache.hadoop.fs.Path(temp.resolve("r" + rho).toUri()));
      int[][] records = records(positions);
      bought(purchases, rho, target, () -> ones(records), () -> pairs(records), positions);
      double spent = 0;
      for (LedgerEntry entry : purchases.entries()) {
        double order = 2;
        spent += entry.mechanism().renyi(order) / order;
      }
      assertTrue(spent <= rho * (1 + 1e-9), spent + " of " + rho);
      assertTrue(spent > 0.99 * rho, spent + " of " + rho);
    }
  }

  /** Two columns of numbers that a grid knows by ranges only. */
  private static Roundness roundness() {
    List<ColumnSchema> columns = new ArrayList<>();
    for (String name : List.of("price", "weight")) {
      columns.add(
          new ColumnSchema(
              name, "int", ColumnKind.INTEGER, false, 0, 0, null, 0L, 99_999L, null, 0));
    }
    return new Roundness(new FrozenSchema(columns));
  }

  @Test
  void roundnessIsPaidForAndNeverDrawnAgain() {
    double rho = 0.3;
    Roundness roundness = roundness();
    int positions = roundness.positions();
    assertEquals(2, positions);
    long[][] exact = new long[positions][roundness.vocabularySize(0)];
    exact[0][3] = RECORDS;
    exact[1][4] = RECORDS;
    Purchases purchases = purchases();
    MarginalStage stage = new MarginalStage(purchases, SecretStreams.withTestKey(5), rho, false);
    int[][] records = records(5);
    double[][] ones = stage.ones(5, RECORDS, () -> ones(records));
    MarginalStage.Rounds rounds = stage.rounds(roundness, RECORDS, () -> exact);
    stage.pairs(ones, RECORDS, -1, () -> pairs(records));
    double spent = 0;
    for (LedgerEntry entry : purchases.entries()) {
      spent += entry.mechanism().renyi(2) / 2;
      if (entry.name().equals("roundness")) {
        double cost = positions / (2 * rounds.sigma() * rounds.sigma());
        assertEquals(cost, entry.mechanism().renyi(2) / 2, 1e-3 * cost);
      }
    }
    assertEquals(1, purchases.entries().stream().filter(e -> e.name().equals("roundness")).count());
    assertTrue(spent <= rho * (1 + 1e-9) && spent > 0.99 * rho, spent + " of " + rho);
    assertTrue(rounds.counts()[0][3] != RECORDS, "noise was added");
    MarginalStage.Rounds again =
        new MarginalStage(purchases(), SecretStreams.withTestKey(6), rho, false)
            .rounds(
                roundness,
                RECORDS,
                () -> {
                  throw new IllegalStateException("counted again");
                });
    assertArrayEquals(rounds.counts(), again.counts());
  }

  @Test
  void furtherTablesAreOthersThanThoseOfTreeAndStar() {
    int[][] records = records(7);
    Purchases purchases = purchases();
    Marginals marginals = bought(purchases, 0.3, 3, () -> ones(records), () -> pairs(records), 7);
    Set<List<Integer>> different = new HashSet<>();
    for (PairTable pair : marginals.pairs()) {
      assertTrue(pair.first() < pair.second());
      assertTrue(different.add(List.of(pair.first(), pair.second())), "bought twice");
    }
    List<String> names = purchases.entries().stream().map(LedgerEntry::name).toList();
    assertEquals(List.of("single columns", "scores", "tree", "star", "further"), names);
  }

  @Test
  void aResumedStageDrawsNothingAgain() {
    int[][] records = records(7);
    Marginals first = bought(purchases(), 0.05, -1, () -> ones(records), () -> pairs(records), 7);
    Supplier<long[][]> never =
        () -> {
          throw new AssertionError("counted again");
        };
    Marginals second = bought(purchases(), 0.05, -1, never, never, 7);
    assertEquals(first.pairs().size(), second.pairs().size());
    for (int k = 0; k < first.pairs().size(); k++) {
      assertArrayEquals(first.pairs().get(k).counts(), second.pairs().get(k).counts());
    }
    assertEquals(Arrays.deepToString(first.ones()), Arrays.deepToString(second.ones()));
  }
}
