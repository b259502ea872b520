package org.safesynth.job;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.safesynth.generate.SeriesRules;
import org.safesynth.train.RecordTokens;

/**
 * The groups of a partition, each as the ids of its records behind one another, as far as they fit
 * the context. Time series are cut into windows instead, each behind the last records of the one
 * before, which are read without loss; their ids begin with {@link #HEADER} numbers. Parts of a
 * single series are too, into shorter ones, and end nowhere.
 */
final class GroupTokens implements Iterator<Row> {
  /** Numbers in front of a window: tokens that prime it, and 1 where the series ends with it. */
  static final int HEADER = 2;

  static final StructType TYPE =
      new StructType()
          .add("shard", DataTypes.IntegerType, false)
          .add("id_high", DataTypes.LongType, false)
          .add("id_low", DataTypes.LongType, false)
          .add("index", DataTypes.IntegerType, false)
          .add("tokens", DataTypes.BinaryType, false)
          .add("rows", DataTypes.IntegerType, false)
          .add("isCut", DataTypes.BooleanType, false)
          .add("longest", DataTypes.IntegerType, false);

  /** What is kept in files. */
  static final List<String> WRITTEN =
      List.of("id_high", "id_low", "tokens", "rows", "isCut", "longest");

  /** What the rows that belong together are. */
  enum Kind {
    GROUPS,
    SERIES,
    PARTS_OF_A_SERIES
  }

  private final Iterator<GroupedRows.Member> members;
  private final LanguageEncoder encoder;
  private final Kind kind;
  private final boolean isSeries;
  private final int mostRecords; // of a window
  private final int[] shardKeys;
  private List<int[]> priming = List.of(); // of the window that follows
  private int[] carried; // the record that it begins with, or null
  private GroupedRows.Member member; // that record, or the one before it
  private int window; // number in its series

  GroupTokens(
      Iterator<GroupedRows.Member> members, LanguageEncoder encoder, Kind kind, int[] shardKeys) {
    this.members = members;
    this.encoder = encoder;
    this.kind = kind;
    this.isSeries = kind != Kind.GROUPS;
    this.mostRecords =
        kind == Kind.PARTS_OF_A_SERIES ? SeriesRules.SINGLE_WINDOW : Integer.MAX_VALUE;
    this.shardKeys = shardKeys;
  }

  @Override
  public boolean hasNext() {
    return carried != null || members.hasNext();
  }

  @Override
  public Row next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    List<int[]> records = new ArrayList<>(priming);
    int primed = priming.stream().mapToInt(record -> record.length).sum();
    int size = primed;
    int rows = 0;
    boolean isFull = false;
    boolean isCut = false;
    do {
      boolean isCarried = carried != null;
      member = isCarried ? member : members.next();
      int[] record = isCarried ? carried : isCut ? new int[0] : encoder.record(member.cells());
      carried = null;
      isFull = size + record.length > encoder.room() || records.size() >= mostRecords;
      if (isFull && isSeries) {
        carried = record;
      } else if (!isCut && !isFull) {
        records.add(record);
        size += record.length;
        rows++;
      }
      isCut |= isFull && !isSeries;
    } while (carried == null && !member.isLast());
    Row row = row(records, primed, rows, isCut);
    window = carried == null ? 0 : window + 1;
    priming = carried == null ? List.of() : last(records, encoder.room() - carried.length);
    return row;
  }

  /** The last records, of which the window that follows has room for one more. */
  private static List<int[]> last(List<int[]> records, int room) {
    int first = records.size();
    int size = 0;
    while (first > records.size() - SeriesRules.priming(records.size())
        && size + records.get(first - 1).length <= room) {
      size += records.get(--first).length;
    }
    return List.copyOf(records.subList(first, records.size()));
  }

  private Row row(List<int[]> records, int primed, int rows, boolean isCut) {
    ByteArrayOutputStream tokens = new ByteArrayOutputStream();
    if (isSeries) {
      boolean isEnd = carried == null && kind == Kind.SERIES;
      tokens.writeBytes(RecordTokens.bytes(new int[] {primed, isEnd ? 1 : 0}));
    }
    int longest = 0;
    for (int[] record : records) {
      tokens.writeBytes(RecordTokens.bytes(record));
      longest = Math.max(longest, record.length);
    }
    return RowFactory.create(
        shardKeys[NumberedCopies.range(member.high(), shardKeys.length)],
        NumberedCopies.signed(member.high()),
        NumberedCopies.signed(member.low()),
        window,
        tokens.toByteArray(),
        rows,
        isCut,
        longest);
  }
}
