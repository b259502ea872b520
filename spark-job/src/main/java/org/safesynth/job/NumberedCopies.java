package org.safesynth.job;

import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Turns rows of {@link EncodedRows}, sorted by content hash, into one row per record: its shard,
 * its identity and its tokens. Equal records get the numbers 0, 1, 2, … whatever partition they
 * came from.
 */
final class NumberedCopies implements Iterator<Row> {
  static final StructType TYPE =
      new StructType(
          new StructField[] {
            new StructField("shard", DataTypes.IntegerType, false, Metadata.empty()),
            new StructField("id_high", DataTypes.LongType, false, Metadata.empty()),
            new StructField("id_low", DataTypes.LongType, false, Metadata.empty()),
            new StructField("tokens", DataTypes.BinaryType, false, Metadata.empty())
          });

  private final Iterator<Row> sorted;
  private final RecordIdentity.Hasher hasher;
  private final int[] shardKeys; // (shards)
  private Row current;
  private long high;
  private long low;
  private long occurrence;
  private long left;

  /**
   * @param shardKeys what to write as the shard of the i-th of equal ranges of identities
   */
  NumberedCopies(Iterator<Row> sorted, RecordIdentity identity, int[] shardKeys) {
    this.sorted = sorted;
    this.hasher = identity.hasher();
    this.shardKeys = shardKeys;
  }

  @Override
  public boolean hasNext() {
    return left > 0 || sorted.hasNext();
  }

  @Override
  public Row next() {
    if (left == 0) {
      advance();
    }
    left--;
    RecordIdentity.Hash id = hasher.ofOccurrence(high, low, occurrence++);
    return RowFactory.create(
        shardKeys[range(id.high(), shardKeys.length)],
        signed(id.high()),
        signed(id.low()),
        current.get(3));
  }

  private void advance() {
    if (!sorted.hasNext()) {
      throw new NoSuchElementException();
    }
    Row row = sorted.next();
    boolean same = current != null && row.getLong(0) == high && row.getLong(1) == low;
    if (!same) {
      occurrence = 0;
      high = row.getLong(0);
      low = row.getLong(1);
    }
    current = row;
    left = row.getLong(2);
  }

  /** The number of the equal range of [0, 2^64) in which an unsigned number lies. */
  static int range(long unsigned, int ranges) {
    return (int) (((unsigned >>> 32) * ranges) >>> 32);
  }

  /** Moves unsigned numbers to signed ones of the same order. */
  static long signed(long unsigned) {
    return unsigned ^ Long.MIN_VALUE;
  }
}
