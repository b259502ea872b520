package org.safesynth.job;

import static org.apache.spark.sql.functions.col;

import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * The first groups, in the order of their identities, that together have so many rows: a split
 * never cuts a group. Holds one small row a group that is looked at.
 */
final class WholeGroups {
  private WholeGroups() {}

  /**
   * How many rows make up whole groups.
   *
   * @param rows of those groups
   * @param high identity of the last group
   * @param low likewise
   */
  record Cut(long rows, long high, long low) {
    /** Whether a group is one of those, or of those before an earlier cut. */
    boolean holds(RecordIdentity.Hash group) {
      long groupHigh = NumberedCopies.signed(group.high());
      long groupLow = NumberedCopies.signed(group.low());
      return rows > 0 && (groupHigh < high || (groupHigh == high && groupLow <= low));
    }
  }

  /**
   * Cuts after the groups that reach some numbers of rows, one cut behind the other.
   *
   * @param identified one row a record, with the columns {@code id_high} and {@code id_low}
   * @param wanted rows of each part; a part of 0 rows has no group
   * @param most rows that may be taken at all: the last group stays for the rest
   */
  static Cut[] of(Dataset<Row> identified, long most, long... wanted) {
    long all = 0;
    for (long rows : wanted) {
      all += rows;
    }
    List<Row> groups =
        identified
            .groupBy("id_high", "id_low")
            .count()
            .orderBy(col("id_high"), col("id_low"))
            .limit(Math.toIntExact(all))
            .collectAsList();
    Cut[] cuts = new Cut[wanted.length];
    long taken = 0;
    int next = 0;
    for (int part = 0; part < wanted.length; part++) {
      long rows = 0;
      Row last = null;
      while (rows < wanted[part]
          && next < groups.size()
          && taken + groups.get(next).getLong(2) <= most) {
        last = groups.get(next++);
        rows += last.getLong(2);
        taken += last.getLong(2);
      }
      cuts[part] =
          last == null
              ? new Cut(0, Long.MIN_VALUE, Long.MIN_VALUE)
              : new Cut(rows, last.getLong(0), last.getLong(1));
    }
    return cuts;
  }
}
