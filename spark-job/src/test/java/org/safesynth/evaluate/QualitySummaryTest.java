package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.evaluate.QualitySummary.ColumnSimilarity;
import org.safesynth.evaluate.QualitySummary.PairSimilarity;

@Tag("unit")
final class QualitySummaryTest {
  private static final double EXACT = 1e-12;
  private static final List<CodedColumn> COLUMNS =
      List.of(new CodedColumn("a", 2), new CodedColumn("b", 2), new CodedColumn("c", 3));

  @Test
  void similaritiesAreThoseCountedByHand() {
    // a: 2/4, 2/4 against 3/5, 2/5: distance (.1 + .1) / 2 = .1
    // b: 2/4, 2/4 against 0, 5/5: distance .5
    // c: 1/4, 1/4, 2/4 against 1/5, 4/5, 0: distance (.05 + .55 + .5) / 2 = .55
    // a, b: 00 2/4 -> 0; 01 0 -> 3/5; 10 0 -> 0; 11 2/4 -> 2/5: (.5 + .6 + .1) / 2 = .6
    // b, c: 00 1/4, 01 1/4, 12 2/4 -> 10 1/5, 11 4/5: nothing in common: 1
    // a, c: 00 1/4 -> 1/5; 01 1/4 -> 2/5; 12 2/4 -> 0; 11 0 -> 2/5: (.05 + .15 + .5 + .4) / 2 = .55
    List<int[]> real = rows("000", "001", "112", "112");
    List<int[]> synthetic = rows("010", "011", "011", "111", "111");

    QualitySummary summary = compare(COLUMNS, real, synthetic);

    assertEquals(4, summary.realRows());
    assertEquals(5, summary.syntheticRows());
    assertSimilarities(List.of("a", "b", "c"), List.of(.9, .5, .45), summary.columns());
    assertEquals((.9 + .5 + .45) / 3, summary.shapes(), EXACT);
    assertEquals((.4 + .0 + .45) / 3, summary.pairs(), EXACT);
    assertEquals(3, summary.comparedPairs());
    assertSimilarities(List.of("c", "b", "a"), List.of(.45, .5, .9), summary.weakestColumns());
    assertEquals(
        List.of("b c", "a b", "a c"),
        summary.weakestPairs().stream().map(pair -> pair.first() + " " + pair.second()).toList());
    assertEquals(0, summary.weakestPairs().get(0).similarity(), EXACT);
    assertEquals(.4, summary.weakestPairs().get(1).similarity(), EXACT);
    assertEquals(.45, summary.weakestPairs().get(2).similarity(), EXACT);
  }

  @Test
  void equalTablesAreEqual() {
    List<int[]> rows = rows("000", "011", "112");
    QualitySummary summary = compare(COLUMNS, rows, rows);
    assertEquals(1, summary.shapes());
    assertEquals(1, summary.pairs());
  }

  @Test
  void independentColumnsAreSeenInPairsOnly() {
    QualitySummary summary =
        compare(COLUMNS.subList(0, 2), rows("00", "00", "11", "11"), rows("00", "01", "10", "11"));
    assertEquals(1, summary.shapes(), EXACT);
    assertEquals(.5, summary.pairs(), EXACT);
    assertEquals(List.of(new PairSimilarity("a", "b", .5)), summary.weakestPairs());
  }

  @Test
  void equallyWeakColumnsStandInTheTablesOrder() {
    QualitySummary summary = compare(COLUMNS, rows("000"), rows("112"));
    assertEquals(
        List.of("a", "b", "c"),
        summary.weakestColumns().stream().map(ColumnSimilarity::column).toList());
  }

  @Test
  void oneColumnHasNoPairs() {
    QualitySummary summary = compare(COLUMNS.subList(0, 1), rows("0", "1"), rows("1"));
    assertEquals(.5, summary.shapes(), EXACT);
    assertEquals(1, summary.pairs());
    assertEquals(0, summary.comparedPairs());
    assertEquals(List.of(), summary.weakestPairs());
  }

  @Test
  void emptyTablesAreRefused() {
    var error =
        assertThrows(IllegalArgumentException.class, () -> compare(COLUMNS, rows("000"), rows()));
    assertEquals("nothing to compare: 1 real and 0 synthetic rows", error.getMessage());
  }

  private static QualitySummary compare(
      List<CodedColumn> columns, List<int[]> real, List<int[]> synthetic) {
    CellLayout layout = new CellLayout(columns);
    return QualitySummary.of(
        layout,
        CellCounts.ofReal(layout, real.iterator())
            .plus(CellCounts.ofSynthetic(layout, synthetic.iterator())));
  }

  private static List<int[]> rows(String... rows) {
    return Stream.of(rows).map(row -> row.chars().map(digit -> digit - '0').toArray()).toList();
  }

  private static void assertSimilarities(
      List<String> names, List<Double> values, List<ColumnSimilarity> columns) {
    assertEquals(names, columns.stream().map(ColumnSimilarity::column).toList());
    for (int i = 0; i < values.size(); i++) {
      assertEquals(values.get(i), columns.get(i).similarity(), EXACT, names.get(i));
    }
  }
}
