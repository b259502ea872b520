package org.safesynth.job;

import java.io.ByteArrayOutputStream;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.safesynth.train.RecordTokens;

/**
 * The groups of a partition, each as the ids of its records behind one another, as far as they fit
 * the context.
 */
final class GroupTokens implements Iterator<Row> {
  static final StructType TYPE =
      new StructType()
          .add("shard", DataTypes.IntegerType, false)
          .add("id_high", DataTypes.LongType, false)
          .add("id_low", DataTypes.LongType, false)
          .add("tokens", DataTypes.BinaryType, false)
          .add("rows", DataTypes.IntegerType, false)
          .add("isCut", DataTypes.BooleanType, false)
          .add("longest", DataTypes.IntegerType, false);

  /** What is kept in files. */
  static final List<String> WRITTEN =
      List.of("id_high", "id_low", "tokens", "rows", "isCut", "longest");

  private final Iterator<GroupedRows.Member> members;
  private final LanguageEncoder encoder;
  private final int[] shardKeys;

  GroupTokens(Iterator<GroupedRows.Member> members, LanguageEncoder encoder, int[] shardKeys) {
    this.members = members;
    this.encoder = encoder;
    this.shardKeys = shardKeys;
  }

  @Override
  public boolean hasNext() {
    return members.hasNext();
  }

  @Override
  public Row next() {
    if (!members.hasNext()) {
      throw new NoSuchElementException();
    }
    ByteArrayOutputStream tokens = new ByteArrayOutputStream();
    int rows = 0;
    int longest = 0;
    boolean isCut = false;
    GroupedRows.Member member;
    do {
      member = members.next();
      int[] record = isCut ? new int[0] : encoder.record(member.cells());
      isCut |= tokens.size() / Integer.BYTES + record.length > encoder.room();
      if (!isCut) {
        tokens.writeBytes(RecordTokens.bytes(record));
        longest = Math.max(longest, record.length);
        rows++;
      }
    } while (!member.isLast());
    return RowFactory.create(
        shardKeys[NumberedCopies.range(member.high(), shardKeys.length)],
        NumberedCopies.signed(member.high()),
        NumberedCopies.signed(member.low()),
        tokens.toByteArray(),
        rows,
        isCut,
        longest);
  }
}
