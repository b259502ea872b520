package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.codec.DomainCodec;
import org.safesynth.codec.FieldCodec;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/** What is counted of a private table. */
@Tag("spark")
final class TokenCountsTest {
  private static final FrozenSchema SCHEMA =
      new FrozenSchema(List.of(column("a"), column("b"), column("c")));
  private static final FieldCodec CODEC = DomainCodec.fine(SCHEMA);
  private static final RecordIdentity IDENTITY = new RecordIdentity(4);
  private static final PrivateUnits UNITS = new PrivateUnits(2_000, 0.3);

  private static ColumnSchema column(String name) {
    return new ColumnSchema(
        name,
        "string",
        ColumnKind.CATEGORICAL,
        false,
        0,
        0,
        null,
        null,
        null,
        List.of("x", "y", "z"),
        1);
  }

  /** Few different rows, many times each. */
  private static List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      rows.add(
          RowFactory.create(
              "xyz".substring(i % 3, i % 3 + 1), i % 10 == 0 ? "y" : "x", i % 2 == 0 ? "z" : "x"));
    }
    return rows;
  }

  private static Dataset<Row> table(List<Row> rows) {
    StructType type = new StructType();
    for (ColumnSchema column : SCHEMA.columns()) {
      type = type.add(column.name(), DataTypes.StringType);
    }
    return LocalSpark.session().createDataFrame(rows, type).repartition(3);
  }

  private static MapFunction<Row, Object[]> cells() {
    return row -> new Object[] {row.getString(0), row.getString(1), row.getString(2)};
  }

  private static long[][] counts(List<Row> rows, PrivateUnits units) {
    return TokenCounts.ofTrained(table(rows), cells(), CODEC, IDENTITY, units);
  }

  @Test
  void rowsThatAreHeldOutAreNotCounted() {
    List<Row> rows = rows();
    long[][] all = counts(rows, new PrivateUnits(2_000, 0));
    long[][] trained = counts(rows, UNITS);
    Dataset<Row> identified = HeldOut.identified(table(rows), cells(), SCHEMA, IDENTITY, -1);
    String high = identified.columns()[0];
    long expected = identified.filter(identified.col(high).geq(UNITS.threshold())).count();
    for (int t = 0; t < trained.length; t++) {
      assertEquals(2_000, Arrays.stream(all[t]).sum());
      assertEquals(expected, Arrays.stream(trained[t]).sum());
    }
    assertTrue(expected > 1_300 && expected < 1_500, expected + " rows");
  }

  @Test
  void aFurtherRecordMovesOneCountOfEachPositionByOneAtMost() {
    long[][] before = counts(rows(), UNITS);
    int moved = 0;
    for (String[] further :
        new String[][] {{"x", "x", "z"}, {"y", "y", "y"}, {"z", "x", "x"}, {"z", "z", "z"}}) {
      List<Row> more = new ArrayList<>(rows());
      more.add(RowFactory.create((Object[]) further));
      long[][] after = counts(more, UNITS);
      for (int t = 0; t < before.length; t++) {
        long distance = 0;
        for (int token = 0; token < before[t].length; token++) {
          distance += Math.abs(after[t][token] - before[t][token]);
        }
        assertTrue(distance <= 1, Arrays.toString(further) + " moves " + distance);
        moved += (int) distance;
      }
    }
    assertTrue(moved > 0);
  }

  /** Of rows that are equal to others too: what is held out stays, and grows by the one at most. */
  @Test
  void aFurtherRecordMovesNoOtherIntoOrOutOfTheHoldout() {
    Map<String, Long> before = heldOut(rows());
    for (String[] further : new String[][] {{"x", "x", "z"}, {"z", "z", "z"}}) {
      List<Row> more = new ArrayList<>(rows());
      more.addAll(1_000, Collections.nCopies(7, RowFactory.create((Object[]) further)));
      Map<String, Long> after = heldOut(more);
      String added = List.of(further).toString();
      long growth = after.getOrDefault(added, 0L) - before.getOrDefault(added, 0L);
      assertTrue(growth > 0 && growth < 7, added + " grows by " + growth);
      after.put(added, before.get(added));
      after.values().removeIf(Objects::isNull);
      assertEquals(before, after);
    }
  }

  private static Map<String, Long> heldOut(List<Row> rows) {
    Dataset<Row> identified = HeldOut.identified(table(rows), cells(), SCHEMA, IDENTITY, -1);
    Map<String, Long> counts = new TreeMap<>();
    for (Row row :
        identified.filter(functions.col("id_high").lt(UNITS.threshold())).collectAsList()) {
      String content = List.of(row.get(2), row.get(3), row.get(4)).toString();
      counts.merge(content, 1L, Long::sum);
    }
    return counts;
  }
}
