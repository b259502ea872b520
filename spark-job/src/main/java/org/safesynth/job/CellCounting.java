package org.safesynth.job;

import java.io.Serializable;
import java.util.List;
import java.util.function.Supplier;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Exact histograms of several columns at once, one cell of each for a row, summed up on the
 * executors.
 */
final class CellCounting {
  /** A row that adds to no cell of a column. */
  static final int NONE = -1;

  private static final int MERGE_DEPTH = 3;

  private CellCounting() {}

  /** Makes a sorter for each task, since sorters hold parsers. */
  interface Rule extends Supplier<Sorter>, Serializable {}

  /** Says into which cell of each column a row falls. */
  interface Sorter {
    void sort(Row row, int[] cells);
  }

  /** Counts (columns, cells). */
  static long[][] of(Dataset<Row> rows, int columns, int cells, Rule rule) {
    return rows.toJavaRDD()
        .mapPartitions(
            part -> {
              Sorter sorter = rule.get();
              long[][] counts = new long[columns][cells];
              int[] of = new int[columns];
              while (part.hasNext()) {
                sorter.sort(part.next(), of);
                for (int c = 0; c < columns; c++) {
                  if (of[c] != NONE) {
                    counts[c][of[c]]++;
                  }
                }
              }
              return List.<long[][]>of(counts).iterator();
            })
        .treeReduce(TokenCounts::sum, MERGE_DEPTH);
  }
}
