package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;

/** Tables of groups whose figures pandas and scipy computed too. */
@Tag("spark")
final class GroupStructureTest {
  private static final String TYPES = "g string, t double, v double, `w.x` string, r string";
  private static final GroupKeys KEYS = new GroupKeys("g", "t");

  /** A linear congruential generator, which a few lines in any language repeat. */
  private static final class Numbers {
    private long state;

    Numbers(long seed) {
      state = seed;
    }

    double next() {
      state = (state * 1103515245L + 12345) % 2147483648L;
      return state / 2147483648.0;
    }
  }

  /**
   * @param persistence what a value keeps of the one before
   */
  private static List<Row> rows(int groups, long seed, double persistence) {
    Numbers numbers = new Numbers(seed);
    List<Row> rows = new ArrayList<>();
    for (int g = 0; g < groups; g++) {
      int size = 1 + (int) (numbers.next() * numbers.next() * 12);
      double t = (int) (numbers.next() * 100);
      double v = numbers.next();
      for (int i = 0; i < size; i++) {
        String w = numbers.next() < .3 ? "b" : "a";
        rows.add(RowFactory.create("g" + g, t, v, w, "xyz".substring(g % 3, g % 3 + 1)));
        t += 1 + (int) (numbers.next() * 9);
        v = persistence * v + (1 - persistence) * numbers.next();
      }
    }
    return rows;
  }

  private static TypedTable table(String name, List<Row> rows, int partitions) {
    return EvaluatedTables.of(name, TYPES, rows, partitions);
  }

  private static Finding found(
      TypedTable real, TypedTable synthetic, GroupKeys keys, Map<String, String> settings) {
    EvaluationInput input =
        new EvaluationInput(
            real, synthetic, Optional.empty(), Optional.ofNullable(keys), Optional.empty());
    try (Evidence evidence = Evidence.gather(input, EvaluatedTables.config(settings), 1)) {
      return GroupStructure.of(evidence);
    }
  }

  private static GroupStructure structure(int partitions, Map<String, String> settings) {
    TypedTable real = table("real", rows(200, 7, .8), partitions);
    TypedTable synthetic = table("synthetic", rows(150, 11, .2), partitions);
    return (GroupStructure) found(real, synthetic, KEYS, settings);
  }

  private static GroupStructure.Figure figure(GroupStructure of, String name) {
    return of.figures().stream()
        .filter(figure -> figure.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError(name + " is not among " + of.figures()));
  }

  private static void assertFigure(
      GroupStructure of, String name, double real, double synthetic, double distance) {
    GroupStructure.Figure figure = figure(of, name);
    assertEquals(real, figure.real(), 1e-12, name);
    assertEquals(synthetic, figure.synthetic(), 1e-12, name);
    assertEquals(distance, figure.distance(), 1e-12, name);
  }

  /** Expected values: pandas 2 and scipy's ks_2samp on the same rows. */
  @Test
  void figuresAreThoseOfPandasAndScipy() {
    GroupStructure found = structure(3, Map.of());
    assertArrayEquals(new int[] {200, 150}, found.sampledGroups());
    double none = Double.NaN;
    assertFigure(found, "groups", 200, 150, none);
    assertFigure(found, "rows of a group, on average", 3.285, 3.3933333333333335, 0.05);
    assertFigure(found, "rows of the longest group", 12, 10, none);
    assertFigure(
        found, "'v' correlated with the row before", 0.8089231593761067, 0.1507690914282373, none);
    assertFigure(found, "'w.x' as in the row before", 0.5995623632385121, 0.5543175487465181, none);
    assertFigure(found, "groups with one value of 'r'", 1, 1, none);
    assertFigure(found, "steps of 't' that are 0", 0, 0, none);
    assertFigure(found, "step of 't' to the next row, median", 5, 5, 0.07585500691807416);
    assertEquals(0.09, figure(found, "first 't' of a group, median").distance(), 1e-12);
    assertEquals(7, found.autocorrelations().get(0).real().length);
  }

  @Test
  void figuresDoNotDependOnPartitions() {
    GroupStructure one = structure(1, Map.of("evaluation.sqs_report_rows", "300"));
    GroupStructure seven = structure(7, Map.of("evaluation.sqs_report_rows", "300"));
    assertEquals(one.figures(), seven.figures());
    assertTrue(one.sampledGroups()[0] < 200, "a sample: " + one.sampledGroups()[0]);
    assertTrue(one.sampledGroups()[0] > 50, "a sample: " + one.sampledGroups()[0]);
    assertEquals(200, figure(one, "groups").real());
  }

  @Test
  void shuffledRowsLoseWhatOneTellsOfTheNext() {
    List<Row> rows = rows(400, 7, .95);
    List<Row> shuffled = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      Row other = rows.get((int) (i * 7919L % rows.size()));
      shuffled.add(RowFactory.create(row.get(0), row.get(1), other.get(2), row.get(3), row.get(4)));
    }
    GroupStructure found =
        (GroupStructure) found(table("real", rows, 2), table("made", shuffled, 2), KEYS, Map.of());
    GroupStructure.Figure v = figure(found, "'v' correlated with the row before");
    assertTrue(v.real() > 0.9 && Math.abs(v.synthetic()) < 0.1, v.toString());
    assertEquals(0, figure(found, "rows of a group, on average").distance());
  }

  @Test
  void whatIsMissingIsOneSentence() {
    TypedTable real = table("real", rows(20, 7, .8), 1);
    TypedTable plain = EvaluatedTables.of("made", "v double", List.of(RowFactory.create(.5)), 1);
    assertTrue(
        found(real, plain, KEYS, Map.of()).unavailable().contains("'g'"),
        found(real, plain, KEYS, Map.of()).unavailable());
    List<Row> nameless = new ArrayList<>();
    rows(20, 7, .8)
        .forEach(
            r -> nameless.add(RowFactory.create(null, r.get(1), r.get(2), r.get(3), r.get(4))));
    TypedTable empty = table("made", nameless, 1);
    assertTrue(
        found(real, empty, KEYS, Map.of()).unavailable().contains("is empty in the synthetic"));
    assertTrue(found(real, real, null, Map.of()).unavailable().contains("not one of groups"));
    String slip =
        assertThrows(
                BadInputException.class,
                () -> found(real, real, new GroupKeys("grp", null), Map.of()))
            .getMessage();
    assertTrue(slip.contains("no column 'grp'") && slip.contains("its columns are g, "), slip);
  }
}
