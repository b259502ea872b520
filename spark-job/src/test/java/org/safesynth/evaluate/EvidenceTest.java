package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;

/** What measures look at: samples, types, notes, and tables that cannot be compared. */
@Tag("spark")
final class EvidenceTest {
  private static final String TYPES = EvaluatedTables.SIMPLE;

  private static TypedTable table(String name, List<Row> rows, int partitions) {
    return EvaluatedTables.of(name, TYPES, rows, partitions);
  }

  private static List<List<Object>> rows(Frame frame) {
    List<List<Object>> rows = new ArrayList<>();
    for (int row = 0; row < frame.rows(); row++) {
      rows.add(EqualRows.cells(frame, row));
    }
    return rows;
  }

  @Test
  void aSampleIsTheSameForAnyPartitionsAndOrder() {
    List<Row> real = EvaluatedTables.simpleRows(0, 3_000);
    List<Row> made = EvaluatedTables.simpleRows(1_000, 2_500);
    List<List<Object>> first = null;
    for (int partitions : new int[] {1, 2, 7}) {
      Collections.shuffle(real, new Random(partitions));
      try (Evidence evidence =
          Evidence.gather(
              EvaluatedTables.input(
                  table("r", real, partitions), table("s", made, partitions), null),
              EvaluatedTables.config(Map.of("evaluation.sqs_report_rows", "400")),
              9)) {
        assertEquals(400, evidence.synthetic().rows());
        List<List<Object>> sample = rows(evidence.reference());
        first = first == null ? sample : first;
        assertEquals(first, sample);
        assertEquals(400, new HashSet<>(sample).size());
      }
    }
  }

  @Test
  void aSampleIsUniform() {
    List<Row> real = EvaluatedTables.simpleRows(0, 4_000);
    try (Evidence evidence =
        Evidence.gather(
            EvaluatedTables.input(table("r", real, 3), table("s", real, 3), null),
            EvaluatedTables.config(Map.of("evaluation.sqs_report_rows", "1000")),
            2)) {
      double mean = 0;
      for (int row = 0; row < 1_000; row++) {
        mean += evidence.reference().column(0).number(row) / 1_000;
      }
      // standard deviation of the mean: 4000/sqrt(12)/sqrt(1000)*sqrt(3/4) = 32
      assertEquals(2_000, mean, 110);
    }
  }

  @Test
  void equalRowsAreDrawnOneByOne() {
    List<Row> real = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      real.add(RowFactory.create(i % 2, "x", 1.5));
    }
    try (Evidence evidence =
        Evidence.gather(
            EvaluatedTables.input(table("r", real, 3), table("s", real, 2), null),
            EvaluatedTables.config(Map.of("evaluation.sqs_report_rows", "500")),
            2)) {
      double ones = 0;
      for (int row = 0; row < 500; row++) {
        ones += evidence.reference().column(0).number(row);
      }
      assertEquals(250, ones, 50);
      assertEquals(2_000, evidence.contents().copied(Side.SYNTHETIC));
    }
  }

  @Test
  void bothSamplesHaveTheSizeOfTheSmallerTable() {
    List<Row> real = EvaluatedTables.simpleRows(0, 300);
    try (Evidence evidence =
        EvaluatedTables.evidence(
            table("r", real, 2), table("s", real.subList(0, 100), 2), table("h", real, 1))) {
      assertEquals(100, evidence.reference().rows());
      assertEquals(100, evidence.synthetic().rows());
      assertEquals(300, evidence.holdout().orElseThrow().rows());
      assertEquals(ColumnType.NUMERIC, evidence.referenceType(0));
      assertEquals(ColumnType.CATEGORICAL, evidence.referenceType(1));
      assertEquals(ColumnType.NUMERIC, evidence.referenceType(2));
    }
  }

  @Test
  void lackingAndOtherColumnsAreNamed() {
    TypedTable real = table("r", EvaluatedTables.simpleRows(0, 60), 2);
    List<Row> made = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      made.add(RowFactory.create("text " + i, "extra", i * 1.0));
    }
    TypedTable synthetic = EvaluatedTables.of("s", "a string, z string, c double", made, 2);
    try (Evidence evidence = EvaluatedTables.evidence(real, synthetic, null)) {
      assertEquals(2, evidence.columns());
      String notes = String.join("\n", evidence.notes());
      assertTrue(
          notes.contains("lacks columns of the real one, which no score looks at: b"), notes);
      assertTrue(notes.contains("has columns that the real one lacks"), notes);
      assertTrue(
          notes.contains("column 'a' holds numbers in the real table and texts in the synthetic"),
          notes);
      assertEquals(0, evidence.contents().copied(Side.SYNTHETIC));
    }
  }

  @Test
  void tablesThatCannotBeComparedAreRefused() {
    TypedTable real = table("real.csv", EvaluatedTables.simpleRows(0, 60), 2);
    TypedTable other =
        EvaluatedTables.of(
            "o.csv", "x int", List.of(RowFactory.create(1), RowFactory.create(2)), 1);
    assertRefused("real.csv and o.csv have no column in common", real, other, null);
    assertRefused("the holdout o.csv has no column 'a'", real, real, other);
    TypedTable empty = new TypedTable("e.csv", real.rows().limit(0), real.columns());
    assertRefused("e.csv has no rows", real, empty, null);
    assertRefused("e.csv has no rows", empty, real, null);
    assertRefused("e.csv has no rows", real, real, empty);
  }

  private static void assertRefused(
      String sentence, TypedTable reference, TypedTable synthetic, TypedTable holdout) {
    BadInputException refusal =
        assertThrows(
            BadInputException.class,
            () -> EvaluatedTables.evidence(reference, synthetic, holdout).close());
    assertTrue(refusal.getMessage().contains(sentence), refusal.getMessage());
  }

  @Test
  void columnsBeyondTheLimitAreDrawnByTheSeed() {
    TypedTable real = table("r", EvaluatedTables.simpleRows(0, 60), 2);
    EvaluationInput input = EvaluatedTables.input(real, real, null);
    assertEquals(1, SharedColumns.of(input, 1, 5).columns().size());
    assertEquals(SharedColumns.of(input, 2, 5).names(), SharedColumns.of(input, 2, 5).names());
    List<List<String>> drawn = new ArrayList<>();
    for (int key = 0; key < 10; key++) {
      drawn.add(SharedColumns.of(input, 1, key).names());
    }
    assertNotEquals(1, new HashSet<>(drawn).size());
  }
}
