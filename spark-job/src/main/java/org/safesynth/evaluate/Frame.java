package org.safesynth.evaluate;

import java.util.List;

/**
 * A sample of a table in memory, column by column. Its rows are in the order of a keyed hash of
 * what they hold: the same sample, in the same order, however Spark cut the table.
 */
public record Frame(int rows, List<FrameColumn> columns) {
  public Frame {
    columns = List.copyOf(columns);
    for (FrameColumn column : columns) {
      if (column.rows() != rows) {
        throw new IllegalArgumentException(
            "column '%s' has %d rows, its table %d".formatted(column.name(), column.rows(), rows));
      }
    }
  }

  public FrameColumn column(int index) {
    return columns.get(index);
  }

  /** The rows at the given places, in this order. */
  public Frame rows(int[] places) {
    return new Frame(places.length, columns.stream().map(c -> c.rows(places)).toList());
  }

  /** The first rows: a uniform sample, since the order is a hash's. */
  public Frame head(int count) {
    if (count >= rows) {
      return this;
    }
    int[] places = new int[count];
    for (int i = 0; i < count; i++) {
      places[i] = i;
    }
    return rows(places);
  }
}
