package org.safesynth.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.raise_error;
import static org.apache.spark.sql.functions.when;

import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;

/**
 * Finds lines that Spark could not fit to the columns. Good tables pay nothing: the check is part
 * of the passes that read the table anyway, and lines are counted only once one was met.
 *
 * @param lines how many
 * @param firstRow number of the first one among the rows as Spark reads them, from 1
 */
record CorruptLines(long lines, long firstRow) {
  /** Spark's column for a line that does not fit; a name that no table has. */
  static final String COLUMN = "__safesynth_corrupt_line";

  private static final String MARK = "safesynth: a line does not fit the columns";

  /**
   * The rows without {@link #COLUMN}; reading them fails at the first corrupt line. The condition
   * names a true column too: Spark refuses queries that need nothing but the corrupt one.
   */
  static Dataset<Row> guard(Dataset<Row> raw) {
    Column anyCell = TableSource.column(raw.columns()[0]);
    Column fault = raise_error(when(anyCell.isNull(), lit(MARK)).otherwise(lit(MARK + ".")));
    return raw.filter(when(col(COLUMN).isNull(), lit(true)).otherwise(fault.cast("boolean")))
        .drop(COLUMN);
  }

  /** Whether a pass over guarded rows failed at a corrupt line. */
  static boolean stopped(Throwable fault) {
    for (Throwable t = fault; t != null; t = t.getCause()) {
      if (t.getMessage() != null && t.getMessage().contains(MARK)) {
        return true;
      }
    }
    return false;
  }

  /** Counts the corrupt lines of unguarded rows: one small answer a partition. */
  static CorruptLines count(Dataset<Row> raw) {
    int corrupt = raw.schema().fieldIndex(COLUMN);
    List<long[]> parts =
        raw.mapPartitions(
                (MapPartitionsFunction<Row, long[]>)
                    rows -> List.of(scan(rows, corrupt)).iterator(),
                Encoders.kryo(long[].class))
            .collectAsList();
    long lines = 0;
    long before = 0;
    long firstRow = 0;
    for (long[] part : parts) {
      if (lines == 0 && part[1] > 0) {
        firstRow = before + part[2];
      }
      before += part[0];
      lines += part[1];
    }
    return new CorruptLines(lines, firstRow);
  }

  /** Rows, corrupt ones, and the number of the first corrupt one. */
  private static long[] scan(Iterator<Row> rows, int corrupt) {
    long[] counts = new long[3];
    while (rows.hasNext()) {
      counts[0]++;
      if (!rows.next().isNullAt(corrupt)) {
        counts[1]++;
        counts[2] = counts[2] == 0 ? counts[0] : counts[2];
      }
    }
    return counts;
  }
}
