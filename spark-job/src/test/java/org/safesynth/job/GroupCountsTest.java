package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.codec.DomainCodec;
import org.safesynth.codec.GroupCodec;
import org.safesynth.codec.GroupLayout;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.SchemaInference;

/** What one group more, of the greatest size, does to every count that noise is drawn for. */
@Tag("spark")
final class GroupCountsTest {
  private static final int MOST = 6;
  private static final RecordIdentity IDENTITY = new RecordIdentity(3);
  private static final StructType TYPE =
      new StructType().add("key", DataTypes.StringType).add("kind", DataTypes.StringType);
  private static final FrozenSchema SCHEMA =
      new FrozenSchema(
          List.of(
              column("key", ColumnKind.IDENTIFIER, null),
              column("kind", ColumnKind.CATEGORICAL, List.of("a", "b", "c", "d"))));
  private static final GroupLayout LAYOUT =
      new GroupLayout(0, -1, new boolean[] {true, false}, new long[0], 1, 0, 2, MOST);
  private static final GroupCodec CODEC =
      new GroupCodec(DomainCodec.fine(LAYOUT.derived(SCHEMA)), LAYOUT);

  private static ColumnSchema column(String name, ColumnKind kind, List<String> values) {
    return new ColumnSchema(name, "string", kind, false, 0, 0, null, null, null, values, 5);
  }

  /** Groups of 1 to 9 rows. */
  private static List<Row> rows() {
    SplittableRandom random = new SplittableRandom(6);
    List<Row> rows = new ArrayList<>();
    for (int g = 0; g < 40; g++) {
      for (int r = 0; r <= g % 9; r++) {
        rows.add(
            RowFactory.create("g" + g, SCHEMA.columns().get(1).values().get(random.nextInt(4))));
      }
    }
    return rows;
  }

  /** The rows with a group more: all of its rows alike, or all values in turn. */
  private static List<Row> rowsAnd(int size, boolean isAlike) {
    List<Row> rows = rows();
    for (int r = 0; r < size; r++) {
      rows.add(
          rows.size() / 2, RowFactory.create("more", isAlike ? "a" : "abcd".charAt(r % 4) + ""));
    }
    return rows;
  }

  private static Dataset<Row> table(List<Row> rows) {
    return LocalSpark.session().createDataFrame(rows, TYPE).repartition(3);
  }

  private static MapFunction<Row, Object[]> cells() {
    return row -> {
      Object[] of = new Object[2];
      for (int c = 0; c < 2; c++) {
        of[c] = SchemaInference.readers(SCHEMA, Set.of()).get(c).read(row.get(c));
      }
      return of;
    };
  }

  private static JavaRDD<GroupedRows.Member> members(List<Row> rows) {
    Dataset<Row> inOrder = LocalSpark.session().createDataFrame(rows, TYPE).coalesce(1);
    return GroupedRows.capped(inOrder, cells(), 0, -1, IDENTITY, 2, MOST);
  }

  private static double l2(long[] a, long[] b) {
    double squares = 0;
    for (int i = 0; i < a.length; i++) {
      squares += Math.pow(a[i] - b[i], 2);
    }
    return Math.sqrt(squares);
  }

  @Test
  void aGroupMoreMovesTheSizesByOne() {
    int[] lows = GroupMarginalStage.sizeCells();
    long[] without = GroupCounts.sizes(table(rows()), cells(), 0, IDENTITY, lows);
    assertEquals(40, java.util.Arrays.stream(without).sum());
    for (int size : new int[] {1, 9, 700}) {
      long[] with = GroupCounts.sizes(table(rowsAnd(size, true)), cells(), 0, IDENTITY, lows);
      assertEquals(1, l2(with, without));
      assertEquals(1, with[GroupCounts.cell(lows, size)] - without[GroupCounts.cell(lows, size)]);
    }
  }

  @Test
  void aGroupMoreMovesEachHistogramByTheBoundAtMost() {
    for (double bound : new double[] {1, 3}) {
      long[][] without = GroupCounts.ofPositions(members(rows()), CODEC, bound);
      for (boolean isAlike : new boolean[] {true, false}) {
        for (int size : new int[] {MOST, 40}) {
          long[][] with = GroupCounts.ofPositions(members(rowsAnd(size, isAlike)), CODEC, bound);
          double all = 0;
          for (int t = 0; t < with.length; t++) {
            double moved = l2(with[t], without[t]);
            assertTrue(
                moved <= bound * GroupCounts.UNIT, "position %d moved %s".formatted(t, moved));
            all += moved * moved;
          }
          double sensitivity = bound * GroupCounts.UNIT * Math.sqrt(with.length);
          assertTrue(Math.sqrt(all) <= sensitivity);
          if (isAlike && size == MOST) { // the bound is needed and met
            assertTrue(l2(with[1], without[1]) > 0.98 * bound * GroupCounts.UNIT);
          }
        }
      }
    }
  }

