package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.job.GroupedRows.Member;
import org.safesynth.job.GroupedRows.Place;
import scala.Tuple2;

@Tag("unit")
final class CappedGroupsTest {
  private static final int MOST = 4;

  /** Rows of a group: ticks 10, 20, … */
  private static List<Tuple2<Place, Object[]>> group(long high, int rows) {
    List<Tuple2<Place, Object[]>> group = new ArrayList<>();
    for (int r = 1; r <= rows; r++) {
      group.add(new Tuple2<>(new Place(high, -high, 10L * r, 0, 0), new Object[] {10L * r}));
    }
    return group;
  }

  private static List<Member> capped(List<Tuple2<Place, Object[]>> rows) {
    List<Member> members = new ArrayList<>();
    new CappedGroups(rows.iterator(), 0, MOST).forEachRemaining(members::add);
    return members;
  }

  @Test
  void shortGroupsStayAsTheyAre() {
    List<Tuple2<Place, Object[]>> rows = group(1, 1);
    rows.addAll(group(2, MOST));
    List<Member> members = capped(rows);
    assertEquals(1 + MOST, members.size());
    assertTrue(members.get(0).isLast() && members.get(MOST).isLast());
    assertTrue(members.stream().noneMatch(Member::isCut));
    assertEquals(30L, members.get(MOST).before());
    assertNull(members.get(1).before());
  }

  @Test
  void aRunOfRowsIsKeptNumberedAndTimedFromItsOwnStart() {
    for (long high = 0; high < 200; high++) {
      List<Member> members = capped(group(high, 11));
      assertEquals(MOST, members.size());
      long first = (Long) members.get(0).cells()[0];
      assertNull(members.get(0).before());
      for (int i = 0; i < MOST; i++) {
        assertEquals(i, members.get(i).index());
        assertEquals(first + 10L * i, members.get(i).cells()[0]);
        assertEquals(i, members.get(i).rhythm().steps());
      }
      Member last = members.get(MOST - 1);
      assertTrue(last.isLast());
      assertEquals(
          !last.cells()[0].equals(110L), last.isCut(), "the end is known where it is seen");
    }
  }

  /** 8 runs of 4 of 11 rows, 4,000 groups: each is chosen 500 times, give or take 5 deviations. */
  @Test
  void everyRunIsEquallyLikely() {
    int[] chosen = new int[8];
    for (long high = 0; high < 4_000; high++) {
      long first = (Long) capped(group(high, 11)).get(0).cells()[0];
      chosen[(int) (first / 10) - 1]++;
    }
    for (int count : chosen) {
      assertEquals(500, count, 5 * Math.sqrt(500 * 7 / 8.0));
    }
  }

  @Test
  void noGroupMovesAnother() {
    List<Tuple2<Place, Object[]>> both = group(7, 30);
    both.addAll(group(8, 50));
    List<Object> together = new ArrayList<>();
    capped(both).stream().filter(m -> m.high() == 8).forEach(m -> together.add(m.cells()[0]));
    List<Object> alone = new ArrayList<>();
    capped(group(8, 50)).forEach(m -> alone.add(m.cells()[0]));
    assertEquals(alone, together);
  }

  @Test
  void noRowsGiveNone() {
    assertTrue(capped(List.of()).isEmpty());
  }
}
