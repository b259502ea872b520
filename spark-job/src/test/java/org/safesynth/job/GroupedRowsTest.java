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
  private static final int LONG = 2_003;

  /** Groups of 7, 8, 9, … rows, one each, and a long one. */
  private static GroupedRows.Facts facts(int groups) {
    List<Tuple2<Place, Object[]>> rows = new ArrayList<>();
    for (int g = 0; g < groups; g++) {
      int size = g == groups - 1 ? LONG : 7 + g;
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
    assertEquals(LONG, facts.mostRows());
  }

  /** Rows 0 to 9, and a long group. */
  @Test
  void aLongGroupEndsWhereItsLastRowDoes() {
    List<Tuple2<Place, Object[]>> rows = new ArrayList<>();
    for (int r = 0; r < 10; r++) {
      rows.add(new Tuple2<>(new Place(1, 1, r, 0, 0), new Object[] {(long) r}));
    }
    for (int r = 0; r < LONG; r++) {
      rows.add(new Tuple2<>(new Place(2, 2, r, 0, 0), new Object[] {(long) r % 10}));
    }
    List<GroupedRows.Member> members = new ArrayList<>();
    new GroupedRows.Members(rows.iterator(), -1).forEachRemaining(members::add);
    assertEquals(10 + LONG, members.size());
    assertEquals(2, members.stream().filter(GroupedRows.Member::isLast).count());
    assertEquals(LONG - 1, members.get(members.size() - 1).index());
  }

  @Test
  void ofFewGroupsNoneAreTheSmallest() {
    assertEquals(1, facts(49).leastRows(5));
    assertEquals(1, facts(9).leastRows(1));
  }
}
