package org.safesynth.evaluate;

import java.io.Serializable;
import java.util.Iterator;

/**
 * How many real and how many synthetic rows fall into each cell: exact, so that sums do not depend
 * on the order in which partitions are added.
 */
final class CellCounts implements Serializable {
  private static final long serialVersionUID = 1L;

  private final Side real;
  private final Side synthetic;

  private CellCounts(Side real, Side synthetic) {
    this.real = real;
    this.synthetic = synthetic;
  }

  static CellCounts none() {
    return new CellCounts(Side.EMPTY, Side.EMPTY);
  }

  static CellCounts ofReal(CellLayout layout, Iterator<int[]> rows) {
    return new CellCounts(Side.of(layout, rows), Side.EMPTY);
  }

  static CellCounts ofSynthetic(CellLayout layout, Iterator<int[]> rows) {
    return new CellCounts(Side.EMPTY, Side.of(layout, rows));
  }

  /** Adds the other's counts to this; neither may be used alone afterwards. */
  CellCounts plus(CellCounts other) {
    return new CellCounts(real.plus(other.real), synthetic.plus(other.synthetic));
  }

  long realRows() {
    return real.rows;
  }

  long syntheticRows() {
    return synthetic.rows;
  }

  /** One less the total variation distance of the two tables over a range of cells: 1 is equal. */
  double similarity(int start, int end) {
    double distance = 0;
    for (int cell = start; cell < end; cell++) {
      double share = (double) real.cells[cell] / real.rows;
      double syntheticShare = (double) synthetic.cells[cell] / synthetic.rows;
      distance += Math.abs(share - syntheticShare);
    }
    return 1 - distance / 2;
  }

  /** Counts of one table; without rows no array is held or sent. */
  private static final class Side implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final Side EMPTY = new Side(0, new long[0]);

    private final long rows;
    private final long[] cells; // (layout's size)

    private Side(long rows, long[] cells) {
      this.rows = rows;
      this.cells = cells;
    }

    private static Side of(CellLayout layout, Iterator<int[]> rows) {
      if (!rows.hasNext()) {
        return EMPTY;
      }
      long[] cells = new long[layout.size()];
      int[] folded = new int[layout.columns()];
      long number = 0;
      while (rows.hasNext()) {
        layout.count(rows.next(), cells, folded);
        number++;
      }
      return new Side(number, cells);
    }

    private Side plus(Side other) {
      if (rows == 0) {
        return other;
      }
      if (other.rows > 0) {
        for (int cell = 0; cell < cells.length; cell++) {
          cells[cell] += other.cells[cell];
        }
      }
      return new Side(rows + other.rows, cells);
    }
  }
}
