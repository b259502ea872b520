package org.safesynth.job;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.safesynth.codec.RecordEncoder;
import org.safesynth.marginal.ChowLiu;

/**
 * Exact counts of tokens, of single positions and of pairs, summed up on the executors. They reach
 * the driver once and leave it with noise only.
 */
final class TokenCounts {
  private static final int MERGE_DEPTH = 3;

  private TokenCounts() {}

  /** Counts of each position of a table (positions, tokens), as a codec encodes its rows. */
  static long[][] ofPositions(
      Dataset<Row> rows, MapFunction<Row, Object[]> cells, RecordEncoder codec) {
    JavaRDD<long[][]> parts =
        rows.toJavaRDD()
            .mapPartitions(
                part -> {
                  long[][] counts = new long[codec.positions()][];
                  for (int t = 0; t < counts.length; t++) {
                    counts[t] = new long[codec.vocabularySize(t)];
                  }
                  int[] tokens = new int[counts.length];
                  while (part.hasNext()) {
                    codec.encode(cells.call(part.next()), tokens);
                    for (int t = 0; t < tokens.length; t++) {
                      counts[t][tokens[t]]++;
                    }
                  }
                  return List.<long[][]>of(counts).iterator();
                });
    return parts.treeReduce(TokenCounts::sum, MERGE_DEPTH);
  }

  /**
   * Counts of each position (positions, tokens) of the records of a table that are learned: those
   * that are not held out.
   *
   * <p>A further record adds one to one token of each position, or nothing: equal records are
   * numbered, and it takes the number after theirs, so that no other changes sides.
   */
  static long[][] ofTrained(
      Dataset<Row> rows,
      MapFunction<Row, Object[]> cells,
      RecordEncoder codec,
      RecordIdentity identity,
      PrivateUnits units) {
    if (units.heldOutShare() == 0) {
      return ofPositions(rows, cells, codec);
    }
    EncodeStage.requireShortTokens(codec);
    int[] sizes = new int[codec.positions()];
    Arrays.setAll(sizes, codec::vocabularySize);
    int[] oneShard = {0};
    return EncodeStage.identified(rows, cells, EncodedRows.fixed(codec), identity, oneShard)
        .filter(functions.col("id_high").geq(units.threshold()))
        .select("tokens")
        .toJavaRDD()
        .mapPartitions(part -> countEach(part, sizes))
        .treeReduce(TokenCounts::sum, MERGE_DEPTH);
  }

  private static Iterator<long[][]> countEach(Iterator<Row> part, int[] sizes) {
    long[][] counts = new long[sizes.length][];
    Arrays.setAll(counts, t -> new long[sizes[t]]);
    int[] tokens = new int[sizes.length];
    while (part.hasNext()) {
      read(part.next(), tokens);
      for (int t = 0; t < tokens.length; t++) {
        counts[t][tokens[t]]++;
      }
    }
    return List.<long[][]>of(counts).iterator();
  }

  private static void read(Row example, int[] tokens) {
    ByteBuffer record = ByteBuffer.wrap(example.<byte[]>getAs(0)).order(ByteOrder.LITTLE_ENDIAN);
    for (int t = 0; t < tokens.length; t++) {
      tokens[t] = Short.toUnsignedInt(record.getShort(t * Short.BYTES));
    }
  }

  /**
   * Counts of every pair of positions (pairs (0,1), (0,2), …; tokens of the first · tokens of the
   * second).
   *
   * @param examples rows whose first column is a record's tokens
   */
  static long[][] ofPairs(Dataset<Row> examples, int[] sizes) {
    return examples
        .toJavaRDD()
        .mapPartitions(part -> countPairs(part, sizes))
        .treeReduce(TokenCounts::sum, MERGE_DEPTH);
  }

  private static Iterator<long[][]> countPairs(Iterator<Row> part, int[] sizes) {
    int positions = sizes.length;
    long[][] counts = new long[positions * (positions - 1) / 2][];
    for (int i = 0, k = 0; i < positions; i++) {
      for (int j = i + 1; j < positions; j++) {
        counts[k++] = new long[sizes[i] * sizes[j]];
      }
    }
    int[] tokens = new int[positions];
    while (part.hasNext()) {
      read(part.next(), tokens);
      for (int i = 0, k = 0; i < positions; i++) {
        for (int j = i + 1; j < positions; j++) {
          counts[k++][tokens[i] * sizes[j] + tokens[j]]++;
        }
      }
    }
    return List.<long[][]>of(counts).iterator();
  }

  /**
   * Counts of each position (positions, tokens), from those of all pairs; two positions or more.
   */
  static long[][] ofPositions(long[][] pairs, int[] sizes) {
    long[][] ones = new long[sizes.length][];
    for (int t = 0; t < sizes.length; t++) {
      ones[t] = new long[sizes[t]];
      boolean isFirst = t + 1 < sizes.length;
      int other = isFirst ? t + 1 : t - 1;
      long[] pair = pairs[ChowLiu.index(sizes.length, Math.min(t, other), Math.max(t, other))];
      int width = isFirst ? sizes[other] : sizes[t];
      for (int i = 0; i < pair.length; i++) {
        ones[t][isFirst ? i / width : i % width] += pair[i];
      }
    }
    return ones;
  }

  /** Cells of all pairs of positions. */
  static long cellsOfPairs(int[] sizes) {
    long cells = 0;
    long before = 0;
    for (int size : sizes) {
      cells += before * size;
      before += size;
    }
    return cells;
  }

  static long[][] sum(long[][] a, long[][] b) {
    for (int t = 0; t < a.length; t++) {
      for (int i = 0; i < a[t].length; i++) {
        a[t][i] += b[t][i];
      }
    }
    return a;
  }
}
