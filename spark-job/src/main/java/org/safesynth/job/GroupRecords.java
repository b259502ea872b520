package org.safesynth.job;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.safesynth.codec.GroupCodec;
import org.safesynth.job.GroupedRows.Member;
import org.safesynth.model.GroupDecoderConfig;
import org.safesynth.random.KeyedPermutation;

/**
 * What of a group counts as one record, so that tables of pairs cost a group no more than they cost
 * a single row: its first row with its number of rows, and one of its steps from a row to the next,
 * which a key chooses. A group has one of the first and at most one of the second, however long it
 * is.
 */
final class GroupRecords implements Serializable {
  private final GroupCodec codec;
  private final int[] sizeLows; // (size cells) least number of rows
  private final int[] first; // positions of a first row
  private final int[] before; // positions of the row before
  private final int[] next; // positions of a next row

  /**
   * @param sizeLows ascending from 1; the last cell begins at or below the most rows of a group
   */
  GroupRecords(GroupCodec codec, int[] sizeLows) {
    this.codec = codec;
    this.sizeLows = sizeLows.clone();
    int last = codec.fields().positions() - 1;
    int[] telling =
        IntStream.range(0, last).filter(t -> codec.fields().vocabularySize(t) > 1).toArray();
    first = Arrays.stream(telling).filter(t -> !codec.isNeverFirst(t)).toArray();
    before = telling;
    next = Arrays.stream(telling).filter(t -> !codec.isOnlyFirst(t)).toArray();
  }

  GroupCodec codec() {
    return codec;
  }

  /** Tokens of each part of a record of a first row; the last part is the group's size. */
  int[] sizesOfFirst() {
    return sizes(first, sizeLows.length);
  }

  /** Tokens of each part of a record of a step: the row before, its number, the size, the next. */
  int[] sizesOfStep() {
    int[] known = sizes(before, GroupDecoderConfig.indexBuckets(), sizeLows.length);
    int[] drawn = sizes(next);
    int[] all = Arrays.copyOf(known, known.length + drawn.length);
    System.arraycopy(drawn, 0, all, known.length, drawn.length);
    return all;
  }

  /** Which parts of a step are known when its next row is drawn. */
  boolean[] knownOfStep() {
    boolean[] known = new boolean[before.length + 2 + next.length];
    Arrays.fill(known, 0, before.length + 2, true);
    return known;
  }

  private int[] sizes(int[] positions, int... more) {
    int[] sizes = Arrays.copyOf(positions, positions.length + more.length);
    for (int i = 0; i < positions.length; i++) {
      sizes[i] = codec.fields().vocabularySize(positions[i]);
    }
    System.arraycopy(more, 0, sizes, positions.length, more.length);
    return sizes;
  }

  /** Least number of rows of a size cell. */
  int leastRows(int cell) {
    return sizeLows[cell];
  }

  /** Greatest number of rows of a size cell, where at most so many are kept. */
  int mostRows(int cell, int most) {
    return cell + 1 < sizeLows.length ? sizeLows[cell + 1] - 1 : Math.max(most, sizeLows[cell]);
  }

  /** Puts a record's first row into a row of tokens (positions). */
  void toFirst(int[] record, int[] tokens) {
    for (int t = 0; t < tokens.length; t++) {
      tokens[t] = codec.restToken(t);
    }
    for (int i = 0; i < first.length; i++) {
      tokens[first[i]] = record[i];
    }
  }

  /**
   * Fills in what is known of a step.
   *
   * @param row number of the next row
   * @param tokens (positions) of the row before
   */
  void known(int[] firstTokens, int[] tokens, int row, int sizeCell, int[] record) {
    for (int i = 0; i < before.length; i++) {
      boolean ofFirst = codec.isOnlyFirst(before[i]);
      record[i] = (ofFirst ? firstTokens : tokens)[before[i]];
    }
    record[before.length] = GroupDecoderConfig.indexBucket(row);
    record[before.length + 1] = sizeCell;
  }

  /** Puts a record's next row into a row of tokens (positions). */
  void toNext(int[] record, int[] firstTokens, int[] tokens) {
    for (int t = 0; t < tokens.length; t++) {
      tokens[t] = codec.isConstant(t) ? firstTokens[t] : codec.restToken(t);
    }
    for (int i = 0; i < next.length; i++) {
      tokens[next[i]] = record[before.length + 2 + i];
    }
  }

  /** The records of first rows; the tokens of each as bytes. */
  static JavaRDD<Row> firsts(JavaRDD<Member> members, GroupRecords records) {
    return members.mapPartitions(part -> new OfGroups(part, records, true));
  }

  /** The records of steps. */
  static JavaRDD<Row> steps(JavaRDD<Member> members, GroupRecords records) {
    return members.mapPartitions(part -> new OfGroups(part, records, false));
  }

  private int[] ofFirst(List<int[]> rows) {
    int[] record = new int[first.length + 1];
    for (int i = 0; i < first.length; i++) {
      record[i] = rows.get(0)[first[i]];
    }
    record[first.length] = GroupCounts.cell(sizeLows, rows.size());
    return record;
  }

  private int[] ofStep(List<int[]> rows, int row) {
    int[] record = new int[before.length + 2 + next.length];
    int cell = GroupCounts.cell(sizeLows, rows.size());
    known(rows.get(0), rows.get(row - 1), row, cell, record);
    for (int i = 0; i < next.length; i++) {
      record[before.length + 2 + i] = rows.get(row)[next[i]];
    }
    return record;
  }

  /** One record of each group that has one; holds one group's tokens. */
  private static final class OfGroups implements Iterator<Row> {
    private final Iterator<Member> members;
    private final GroupRecords records;
    private final boolean ofFirst;
    private Row ready;

    OfGroups(Iterator<Member> members, GroupRecords records, boolean ofFirst) {
      this.members = members;
      this.records = records;
      this.ofFirst = ofFirst;
    }

    @Override
    public boolean hasNext() {
      List<int[]> rows = new ArrayList<>();
      while (ready == null && members.hasNext()) {
        Member member = members.next();
        int[] tokens = new int[records.codec.fields().positions()];
        GroupEncoding.encode(records.codec, member, tokens);
        rows.add(tokens);
        if (member.isLast()) {
          ready = ofFirst ? bytes(records.ofFirst(rows)) : step(rows, member);
          rows.clear();
        }
      }
      return ready != null;
    }

    private Row step(List<int[]> rows, Member member) {
      if (rows.size() < 2) {
        return null;
      }
      long key = KeyedPermutation.mix(member.low() ^ KeyedPermutation.mix(member.high() + 1));
      int row = 1 + (int) Long.remainderUnsigned(key, rows.size() - 1L);
      return bytes(records.ofStep(rows, row));
    }

    private static Row bytes(int[] tokens) {
      ByteBuffer bytes =
          ByteBuffer.allocate(tokens.length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      for (int token : tokens) {
        bytes.putShort((short) token);
      }
      return RowFactory.create((Object) bytes.array());
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new java.util.NoSuchElementException();
      }
      Row row = ready;
      ready = null;
      return row;
    }
  }
}
