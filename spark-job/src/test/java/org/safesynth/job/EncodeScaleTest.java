package org.safesynth.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.hash;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pmod;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.random.RandomGenerator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.codec.RecordCodec;
import org.safesynth.codec.RecordGrammar;

/** Rows a second through the encode stage; {@code -Drows=} sets how many. */
@Tag("slow")
final class EncodeScaleTest {
  private static final int COLUMNS = 15;
  private static final int TOKENS_PER_COLUMN = 2;

  @TempDir private java.nio.file.Path temp;

  private record TwoTokensPerColumn() implements RecordCodec {
    @Override
    public int positions() {
      return COLUMNS * TOKENS_PER_COLUMN;
    }

    @Override
    public int vocabularySize(int position) {
      return 128;
    }

    @Override
    public void encode(Object[] cells, int[] tokens) {
      for (int column = 0; column < COLUMNS; column++) {
        long value = (Long) cells[column];
        tokens[2 * column] = (int) (value >>> 7 & 127);
        tokens[2 * column + 1] = (int) (value & 127);
      }
    }

    @Override
    public Object[] decode(int[] tokens, long record, RandomGenerator random) {
      throw new UnsupportedOperationException();
    }

    @Override
    public RecordGrammar grammar() {
      throw new UnsupportedOperationException();
    }
  }

  @Test
  void millionsOfRowsAreEncodedInAConstantHeap() throws IOException {
    long records = Long.getLong("rows", 5_000_000);
    Dataset<Row> rows = LocalSpark.session().range(0, records, 1, 8).toDF();
    for (int column = 0; column < COLUMNS; column++) {
      rows =
          rows.withColumn(
              "c" + column, pmod(hash(col("id"), lit(column)), lit(10_000)).cast("long"));
    }
    Path folder = new Path(temp.resolve("examples").toUri());
    long begin = System.nanoTime();
    ExamplesManifest manifest =
        EncodeStage.run(
            new EncodeStage.Encoding(
                rows.drop("id"),
                EncodeScaleTest::cells,
                new TwoTokensPerColumn(),
                new RecordIdentity(1),
                records,
                "f"),
            folder);
    double encode = (System.nanoTime() - begin) / 1e9;
    begin = System.nanoTime();
    long[] read = new long[1];
    ExamplesReader.read(new Configuration(), folder, manifest, tokens -> read[0]++);
    double stream = (System.nanoTime() - begin) / 1e9;
    assertEquals(records, read[0]);
    System.out.printf(
        "encode: %,.0f rows/s (%.1f s, %d files); read by the training task: %,.0f rows/s%n",
        records / encode, encode, manifest.files().size(), records / stream);
  }

  private static Object[] cells(Row row) {
    Object[] cells = new Object[COLUMNS];
    for (int column = 0; column < COLUMNS; column++) {
      cells[column] = row.getLong(column);
    }
    return cells;
  }
}
