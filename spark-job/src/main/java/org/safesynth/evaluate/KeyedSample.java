package org.safesynth.evaluate;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.safesynth.random.KeyedPermutation;

/**
 * Draws from each table the rows whose identities come first: an identity is the keyed hash of what
 * a row holds and of its number among equal rows, so that a sample depends on the table and on
 * nothing that Spark decides.
 */
final class KeyedSample implements Serializable {
  private static final double SLACK_DEVIATIONS = 8;
  private static final double CELLS_AT_ONCE = 2e6;

  private final long key;

  KeyedSample(long key) {
    this.key = key;
  }

  /** The first rows of a table by identity, in this order. */
  Frame draw(Contents contents, Side side, int rows) {
    long total = contents.count(side);
    long wanted = Math.min(rows, total);
    double expected = wanted + SLACK_DEVIATIONS * (Math.sqrt(wanted) + 1);
    while (true) {
      long threshold = threshold(expected, total);
      List<Drawn> drawn = collect(contents, side, threshold, expected);
      if (drawn.size() >= wanted) {
        return frame(contents, side, drawn, (int) wanted);
      }
      expected *= 2; // the odds are below 1e-12; a table of few rows may need it
    }
  }

  /** The identity below which about {@code expected} of {@code total} rows lie. */
  static long threshold(double expected, long total) {
    return expected >= total
        ? Long.MAX_VALUE
        : (long) (expected / total * 0x1p64 - 0x1p63); // identities are uniform over all longs
  }

  private record Drawn(long identity, Object[] cells) implements Serializable {}

  private List<Drawn> collect(Contents contents, Side side, long threshold, double expected) {
    int[] fields = contents.fields(side);
    FlatMapFunction<Row, Drawn> pick =
        row -> {
          long copies = row.getLong(side.ordinal());
          return copies == 0 ? List.<Drawn>of().iterator() : picked(row, fields, copies, threshold);
        };
    List<Drawn> drawn = new ArrayList<>();
    JavaRDD<Drawn> picked = contents.rows().javaRDD().flatMap(pick);
    if (expected * fields.length <= CELLS_AT_ONCE) {
      drawn.addAll(picked.collect());
    } else {
      // One partition after the other: a task's result is bounded, and so is what is in flight.
      picked.toLocalIterator().forEachRemaining(drawn::add);
    }
    drawn.sort((a, b) -> Long.compare(a.identity, b.identity));
    return drawn;
  }

  private Iterator<Drawn> picked(Row row, int[] fields, long copies, long threshold) {
    Object[] cells = new Object[fields.length];
    for (int c = 0; c < fields.length; c++) {
      cells[c] = row.get(fields[c]);
    }
    long content = content(cells);
    List<Drawn> picked = new ArrayList<>();
    for (long copy = 0; copy < copies; copy++) {
      long identity = KeyedPermutation.mix(content + KeyedPermutation.mix(copy + key));
      if (identity <= threshold) {
        picked.add(new Drawn(identity, cells));
      }
    }
    return picked.iterator();
  }

  private long content(Object[] cells) {
    long h = KeyedPermutation.mix(key);
    for (Object cell : cells) {
      long value =
          cell == null
              ? 1
              : cell instanceof Double number
                  ? Double.doubleToLongBits(number)
                  : ofText((String) cell);
      h = KeyedPermutation.mix(h * 0x9e3779b97f4a7c15L + value);
    }
    return h;
  }

  private static long ofText(String text) {
    long h = 0xcbf29ce484222325L; // FNV-1a over the characters
    for (int i = 0; i < text.length(); i++) {
      h = (h ^ text.charAt(i)) * 0x100000001b3L;
    }
    return h + text.length();
  }

  private static Frame frame(Contents contents, Side side, List<Drawn> drawn, int rows) {
    List<FrameColumn> columns = new ArrayList<>();
    List<SharedColumns.Pair> pairs = contents.shared().columns();
    for (int c = 0; c < pairs.size(); c++) {
      SharedColumns.Pair pair = pairs.get(c);
      Storage storage = side == Side.SYNTHETIC ? pair.synthetic() : pair.reference();
      if (storage.isNumber()) {
        double[] numbers = new double[rows];
        Arrays.fill(numbers, Double.NaN);
        for (int row = 0; row < rows; row++) {
          Object cell = drawn.get(row).cells[c];
          numbers[row] = cell == null ? Double.NaN : (Double) cell;
        }
        columns.add(FrameColumn.ofNumbers(pair.name(), storage, numbers));
      } else {
        String[] texts = new String[rows];
        for (int row = 0; row < rows; row++) {
          texts[row] = (String) drawn.get(row).cells[c];
        }
        columns.add(FrameColumn.ofTexts(pair.name(), storage, texts));
      }
    }
    return new Frame(rows, columns);
  }
}
