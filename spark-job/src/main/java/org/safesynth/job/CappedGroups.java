package org.safesynth.job;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.safesynth.codec.Rhythm;
import org.safesynth.job.GroupedRows.Member;
import org.safesynth.job.GroupedRows.Place;
import org.safesynth.random.KeyedPermutation;
import scala.Tuple2;

/**
 * Cuts groups to a number of rows for private training: of a longer group a run of consecutive rows
 * is kept, and a key decides which.
 *
 * <p>The choice depends on the group's own identity and length alone, so that no group moves
 * another; each run is equally likely, so that no end of long groups is preferred. What is kept is
 * numbered and timed as if it were all there is, but whether its last row ends the group stays
 * unsaid where rows after it were left out ({@link Member#isCut}). Holds twice the number of rows
 * that are kept, whatever a group's length.
 */
final class CappedGroups implements Iterator<Member> {
  private final Iterator<Tuple2<Place, Object[]>> sorted;
  private final int orderColumn;
  private final int mostRows;
  private final Deque<Member> ready = new ArrayDeque<>();
  private Tuple2<Place, Object[]> next;

  /**
   * @param sorted rows, group by group, in their order
   * @param orderColumn -1 where the rows are not timed
   * @param mostRows of a group that are kept
   */
  CappedGroups(Iterator<Tuple2<Place, Object[]>> sorted, int orderColumn, int mostRows) {
    this.sorted = sorted;
    this.orderColumn = orderColumn;
    this.mostRows = mostRows;
    advance();
  }

  private void advance() {
    next = sorted.hasNext() ? sorted.next() : null;
  }

  @Override
  public boolean hasNext() {
    if (ready.isEmpty() && next != null) {
      readGroup();
    }
    return !ready.isEmpty();
  }

  @Override
  public Member next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return ready.remove();
  }

  /** The run whose last row has the least hash among all runs. */
  private void readGroup() {
    Place group = next._1();
    Deque<Object[]> newest = new ArrayDeque<>();
    Object[][] chosen = {};
    long least = 0;
    long last = 0;
    long rows = 0;
    while (next != null && next._1().high() == group.high() && next._1().low() == group.low()) {
      if (newest.size() == mostRows) {
        newest.remove();
      }
      newest.add(next._2());
      rows++;
      long hash = hash(group, rows);
      if (rows == mostRows || (rows > mostRows && Long.compareUnsigned(hash, least) < 0)) {
        least = hash;
        last = rows;
        chosen = newest.toArray(Object[][]::new);
      }
      advance();
    }
    boolean isWhole = rows <= mostRows;
    emit(group, isWhole ? newest.toArray(Object[][]::new) : chosen, !isWhole && last < rows);
  }

  private static long hash(Place group, long row) {
    return KeyedPermutation.mix(KeyedPermutation.mix(group.high() + row) ^ group.low());
  }

  private void emit(Place group, Object[][] rows, boolean isCut) {
    Rhythm rhythm = null;
    for (int index = 0; index < rows.length; index++) {
      Long before = rhythm == null ? null : rhythm.last();
      if (orderColumn >= 0) {
        long tick = (Long) rows[index][orderColumn];
        rhythm = rhythm == null ? Rhythm.of(tick) : rhythm.next(tick);
      }
      boolean isLast = index == rows.length - 1;
      ready.add(
          new Member(
              group.high(),
              group.low(),
              index,
              before,
              rhythm,
              isLast,
              isLast && isCut,
              rows[index]));
    }
  }
}
