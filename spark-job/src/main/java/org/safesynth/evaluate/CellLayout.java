package org.safesynth.evaluate;

import java.io.Serializable;
import java.util.List;

/**
 * Where the one-way and two-way counts of a table lie in one array, within a fixed budget of cells
 * however many columns and codes there are.
 *
 * <p>Codes beyond a limit are folded by order: code c of k goes to cell c·m/k of m. Pairs are taken
 * by distance: all neighbours first, then columns two apart, and so on, so that each column is in
 * some pair before the limit is reached.
 */
final class CellLayout implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Most cells of one column's own counts. */
  static final int COLUMN_CELLS = 1_000;

  /** Most cells of a column within a pair: with two of them a pair has at most 400. */
  static final int PAIR_SIDE = 20;

  /** Most pairs: all those of 50 columns. */
  static final int PAIRS = 1_225;

  private final List<CodedColumn> columns;
  private final int[] cells; // (columns) cells of a column alone
  private final int[] offsets; // (columns) where they begin
  private final int[] sides; // (columns) cells of a column within a pair
  private final int[] firsts; // (pairs) index of the column on the left
  private final int[] seconds; // (pairs) index of the column on the right
  private final int[] pairOffsets; // (pairs) where a pair's cells begin
  private final int size;

  CellLayout(List<CodedColumn> columns) {
    this.columns = List.copyOf(columns);
    int width = columns.size();
    cells = new int[width];
    offsets = new int[width];
    sides = new int[width];
    int next = 0;
    for (int column = 0; column < width; column++) {
      int codes = columns.get(column).codes();
      cells[column] = Math.min(codes, COLUMN_CELLS);
      sides[column] = Math.min(codes, PAIR_SIDE);
      offsets[column] = next;
      next += cells[column];
    }
    int pairs = (int) Math.min(PAIRS, (long) width * (width - 1) / 2);
    firsts = new int[pairs];
    seconds = new int[pairs];
    pairOffsets = new int[pairs];
    int pair = 0;
    for (int distance = 1; pair < pairs; distance++) {
      for (int first = 0; first + distance < width && pair < pairs; first++, pair++) {
        firsts[pair] = first;
        seconds[pair] = first + distance;
        pairOffsets[pair] = next;
        next += sides[first] * sides[first + distance];
      }
    }
    size = next;
  }

  /** Number of cells in all. */
  int size() {
    return size;
  }

  int columns() {
    return cells.length;
  }

  int pairs() {
    return firsts.length;
  }

  String columnName(int column) {
    return columns.get(column).name();
  }

  int first(int pair) {
    return firsts[pair];
  }

  int second(int pair) {
    return seconds[pair];
  }

  int columnStart(int column) {
    return offsets[column];
  }

  int columnEnd(int column) {
    return offsets[column] + cells[column];
  }

  int pairStart(int pair) {
    return pairOffsets[pair];
  }

  int pairEnd(int pair) {
    return pairOffsets[pair] + sides[firsts[pair]] * sides[seconds[pair]];
  }

  /**
   * Adds one row.
   *
   * @param codes (columns) the row
   * @param counts (size) where it is counted
   * @param folded (columns) room to work in, overwritten
   */
  void count(int[] codes, long[] counts, int[] folded) {
    if (codes.length != cells.length) {
      throw new IllegalArgumentException(
          "a row has " + codes.length + " codes, the table " + cells.length + " columns");
    }
    for (int column = 0; column < cells.length; column++) {
      int code = codes[column];
      int known = columns.get(column).codes();
      if (code < 0 || code >= known) {
        throw new IllegalArgumentException(
            "column '" + columnName(column) + "' has codes below " + known + ", a row " + code);
      }
      counts[offsets[column] + fold(code, known, cells[column])]++;
      folded[column] = fold(code, known, sides[column]);
    }
    for (int pair = 0; pair < firsts.length; pair++) {
      int second = seconds[pair];
      counts[pairOffsets[pair] + folded[firsts[pair]] * sides[second] + folded[second]]++;
    }
  }

  private static int fold(int code, int known, int cells) {
    return known == cells ? code : (int) ((long) code * cells / known);
  }
}
