package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.job.GroupedRows.Place;
import scala.Tuple2;

@Tag("unit")
final class GroupedRowsTest {
  /** Groups of 7, 8, 9, … rows, one each, and one that is cut. */
  private static GroupedRows.Facts facts(int groups) {
    List<Tuple2<Place, Object[]>> rows = new ArrayList<>();
    for (int g = 0; g < groups; g++) {
      int size = g == groups - 1 ? GroupedRows.MOST_ROWS + 3 : 7 + g;
      for (int r = 0; r < size; r++) {
        rows.add(new Tuple2<>(new Place(g, g, r, 0, 0), new Object[] {(long) r}));
      }
    }
    GroupedRows.Facts facts = new GroupedRows.Facts(1);
    new GroupedRows.Members(rows.iterator(), 0).forEachRemaining(facts::add);
    return facts;
  }

  @Test
  void theLeastRowsAreThoseThatEnoughGroupsShow() {
    GroupedRows.Facts facts = facts(50);
    assertEquals(7, facts.leastRows(1));
    assertEquals(11, facts.leastRows(5));
    assertEquals(GroupedRows.MOST_ROWS, facts.mostRows());
    assertEquals(1, facts.cut());
  }

  /** Rows 0 to 9, and a group of too many: the only whole one ends at 9. */
  @Test
  void whereAGroupWasCutNothingEnds() {
    List<Tuple2<Place, Object[]>> rows = new ArrayList<>();
    for (int r = 0; r < 10; r++) {
      rows.add(new Tuple2<>(new Place(1, 1, r, 0, 0), new Object[] {(long) r}));
    }
    for (int r = 0; r <= GroupedRows.MOST_ROWS; r++) {
      rows.add(new Tuple2<>(new Place(2, 2, r, 0, 0), new Object[] {(long) r}));
    }
    GroupedRows.Facts facts = new GroupedRows.Facts(1);
    new GroupedRows.Members(rows.iterator(), 0).forEachRemaining(facts::add);
    assertEquals(1, facts.cut());
    assertEquals(9L, facts.commonEnd());
  }

  @Test
  void ofFewGroupsNoneAreTheSmallest() {
    assertEquals(1, facts(49).leastRows(5));
    assertEquals(1, facts(9).leastRows(1));
  }
}
