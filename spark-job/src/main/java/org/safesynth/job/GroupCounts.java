package org.safesynth.job;

import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.safesynth.codec.GroupCodec;
import org.safesynth.job.GroupedRows.Member;
import scala.Tuple2;

/**
 * Exact counts of groups, summed up on the executors, each with a stated bound on what one group
 * adds. They reach the driver once and leave it with noise only.
 */
final class GroupCounts {
  /** What one row of a bounded histogram counts. */
  static final int UNIT = 64;

  private static final int MERGE_DEPTH = 3;

  private GroupCounts() {}

  /**
   * How many groups have how many rows. One group adds one to one cell.
   *
   * @param lows (cells) least number of rows of each cell, ascending from 1
   */
  static long[] sizes(
      Dataset<Row> rows,
      MapFunction<Row, Object[]> cells,
      int groupColumn,
      RecordIdentity identity,
      int[] lows) {
    return rows.toJavaRDD()
        .mapPartitionsToPair(
            part -> {
              RecordIdentity.Hasher hasher = identity.hasher();
              return new Iterator<Tuple2<RecordIdentity.Hash, Long>>() {
                @Override
                public boolean hasNext() {
                  return part.hasNext();
                }

                @Override
                public Tuple2<RecordIdentity.Hash, Long> next() {
                  Object[] of = EncodedRows.called(cells, part.next());
                  return new Tuple2<>(hasher.ofCells(new Object[] {of[groupColumn]}), 1L);
                }
              };
            })
        .reduceByKey(Long::sum)
        .mapPartitions(
            part -> {
              long[] counts = new long[lows.length];
              part.forEachRemaining(group -> counts[cell(lows, group._2())]++);
              return List.of(counts).iterator();
            })
        .treeReduce(GroupCounts::sum, MERGE_DEPTH);
  }

  /** The cell of a number of rows. */
  static int cell(int[] lows, long rows) {
    int cell = 0;
    while (cell + 1 < lows.length && lows[cell + 1] <= rows) {
      cell++;
    }
    return cell;
  }

  /**
   * In how many groups each column has more than one value. One group adds at most one for each
   * column.
   */
  static long[] varying(JavaRDD<Member> members, int columns) {
    return members
        .mapPartitions(
            part -> {
              long[] counts = new long[columns];
              boolean[] varies = new boolean[columns];
              Object[] first = null;
              while (part.hasNext()) {
                Member member = part.next();
                first = member.index() == 0 ? member.cells() : first;
                for (int c = 0; c < columns; c++) {
                  varies[c] |= !Objects.equals(first[c], member.cells()[c]);
                  counts[c] += member.isLast() && varies[c] ? 1 : 0;
                  varies[c] &= !member.isLast();
                }
              }
              return List.of(counts).iterator();
            })
        .treeReduce(GroupCounts::sum, MERGE_DEPTH);
  }

  /**
   * Histograms of each position (positions, tokens), a row counting {@link #UNIT}. The histogram of
   * a group at a position is scaled down where its L2 norm is above a bound, and rounded towards
   * zero: one group changes each position's histogram by at most {@code bound · UNIT} in L2.
   *
   * @param bound L2 norm of one group's histogram of rows
   */
  static long[][] ofPositions(JavaRDD<Member> members, GroupCodec codec, double bound) {
    return members
        .mapPartitions(part -> List.<long[][]>of(new Bounded(codec, bound).count(part)).iterator())
        .treeReduce(TokenCounts::sum, MERGE_DEPTH);
  }

  private static long[] sum(long[] a, long[] b) {
    for (int i = 0; i < a.length; i++) {
      a[i] += b[i];
    }
    return a;
  }

  /** Counts group by group; holds one group's tokens. */
  private static final class Bounded {
    private final GroupCodec codec;
    private final double bound;
    private final long[][] counts; // (positions, tokens)
    private final int[][] own; // (positions, tokens) of the group at hand

    Bounded(GroupCodec codec, double bound) {
      this.codec = codec;
      this.bound = bound;
      int positions = codec.fields().positions();
      counts = new long[positions][];
      own = new int[positions][];
      for (int t = 0; t < positions; t++) {
        counts[t] = new long[codec.fields().vocabularySize(t)];
        own[t] = new int[counts[t].length];
      }
    }

    long[][] count(Iterator<Member> members) {
      int[] tokens = new int[counts.length];
      while (members.hasNext()) {
        Member member = members.next();
        GroupEncoding.encode(codec, member, tokens);
        for (int t = 0; t < tokens.length; t++) {
          boolean isDrawn = member.index() == 0 ? !codec.isNeverFirst(t) : !codec.isOnlyFirst(t);
          boolean isKnown = t < tokens.length - 1 || !member.isCut();
          own[t][tokens[t]] += isDrawn && isKnown ? 1 : 0;
        }
        if (member.isLast()) {
          addGroup();
        }
      }
      return counts;
    }

    private void addGroup() {
      for (int t = 0; t < counts.length; t++) {
        bounded(own[t], bound, counts[t]);
        java.util.Arrays.fill(own[t], 0);
      }
    }
  }

  /** Adds a group's histogram to a sum, scaled down to a bound of its L2 norm. */
  static void bounded(int[] own, double bound, long[] sum) {
    double squares = 0;
    for (int count : own) {
      squares += (double) count * count;
    }
    // Less by more than the rounding of the quotient: the bound is proved, not nearly kept.
    double scale = squares <= bound * bound ? 1 : bound / Math.sqrt(squares) * (1 - 0x1p-40);
    for (int i = 0; i < own.length && squares > 0; i++) {
      sum[i] += (long) Math.floor(UNIT * scale * own[i]);
    }
  }
}
