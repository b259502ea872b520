package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
final class CellLayoutTest {
  @Test
  void rowIsCountedOnceInEachColumnAndPair() {
    CellLayout layout = new CellLayout(List.of(new CodedColumn("a", 2), new CodedColumn("b", 3)));
    long[] counts = new long[layout.size()];

    layout.count(new int[] {1, 2}, counts, new int[2]);
    layout.count(new int[] {1, 0}, counts, new int[2]);

    // a: 2 cells; b: 3 cells; a and b: rows of a, each with the 3 cells of b
    assertArrayEquals(new long[] {0, 2, 1, 0, 1, 0, 0, 0, 1, 0, 1}, counts);
  }

  @Test
  void manyCodesAreFoldedByOrder() {
    CellLayout layout =
        new CellLayout(List.of(new CodedColumn("a", 100_000), new CodedColumn("b", 40)));
    assertEquals(CellLayout.COLUMN_CELLS, layout.columnEnd(0) - layout.columnStart(0));
    assertEquals(40, layout.columnEnd(1) - layout.columnStart(1));
    assertEquals(
        CellLayout.PAIR_SIDE * CellLayout.PAIR_SIDE, layout.pairEnd(0) - layout.pairStart(0));

    long[] counts = new long[layout.size()];
    layout.count(new int[] {99_999, 39}, counts, new int[2]);
    layout.count(new int[] {0, 1}, counts, new int[2]);

    assertEquals(1, counts[layout.columnEnd(0) - 1]);
    assertEquals(1, counts[layout.pairEnd(0) - 1]);
    assertEquals(1, counts[layout.columnStart(0)]);
    assertEquals(1, counts[layout.pairStart(0)]);
    assertEquals(6, Arrays.stream(counts).sum());
  }

  @Test
  void allPairsOfFewColumnsAreCompared() {
    CellLayout layout = layout(50);
    Set<List<Integer>> pairs = new HashSet<>();
    for (int pair = 0; pair < layout.pairs(); pair++) {
      pairs.add(List.of(layout.first(pair), layout.second(pair)));
    }
    assertEquals(50 * 49 / 2, pairs.size());
  }

  @Test
  void everyColumnOfAWideTableIsInAPairWithinTheBudget() {
    CellLayout layout = layout(500);
    assertEquals(CellLayout.PAIRS, layout.pairs());
    Set<Integer> seen = new HashSet<>();
    for (int pair = 0; pair < layout.pairs(); pair++) {
      assertTrue(layout.first(pair) < layout.second(pair));
      seen.add(layout.first(pair));
      seen.add(layout.second(pair));
    }
    assertEquals(500, seen.size());
    assertTrue(layout.size() <= 1_000_000, "cells: " + layout.size());
  }

  @Test
  void oneColumnHasNoPairs() {
    assertEquals(0, layout(1).pairs());
  }

  @Test
  void codesOutsideTheColumnAreRefused() {
    CellLayout layout = new CellLayout(List.of(new CodedColumn("zip code", 5)));
    var error =
        assertThrows(
            IllegalArgumentException.class,
            () -> layout.count(new int[] {5}, new long[layout.size()], new int[1]));
    assertEquals("column 'zip code' has codes below 5, a row 5", error.getMessage());
    assertThrows(
        IllegalArgumentException.class,
        () -> layout.count(new int[] {0, 0}, new long[layout.size()], new int[2]));
    assertThrows(IllegalArgumentException.class, () -> new CodedColumn("none", 0));
  }

  private static CellLayout layout(int width) {
    return new CellLayout(
        IntStream.range(0, width)
            .mapToObj(column -> new CodedColumn("c" + column, 2_000))
            .toList());
  }
}
