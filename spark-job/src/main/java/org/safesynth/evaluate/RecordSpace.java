package org.safesynth.evaluate;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;

/**
 * Rows as points whose distance is the sum over the columns of 0 (equal) to 1: numbers by the
 * difference of their ranks among the real ones, texts by being equal or not; a missing value
 * against one that is there counts half or more.
 */
final class RecordSpace implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Distances are rounded to this part of a column. */
  private static final double GRID = 1e9;

  private final int[] fields; // (columns) of a row of the whole tables
  private final double[][] ranks; // (columns) sorted real numbers; null for texts
  private final Points synthetic;
  private final Points unseen;
  private final List<Map<String, Integer>>
      codes; // (columns) of the queries' texts; null for numbers

  private RecordSpace(
      int[] fields,
      double[][] ranks,
      Points synthetic,
      Points unseen,
      List<Map<String, Integer>> codes) {
    this.fields = fields;
    this.ranks = ranks;
    this.synthetic = synthetic;
    this.unseen = unseen;
    this.codes = codes;
  }

  /**
   * The space of a real sample.
   *
   * @param fields where the columns are in a row of the whole tables
   */
  static RecordSpace of(Frame real, int[] fields) {
    int columns = real.columns().size();
    double[][] ranks = new double[columns][];
    List<Map<String, Integer>> codes = new ArrayList<>();
    for (int c = 0; c < columns; c++) {
      boolean isNumber = real.column(c).isNumber();
      ranks[c] = isNumber ? real.column(c).sortedNumbers() : null;
      codes.add(isNumber ? null : new HashMap<>());
    }
    return new RecordSpace(fields.clone(), ranks, Points.none(), Points.none(), codes);
  }

  /**
   * Points of a table.
   *
   * @param numbers (rows, columns) rank of a number, NaN when missing or not a number
   * @param texts (rows, columns) code of a text, −1 when missing, −2 for a text where the real
   *     column has numbers
   */
  record Points(double[][] numbers, int[][] texts) implements Serializable {
    static Points none() {
      return new Points(new double[0][], new int[0][]);
    }
  }

  /** The points of a sample, whose texts are learned by the way. */
  Points points(Frame frame) {
    int columns = ranks.length;
    double[][] numbers = new double[frame.rows()][columns];
    int[][] texts = new int[frame.rows()][columns];
    for (int row = 0; row < frame.rows(); row++) {
      for (int c = 0; c < columns; c++) {
        FrameColumn column = frame.column(c);
        numbers[row][c] = Double.NaN;
        texts[row][c] = -1;
        if (column.isMissing(row)) {
          continue;
        }
        if (ranks[c] == null) {
          Map<String, Integer> known = codes.get(c);
          texts[row][c] = known.computeIfAbsent(column.text(row), text -> known.size());
        } else if (column.isNumber()) {
          numbers[row][c] = rank(ranks[c], column.number(row));
        } else {
          texts[row][c] = -2;
        }
      }
    }
    return new Points(numbers, texts);
  }

  /** The space with the points that are looked up. */
  RecordSpace withQueries(Points made, Points unseenRows) {
    return new RecordSpace(fields, ranks, made, unseenRows, codes);
  }

  int syntheticQueries() {
    return synthetic.numbers.length;
  }

  int queries() {
    return synthetic.numbers.length + unseen.numbers.length;
  }

  /** The middle of a value's places among sorted ones, as a share. */
  private static double rank(double[] sorted, double value) {
    return sorted.length == 0
        ? 0.5
        : (places(sorted, value, false) + places(sorted, value, true)) / (2.0 * sorted.length);
  }

  private static int places(double[] sorted, double value, boolean withEqual) {
    int low = 0;
    int high = sorted.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (sorted[middle] < value || (withEqual && sorted[middle] == value)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** A distance as a number of columns. */
  static double distance(long onGrid) {
    return onGrid / GRID;
  }

  /** Compares the rows of a partition with all queries. */
  Reader reader() {
    return new Reader();
  }

  final class Reader {
    private final double[] numbers = new double[ranks.length];
    private final int[] texts = new int[ranks.length];

    /** Takes a row of the whole tables. */
    void read(Row row) {
      for (int c = 0; c < ranks.length; c++) {
        Object cell = row.get(fields[c]);
        numbers[c] = Double.NaN;
        texts[c] = -1;
        if (cell instanceof Double number) {
          numbers[c] = rank(ranks[c], number);
        } else if (cell != null) {
          texts[c] = codes.get(c).getOrDefault(cell, Integer.MAX_VALUE);
        }
      }
    }

    /** Compares the row with as many queries as there are results. */
    void search(NearestTwo nearest, long copies) {
      int made = Math.min(synthetic.numbers.length, nearest.queries());
      for (int q = 0; q < made; q++) {
        compare(nearest, q, synthetic.numbers[q], synthetic.texts[q], copies);
      }
      for (int q = made; q < nearest.queries(); q++) {
        compare(nearest, q, unseen.numbers[q - made], unseen.texts[q - made], copies);
      }
    }

    private void compare(
        NearestTwo nearest, int query, double[] queryNumbers, int[] queryTexts, long copies) {
      double limit =
          nearest.second(query) == Long.MAX_VALUE
              ? Double.POSITIVE_INFINITY
              : (nearest.second(query) + 1) / GRID;
      double sum = 0;
      for (int c = 0; c < numbers.length; c++) {
        sum +=
            ranks[c] == null
                ? queryTexts[c] == texts[c] ? 0 : 1
                : difference(queryNumbers[c], queryTexts[c], numbers[c]);
        if (sum > limit) {
          return;
        }
      }
      nearest.add(query, Math.round(sum * GRID), copies);
    }

    private double difference(double query, int queryText, double value) {
      if (queryText == -2) {
        return 1;
      }
      boolean isMissing = Double.isNaN(query);
      if (isMissing || Double.isNaN(value)) {
        boolean bothMissing = isMissing && Double.isNaN(value);
        return bothMissing ? 0 : 0.5 + Math.abs(0.5 - (isMissing ? value : query));
      }
      return Math.abs(query - value);
    }
  }
}
