package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;

/** Discriminator and usefulness on tables whose answers are known. */
@Tag("spark")
final class ModelJudgesTest {
  private static final String TYPES = "x double, z int, word string, label string";

  /** Rows of which {@code label} follows from x, with some noise. */
  private static List<Row> rows(int seed, int number, double shift) {
    Random random = new Random(seed);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < number; i++) {
      double x = random.nextGaussian();
      String label = x + 0.3 * random.nextGaussian() > 0 ? "yes" : "no";
      int z = random.nextInt(1_000);
      rows.add(RowFactory.create(x + shift, z, "w" + random.nextInt(4), label));
    }
    return rows;
  }

  private static Evidence evidence(
      List<Row> real, List<Row> made, List<Row> unseen, String target, int partitions) {
    TypedTable holdout = unseen == null ? null : EvaluatedTables.of("h", TYPES, unseen, partitions);
    return Evidence.gather(
        EvaluatedTables.input(
            EvaluatedTables.of("r", TYPES, real, partitions),
            EvaluatedTables.of("s", TYPES, made, partitions),
            holdout),
        EvaluatedTables.config(target == null ? Map.of() : Map.of("evaluation.target", target)),
        3);
  }

  @Test
  void twoSamplesOfOneTableCannotBeToldApartAtAnyPartitionCount() {
    Discriminator first = null;
    for (int partitions : new int[] {1, 5}) {
      List<Row> real = rows(1, 400, 0);
      Collections.shuffle(real, new Random(partitions));
      try (Evidence evidence = evidence(real, rows(2, 400, 0), null, null, partitions)) {
        Discriminator found = assertInstanceOf(Discriminator.class, Discriminator.of(evidence));
        assertEquals(0.5, found.auc(), 0.07);
        first = first == null ? found : first;
        assertEquals(first, found);
      }
    }
  }

  @Test
  void aShiftedColumnGivesSyntheticRowsAway() {
    try (Evidence evidence = evidence(rows(1, 300, 0), rows(2, 300, 4), null, null, 2)) {
      Discriminator found = assertInstanceOf(Discriminator.class, Discriminator.of(evidence));
      assertTrue(found.auc() > 0.95, found.toString());
      assertTrue(found.detectionScore() < 0.1, found.toString());
      assertEquals("x", found.strongest().get(0).column());
    }
  }

  @Test
  void copiedRowsDoNotPullTheAreaBelowOneHalf() {
    try (Evidence evidence = evidence(rows(1, 300, 0), rows(1, 300, 0), null, null, 2)) {
      Discriminator found = assertInstanceOf(Discriminator.class, Discriminator.of(evidence));
      assertEquals(0.5, found.auc(), 1e-9);
    }
  }

  @Test
  void shuffledLabelsAreOfNoUse() {
    List<Row> useless = new ArrayList<>();
    List<Row> made = rows(2, 400, 0);
    for (int i = 0; i < made.size(); i++) {
      Row row = made.get(i);
      String label = made.get((i + 1) % made.size()).getString(3);
      useless.add(RowFactory.create(row.get(0), row.get(1), row.get(2), label));
    }
    try (Evidence good = evidence(rows(1, 400, 0), made, rows(3, 200, 0), "label", 2);
        Evidence bad = evidence(rows(1, 400, 0), useless, rows(3, 200, 0), null, 2)) {
      Usefulness useful = assertInstanceOf(Usefulness.class, Usefulness.of(good));
      assertTrue(useful.real().auc() > 0.95, useful.toString());
      assertEquals(0, useful.gap(), 0.03);
      Usefulness wasted = assertInstanceOf(Usefulness.class, Usefulness.of(bad));
      assertEquals("label", wasted.target(), "the last two-class column tells most");
      assertTrue(wasted.gap() > 0.3, wasted.toString());
    }
  }

  @Test
  void aNumberIsPredictedByItsVariance() {
    List<Row> real = rows(1, 300, 0);
    try (Evidence evidence = evidence(real, rows(2, 300, 0), rows(3, 150, 0), "x", 2)) {
      Usefulness found = assertInstanceOf(Usefulness.class, Usefulness.of(evidence));
      assertEquals("regression", found.task());
      assertTrue(found.real().r2() > 0.4 && found.synthetic().r2() > 0.4, found.toString());
    }
  }

  @Test
  void whatCannotBePredictedSaysWhy() {
    List<Row> real = rows(1, 100, 0);
    List<Row> constant = new ArrayList<>();
    for (Row row : real) {
      constant.add(RowFactory.create(row.get(0), row.get(1), row.get(2), "yes"));
    }
    assertUnavailable("has one class: there is nothing to predict", constant, constant, constant);
    assertUnavailable("has one class in the synthetic table", real, constant, real);
    assertUnavailable("there is no holdout", real, real, null);
    assertUnavailable(
        "20 unseen ones that have a value are needed", real, real, real.subList(0, 9));
    try (Evidence evidence = evidence(real, real, real, "lable", 1)) {
      BadInputException refusal =
          assertThrows(BadInputException.class, () -> Usefulness.of(evidence));
      assertTrue(
          refusal.getMessage().startsWith("evaluation.target is 'lable', which is no column"));
    }
    try (Evidence evidence = evidence(real.subList(0, 20), real, null, null, 1)) {
      assertTrue(Discriminator.of(evidence).unavailable().contains("50 real and synthetic rows"));
    }
  }

  private static void assertUnavailable(
      String reason, List<Row> real, List<Row> made, List<Row> unseen) {
    try (Evidence evidence = evidence(real, made, unseen, "label", 1)) {
      String why = Usefulness.of(evidence).unavailable();
      assertTrue(why != null && why.contains(reason), why);
    }
  }
}
