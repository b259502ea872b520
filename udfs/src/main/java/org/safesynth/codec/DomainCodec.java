package org.safesynth.codec;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * Encodings that come from a schema's domain and from noisy counts alone, for private training: no
 * exact statistic of a table reaches them.
 *
 * <p>A column is one token: a category's value, then "other" for all that is not declared, then
 * "missing"; a number's bin of a public grid. Free text is a row of single characters of a public
 * alphabet.
 */
public final class DomainCodec {
  private static final int MOST_TEXT_POSITIONS = 24;
  private static final int LEAST_BINS = 8;

  private DomainCodec() {}

  /** One token a cell of the public grids: what the first noisy counts are taken of. */
  public static FieldCodec fine(FrozenSchema schema) {
    List<ColumnCodec> columns = new ArrayList<>();
    for (ColumnSchema column : schema.columns()) {
      columns.add(isNumber(column) ? grid(column) : ofDomain(column));
    }
    return new FieldCodec(columns);
  }

  /**
   * The encoding to train on: numbers in quantile bins of noisy counts.
   *
   * @param counts (fine positions, tokens) not below 0, as {@link #fine} encodes; null where no
   *     counts were taken
   * @param bins about how many bins a number has
   */
  public static FieldCodec binned(FrozenSchema schema, double[][] counts, int bins) {
    return binned(schema, counts, bins, new Roundness(schema), null, 0);
  }

  /**
   * The same with what is known of the roundness of numbers.
   *
   * @param rounds (positions, tokens) noisy counts of {@code roundness}, none negative; null where
   *     none were taken
   * @param sigma standard deviation of their noise
   */
  public static FieldCodec binned(
      FrozenSchema schema,
      double[][] counts,
      int bins,
      Roundness roundness,
      double[][] rounds,
      double sigma) {
    List<List<RoundSteps>> rounding = roundness.of(schema.columns().size(), rounds, sigma);
    FieldCodec fine = fine(schema);
    List<ColumnCodec> columns = new ArrayList<>();
    for (int c = 0; c < schema.columns().size(); c++) {
      ColumnSchema column = schema.columns().get(c);
      if (isNumber(column)) {
        double[] of = counts == null ? null : counts[fine.firstPosition(c)];
        columns.add(binned((CellBinsColumn) grid(column), of, bins, rounding.get(c)));
      } else {
        columns.add(ofDomain(column));
      }
    }
    return new FieldCodec(columns);
  }

  /**
   * Noisy counts of {@link #fine} as counts of {@link #binned}.
   *
   * @param counts (fine positions, tokens)
   */
  public static double[][] inBins(FrozenSchema schema, FieldCodec binned, double[][] counts) {
    double[][] sums = new double[counts.length][];
    for (int t = 0; t < counts.length; t++) {
      ColumnCodec codec = binned.column(binned.columnOf(t));
      sums[t] = codec instanceof CellBinsColumn bins ? bins.sums(counts[t]) : counts[t].clone();
    }
    return sums;
  }

  /**
   * The mean tick of a column of numbers, from noisy counts of {@link #fine}; 0 where they count
   * nothing.
   */
  public static double mean(FrozenSchema schema, double[][] counts, int column) {
    CellBinsColumn grid = (CellBinsColumn) grid(schema.columns().get(column));
    double[] of = counts[fine(schema).firstPosition(column)];
    double sum = 0;
    double all = 0;
    for (int cell = 0; cell < grid.lows().length; cell++) {
      sum += of[cell] * grid.middle(cell);
      all += of[cell];
    }
    return all > 0 ? sum / all : 0;
  }

  private static boolean isNumber(ColumnSchema column) {
    return column.kind().isNumeric();
  }

  private static ColumnCodec grid(ColumnSchema column) {
    long[] lows = PublicGrid.lows(column.min(), column.max());
    int[] each = java.util.stream.IntStream.range(0, lows.length).toArray();
    double[] weights = new double[lows.length];
    return new CellBinsColumn(lows, column.max(), each, weights, column.missing(), null);
  }

  private static ColumnCodec binned(
      CellBinsColumn grid, double[] counts, int bins, List<RoundSteps> rounding) {
    int cells = grid.lows().length;
    double[] weights = new double[cells];
    double total = 0;
    for (int cell = 0; cell < cells; cell++) {
      weights[cell] = counts == null ? 1 : Math.max(0, counts[cell]);
      total += weights[cell];
    }
    List<Integer> first = new ArrayList<>();
    double most = total / Math.max(LEAST_BINS, bins);
    double open = 0; // weight of the bin that is being filled
    for (int cell = 0; cell < cells; cell++) {
      boolean spike = weights[cell] > most;
      if (cell == 0 || spike || open + weights[cell] / 2 > most) {
        first.add(cell);
        open = 0;
      }
      open = spike ? Double.POSITIVE_INFINITY : open + weights[cell];
    }
    return new CellBinsColumn(
        grid.lows(),
        grid.high(),
        first.stream().mapToInt(Integer::intValue).toArray(),
        weights,
        grid.missing(),
        rounding);
  }

  private static ColumnCodec ofDomain(ColumnSchema column) {
    return switch (column.kind()) {
      case BOOLEAN -> new TextSetColumn(List.of("false", "true"), true, column.missing());
      case TEXT ->
          new TextColumn(
              printable(),
              Math.max(1, Math.min(MOST_TEXT_POSITIONS, column.maxLength())),
              column.missing());
      case IDENTIFIER -> identifier(column);
      default -> new TextSetColumn(column.values(), true, column.missing());
    };
  }

  /** Fresh numbers as long as the declared length: nothing of a real identifier is learned. */
  private static ColumnCodec identifier(ColumnSchema column) {
    if (column.isNumericIdentifier()) {
      long last = column.max() == null ? 0 : column.max();
      return new IdentifierColumn(last, List.of(), column.missing(), 0);
    }
    List<String> digits = new ArrayList<>(Collections.nCopies(column.maxLength() + 1, "0"));
    return new IdentifierColumn(
        null, List.of(new IdentifierColumn.Form(digits, true)), column.missing(), 0);
  }

  private static List<String> printable() {
    List<String> characters = new ArrayList<>();
    for (char c = ' '; c <= '~'; c++) {
      characters.add(String.valueOf(c));
    }
    return characters;
  }

  /** Whether {@link #fine} and {@link #binned} can encode the column from its domain. */
  public static boolean isDeclared(ColumnSchema column) {
    if (isNumber(column)) {
      return column.min() != null && column.max() != null;
    }
    return switch (column.kind()) {
      case BOOLEAN -> true;
      case TEXT -> column.maxLength() > 0;
      case IDENTIFIER -> column.isNumericIdentifier() || column.maxLength() > 0;
      default -> column.values() != null && !column.values().isEmpty();
    };
  }

  /** What {@link #isDeclared} misses, for an error. */
  public static String needs(ColumnSchema column) {
    if (isNumber(column)) {
      return "min and max";
    }
    return column.kind() == ColumnKind.CATEGORICAL ? "values" : "max_length";
  }
}