  @Test
  void smallGroupsAreCountedWhole() {
    long[] sum = new long[3];
    GroupCounts.bounded(new int[] {2, 0, 1}, 3, sum);
    assertArrayEquals(new long[] {128, 0, 64}, sum);
    GroupCounts.bounded(new int[3], 3, sum);
    assertArrayEquals(new long[] {128, 0, 64}, sum);
  }

  /** Any histogram whatever, many of them: scaled down it never exceeds its bound. */
  @Test
  void noHistogramExceedsItsBound() {
    SplittableRandom random = new SplittableRandom(1);
    for (int trial = 0; trial < 20_000; trial++) {
      int[] own = random.ints(random.nextInt(1, 30), 0, 1 << random.nextInt(1, 12)).toArray();
      double bound = random.nextInt(1, 20);
      long[] sum = new long[own.length];
      GroupCounts.bounded(own, bound, sum);
      double moved = l2(sum, new long[own.length]);
      assertTrue(moved <= bound * GroupCounts.UNIT, () -> moved + " above " + bound);
    }
  }

  @Test
  void aGroupMoreAddsAtMostOneToEachColumnThatVaries() {
    long[] without = GroupCounts.varying(members(rows()), 2);
    assertEquals(0, without[0]);
    assertArrayEquals(
        new long[] {0, without[1] + 1}, GroupCounts.varying(members(rowsAnd(40, false)), 2));
    assertArrayEquals(without, GroupCounts.varying(members(rowsAnd(40, true)), 2));
  }

  /** Pairs are counted of these records: a group more is one of each, however long it is. */
  @Test
  void aGroupMoreIsOneRecordOfAFirstRowAndAtMostOneOfAStep() {
    GroupRecords records = new GroupRecords(CODEC, GroupMarginalStage.sizeCells(MOST));
    for (int size : new int[] {1, 40}) {
      for (boolean ofFirst : new boolean[] {true, false}) {
        int[] sizes = ofFirst ? records.sizesOfFirst() : records.sizesOfStep();
        long[][] without = pairs(rows(), records, ofFirst);
        long[][] with = pairs(rowsAnd(size, false), records, ofFirst);
        for (int k = 0; k < with.length; k++) {
          assertEquals(ofFirst || size > 1 ? 1 : 0, l2(with[k], without[k]));
        }
        long[] ones = TokenCounts.ofPositions(with, sizes)[0];
        int groups = ofFirst ? 41 : size > 1 ? 36 : 35; // five of 40 groups have a single row
        assertEquals(groups, java.util.Arrays.stream(ones).sum());
      }
    }
  }

  private static long[][] pairs(List<Row> rows, GroupRecords records, boolean ofFirst) {
    JavaRDD<Row> of =
        ofFirst
            ? GroupRecords.firsts(members(rows), records)
            : GroupRecords.steps(members(rows), records);
    return TokenCounts.ofPairs(
        LocalSpark.session()
            .createDataFrame(of, new StructType().add("tokens", DataTypes.BinaryType)),
        ofFirst ? records.sizesOfFirst() : records.sizesOfStep());
  }

  @Test
  void onesAreTheSumsOfPairs() {
    // three positions of 2, 3 and 2 tokens; pairs (0,1) (0,2) (1,2) of five records
    long[][] pairs = {{1, 0, 1, 0, 2, 1}, {2, 0, 1, 2}, {0, 1, 1, 1, 2, 0}};
    assertEquals(
        "[[2, 3], [1, 2, 2], [3, 2]]",
        java.util.Arrays.deepToString(TokenCounts.ofPositions(pairs, new int[] {2, 3, 2})));
  }

  /** The domain is bought from these rows: one more group is one more row, whatever its size. */
  @Test
  void oneRowStandsForEachGroup() {
    List<String> without = oneOfEach(rows());
    List<String> with = oneOfEach(rowsAnd(40, false));
    assertEquals(40, without.size());
    assertEquals(41, with.size());
    assertEquals(without, with.stream().filter(row -> !row.startsWith("[more")).toList());
  }

  private static List<String> oneOfEach(List<Row> rows) {
    return GroupedRows.oneOfEach(table(rows), cells(), 0, IDENTITY).collectAsList().stream()
        .map(Row::toString)
        .sorted()
        .toList();
  }

  @Test
  void cellsOfSizesCoverAllThatIsKept() {
    int[] lows = GroupMarginalStage.sizeCells();
    assertEquals(1, lows[0]);
    assertEquals(0, GroupCounts.cell(lows, 1));
    assertEquals(lows.length - 1, GroupCounts.cell(lows, 1_000_000));
    assertTrue(lows.length < 80);
  }
}
