package org.safesynth.job;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.safesynth.codec.RecordEncoder;

/**
 * Turns a partition's rows into (content hash, copies, tokens), equal rows that lie near each other
 * added up, so that a value of which a table holds millions is no hot key in the shuffle.
 */
final class EncodedRows implements Iterator<Row> {
  static final StructType TYPE =
      new StructType(
          new StructField[] {
            new StructField("hash_high", DataTypes.LongType, false, Metadata.empty()),
            new StructField("hash_low", DataTypes.LongType, false, Metadata.empty()),
            new StructField("copies", DataTypes.LongType, false, Metadata.empty()),
            new StructField("tokens", DataTypes.BinaryType, false, Metadata.empty())
          });

  /** Distinct rows held back to be added up: a few MB at most. */
  private static final int WINDOW = 2048;

  private final Iterator<Row> rows;
  private final MapFunction<Row, Object[]> cells;
  private final MapFunction<Object[], byte[]> encoder;
  private final RecordIdentity.Hasher hasher;
  private final ArrayDeque<Row> ready = new ArrayDeque<>();

  private static final class Copies {
    private final byte[] tokens;
    private long count = 1;

    private Copies(byte[] tokens) {
      this.tokens = tokens;
    }
  }

  EncodedRows(
      Iterator<Row> rows,
      MapFunction<Row, Object[]> cells,
      MapFunction<Object[], byte[]> encoder,
      RecordIdentity identity) {
    this.rows = rows;
    this.cells = cells;
    this.encoder = encoder;
    this.hasher = identity.hasher();
  }

  @Override
  public boolean hasNext() {
    return !ready.isEmpty() || rows.hasNext();
  }

  @Override
  public Row next() {
    if (ready.isEmpty()) {
      fill();
    }
    Row row = ready.poll();
    if (row == null) {
      throw new NoSuchElementException();
    }
    return row;
  }

  private void fill() {
    Map<RecordIdentity.Hash, Copies> window = new LinkedHashMap<>();
    while (rows.hasNext() && window.size() < WINDOW) {
      Object[] record = canonical(rows.next());
      RecordIdentity.Hash hash = hasher.ofCells(record);
      Copies known = window.get(hash);
      if (known == null) {
        window.put(hash, new Copies(encode(record)));
      } else {
        known.count++;
      }
    }
    window.forEach(
        (hash, copies) ->
            ready.add(RowFactory.create(hash.high(), hash.low(), copies.count, copies.tokens)));
  }

  private Object[] canonical(Row row) {
    return called(cells, row);
  }

  private byte[] encode(Object[] record) {
    return called(encoder, record);
  }

  /** What a function of Spark gives; the checked exception that it may declare is a fault. */
  static <A, B> B called(MapFunction<A, B> function, A argument) {
    try {
      return function.call(argument);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("a row could not be read", e);
    }
  }

  /** Writes the tokens of a record of fixed positions as unsigned 16-bit numbers, little-endian. */
  static MapFunction<Object[], byte[]> fixed(RecordEncoder codec) {
    return record -> {
      int[] tokens = new int[codec.positions()];
      codec.encode(record, tokens);
      ByteBuffer bytes =
          ByteBuffer.allocate(tokens.length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      for (int token : tokens) {
        bytes.putShort((short) token);
      }
      return bytes.array();
    };
  }
}
