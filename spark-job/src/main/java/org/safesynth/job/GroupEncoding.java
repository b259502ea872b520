package org.safesynth.job;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Iterator;
import java.util.Optional;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.safesynth.codec.GroupCodec;
import org.safesynth.codec.GroupLayout;

/** Writes whole groups as tokens, in the order of their identities. */
final class GroupEncoding {
  private static final StructType ENCODED =
      new StructType()
          .add("shard", DataTypes.IntegerType, false)
          .add("id_high", DataTypes.LongType, false)
          .add("id_low", DataTypes.LongType, false)
          .add("index", DataTypes.IntegerType, false)
          .add("tokens", DataTypes.BinaryType, false);

  private GroupEncoding() {}

  /**
   * Writes the examples, or finds them from an earlier attempt.
   *
   * @param rows of all groups, about
   * @param isExact whether {@code rows} is the true number; else it only plans the files
   */
  static ExamplesManifest write(
      RunContext context,
      JavaRDD<GroupedRows.Member> members,
      GroupCodec codec,
      String fingerprint,
      long rows,
      boolean isExact) {
    EncodeStage.requireShortTokens(codec.fields());
    Path folder = context.folder().examples();
    Optional<ExamplesManifest> earlier =
        EncodeStage.manifest(context.hadoop(), folder)
            .filter(m -> m.fingerprint().equals(fingerprint));
    if (earlier.isPresent()) {
      return earlier.get();
    }
    new TextFiles(context.hadoop()).delete(folder);
    int positions = codec.fields().positions() + GroupLayout.FEATURES;
    int[] shardKeys = EncodeStage.shardKeys(context.spark(), EncodeStage.shards(rows, positions));
    Dataset<Row> records =
        context
            .spark()
            .createDataFrame(
                members.mapPartitions(part -> new Encoded(part, codec, shardKeys)), ENCODED);
    EncodeStage.write(records, shardKeys.length, folder, "id_high", "id_low", "index");
    ExamplesManifest manifest =
        EncodeStage.describe(context.hadoop(), folder, fingerprint, positions, isExact ? rows : -1);
    new TextFiles(context.hadoop())
        .write(new Path(folder, ExamplesManifest.NAME), Json.file(manifest));
    return manifest;
  }

  /** Rows as tokens, and what is known of their group's times after them. */
  private record Encoded(Iterator<GroupedRows.Member> members, GroupCodec codec, int[] shardKeys)
      implements Iterator<Row> {
    @Override
    public boolean hasNext() {
      return members.hasNext();
    }

    @Override
    public Row next() {
      GroupedRows.Member member = members.next();
      return RowFactory.create(
          shardKeys[NumberedCopies.range(member.high(), shardKeys.length)],
          NumberedCopies.signed(member.high()),
          NumberedCopies.signed(member.low()),
          member.index(),
          bytes(codec, member));
    }
  }

  /** A row's tokens (positions). Where a group was cut nothing has ended. */
  static void encode(GroupCodec codec, GroupedRows.Member member, int[] tokens) {
    boolean knowsCuts = codec.fields().vocabularySize(tokens.length - 1) > codec.lastToken() + 1;
    GroupCodec.End end =
        member.isCut()
            ? knowsCuts ? GroupCodec.End.CUT : GroupCodec.End.GOES_ON
            : member.isLast() ? GroupCodec.End.LAST : GroupCodec.End.GOES_ON;
    codec.encode(member.cells(), member.before(), member.index() == 0, end, tokens);
  }

  /** A row's tokens, and what is known of its group's times. */
  static byte[] bytes(GroupCodec codec, GroupedRows.Member member) {
    int[] tokens = new int[codec.fields().positions()];
    encode(codec, member, tokens);
    ByteBuffer bytes =
        ByteBuffer.allocate((tokens.length + GroupLayout.FEATURES) * Short.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int token : tokens) {
      bytes.putShort((short) token);
    }
    for (int feature : codec.layout().features(member.rhythm())) {
      bytes.putShort((short) feature);
    }
    return bytes.array();
  }
}
