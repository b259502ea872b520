package org.safesynth.job;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaRDD;
import org.safesynth.schema.ColumnProfile;

/**
 * Finds where the numbers of groups' first rows part from those of the others, so that they need
 * not share a bin: in a shared one, what lies where in it would have to be learned of either kind
 * of row apart, from the few others that are in it.
 */
final class FirstRows {
  /** Groups that are looked at, by their keyed hashes. */
  private static final int MOST = 4_096;

  private static final int LEAST = 20;

  /** Share of first rows on one side less that of the others: 1 parts them without exception. */
  private static final double APART = 0.95;

  private final List<Object[]> cells; // of first rows

  private FirstRows(List<Object[]> cells) {
    this.cells = cells;
  }

  static FirstRows of(JavaRDD<GroupedRows.Member> members) {
    return new FirstRows(
        members.filter(member -> member.index() == 0).map(GroupedRows.Member::cells).take(MOST));
  }

  /**
   * Least tick above the border, for the columns that have one.
   *
   * @param profiles what is counted of columns, by their number in the table
   * @param groups of the table
   * @param least rows on either side
   */
  Map<Integer, Long> borders(Map<Integer, ColumnProfile> profiles, long groups, int least) {
    Map<Integer, Long> borders = new HashMap<>();
    profiles.forEach(
        (column, profile) -> {
          long[] first =
              cells.stream()
                  .map(row -> row[column])
                  .filter(Long.class::isInstance)
                  .mapToLong(Long.class::cast)
                  .sorted()
                  .toArray();
          Long border = border(first, profile, groups, Math.max(LEAST, least));
          if (border != null) {
            borders.put(column, border);
          }
        });
    return borders;
  }

  /**
   * The tick from which on there are first rows and hardly others, or others and hardly first rows.
   *
   * @param first (first rows) ascending
   * @param all counted of all rows
   */
  static Long border(long[] first, ColumnProfile all, long groups, int least) {
    double rows = Arrays.stream(all.counts()).sum();
    double present = (double) all.rows() - all.missing();
    double firsts = rows / Math.max(1, present) * groups; // among the rows that were counted
    if (first.length < least || rows - firsts < least) {
      return null;
    }
    Long border = null;
    double most = APART;
    double below = 0; // rows below the tick
    int firstBelow = 0;
    for (int i = 0; i < all.ticks().length; i++) {
      while (firstBelow < first.length && first[firstBelow] < all.ticks()[i]) {
        firstBelow++;
      }
      double ofFirst = (double) firstBelow / first.length;
      double ofOthers = (below - ofFirst * firsts) / (rows - firsts);
      double apart = Math.abs(ofFirst - ofOthers);
      if (apart > most) {
        most = apart;
        border = all.ticks()[i];
      }
      below += all.counts()[i];
    }
    return border;
  }
}
