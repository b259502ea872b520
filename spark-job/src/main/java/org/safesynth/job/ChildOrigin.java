package org.safesynth.job;

import java.io.Serializable;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;

/**
 * Finds the parent's date or time that no child's comes before, the nearest of several. From it a
 * parent's first child is measured, so that none is written before its parent is there.
 */
final class ChildOrigin {
  private ChildOrigin() {}

  /**
   * The joined column; null where there is none.
   *
   * @param order joined column that orders the children; -1 for none
   */
  static Integer of(RelatedStage.Joined joined, int order) {
    List<Integer> candidates = order < 0 ? List.of() : candidates(joined, order);
    if (candidates.isEmpty()) {
      return null;
    }
    Gaps nearest = null;
    for (Gaps of :
        joined
            .members()
            .filter(member -> member.rhythm() != null && member.before() == null)
            .mapPartitions(part -> List.of(gaps(part, candidates, order)).iterator())
            .reduce(ChildOrigin::plus)) {
      boolean isNearer = nearest == null || of.sum().compareTo(nearest.sum()) < 0;
      nearest = of.least() >= 0 && of.least() < Long.MAX_VALUE && isNearer ? of : nearest;
    }
    return nearest == null ? null : (Integer) nearest.column();
  }

  /** The parent's columns that tell times as the order does and are never missing. */
  private static List<Integer> candidates(RelatedStage.Joined joined, int order) {
    List<ColumnSchema> columns = joined.inferred().schema().columns();
    ColumnSchema ordering = columns.get(order);
    List<Integer> candidates = new ArrayList<>();
    if (ordering.kind() == ColumnKind.DATE || ordering.kind() == ColumnKind.TIMESTAMP) {
      for (int c = 0; c < joined.tables().parentColumns(); c++) {
        if (columns.get(c).kind() == ordering.kind()
            && columns.get(c).resolutionMicros() == ordering.resolutionMicros()
            && joined.inferred().profile().columns().get(c).missing() == 0) {
          candidates.add(c);
        }
      }
    }
    return candidates;
  }

  /**
   * Ticks from a parent's column to the first child.
   *
   * @param sum exact, whatever the partitions
   */
  private record Gaps(int column, long least, BigInteger sum) implements Serializable {}

  private static List<Gaps> gaps(
      Iterator<GroupedRows.Member> firsts, List<Integer> columns, int order) {
    long[] least = new long[columns.size()];
    BigInteger[] sum = new BigInteger[columns.size()];
    Arrays.fill(least, Long.MAX_VALUE);
    Arrays.fill(sum, BigInteger.ZERO);
    while (firsts.hasNext()) {
      Object[] cells = firsts.next().cells();
      for (int i = 0; i < least.length; i++) {
        long gap = (Long) cells[order] - (Long) cells[columns.get(i)];
        least[i] = Math.min(least[i], gap);
        sum[i] = sum[i].add(BigInteger.valueOf(gap));
      }
    }
    List<Gaps> gaps = new ArrayList<>();
    for (int i = 0; i < least.length; i++) {
      gaps.add(new Gaps(columns.get(i), least[i], sum[i]));
    }
    return gaps;
  }

  private static List<Gaps> plus(List<Gaps> some, List<Gaps> more) {
    List<Gaps> all = new ArrayList<>();
    for (int i = 0; i < some.size(); i++) {
      Gaps a = some.get(i);
      Gaps b = more.get(i);
      all.add(new Gaps(a.column(), Math.min(a.least(), b.least()), a.sum().add(b.sum())));
    }
    return all;
  }
}
