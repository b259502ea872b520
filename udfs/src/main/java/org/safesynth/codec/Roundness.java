package org.safesynth.codec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * Tells how round the numbers of a table are, in cells that are chosen from the domain alone, so
 * that noisy counts of them say what digits may be written where a public grid ({@link
 * DomainCodec}) knows no more than a range: a table of whole numbers that are kept as decimals, or
 * of prices that end in 0 or 5, is no table of random digits.
 *
 * <p>Each column of numbers whose grid has cells of several ticks is a position, and a token is the
 * number of a value's digits with the greatest step of a ladder (1, 5, 10, 50, …) that divides it.
 * Larger numbers are rounder ones, so the digits are kept apart. Missing values have a token of
 * their own.
 */
public final class Roundness implements RecordEncoder {
  /** Sizes of numbers with fewer records than this many standard deviations of noise. */
  private static final double UNCLEAR = 20;

  private final List<Rounded> columns = new ArrayList<>();

  /**
   * A column that is looked at.
   *
   * @param sizes of numbers that are told apart
   * @param steps ascending, each dividing the next
   */
  private record Rounded(int column, long min, long max, int sizes, long[] steps)
      implements java.io.Serializable {
    int tokens() {
      return sizes * steps.length + 1;
    }

    int token(Object value) {
      if (value == null) {
        return tokens() - 1;
      }
      long tick = Math.max(min, Math.min(max, (Long) value));
      return Math.min(sizes - 1, size(tick)) * steps.length + RoundSteps.level(steps, tick);
    }
  }

  /**
   * Looks at the domain.
   *
   * @param schema whose columns of numbers have a least and a greatest value
   */
  public Roundness(FrozenSchema schema) {
    for (int c = 0; c < schema.columns().size(); c++) {
      ColumnSchema column = schema.columns().get(c);
      if (column.kind().isNumeric()) {
        long[] steps = steps(column);
        if (PublicGrid.lows(column.min(), column.max()).length <= column.max() - column.min()
            && steps.length > 1) {
          int sizes = isTime(column) ? 1 : 1 + size(Math.max(abs(column.min()), abs(column.max())));
          columns.add(new Rounded(c, column.min(), column.max(), sizes, steps));
        }
      }
    }
  }

  private static boolean isTime(ColumnSchema column) {
    return column.kind() == ColumnKind.DATE || column.kind() == ColumnKind.TIMESTAMP;
  }

  /** The steps that a number of the column's range can have. */
  private static long[] steps(ColumnSchema column) {
    long[] all = NumberFit.ladder(column);
    double span = (double) column.max() - column.min();
    return Arrays.stream(all).filter(step -> step == 1 || step <= span).toArray();
  }

  private static long abs(long tick) {
    return tick == Long.MIN_VALUE ? Long.MAX_VALUE : Math.abs(tick);
  }

  /** Digits of a number, 0 for 0. */
  static int size(long tick) {
    int digits = 0;
    for (long left = abs(tick); left > 0; left /= 10) {
      digits++;
    }
    return digits;
  }

  @Override
  public int positions() {
    return columns.size();
  }

  @Override
  public int vocabularySize(int position) {
    return columns.get(position).tokens();
  }

  @Override
  public void encode(Object[] cells, int[] tokens) {
    for (int i = 0; i < tokens.length; i++) {
      Rounded rounded = columns.get(i);
      tokens[i] = rounded.token(cells[rounded.column()]);
    }
  }

  /**
   * How round the numbers of each size are.
   *
   * @param counts (positions, tokens) noisy, none negative; null where none were taken
   * @param sigma standard deviation of their noise
   * @return (columns of the schema) for each size of numbers; null for a column that is not looked
   *     at
   */
  List<List<RoundSteps>> of(int columnsOfSchema, double[][] counts, double sigma) {
    List<List<RoundSteps>> of = new ArrayList<>();
    for (int c = 0; c < columnsOfSchema; c++) {
      of.add(null);
    }
    for (int i = 0; counts != null && i < counts.length; i++) {
      Rounded rounded = columns.get(i);
      int levels = rounded.steps().length;
      double[] all = new double[levels];
      for (int token = 0; token < counts[i].length - 1; token++) {
        all[token % levels] += counts[i][token];
      }
      if (Arrays.stream(all).sum() > UNCLEAR * sigma) {
        List<RoundSteps> sizes = new ArrayList<>();
        for (int size = 0; size < rounded.sizes(); size++) {
          double[] own = Arrays.copyOfRange(counts[i], size * levels, (size + 1) * levels);
          boolean isClear = Arrays.stream(own).sum() > UNCLEAR * sigma;
          sizes.add(RoundSteps.ofCounts(rounded.steps(), isClear ? own : all));
        }
        of.set(rounded.column(), sizes);
      }
    }
    return of;
  }
}
