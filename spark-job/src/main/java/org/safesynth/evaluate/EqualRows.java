package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Finds rows that are equal in every column: numbers as numbers, missing equal to missing. */
final class EqualRows {
  private EqualRows() {}

  /** Number of distinct rows that both samples hold. */
  static long distinctShared(Frame a, Frame b) {
    Set<List<Object>> rows = new HashSet<>();
    for (int row = 0; row < a.rows(); row++) {
      rows.add(cells(a, row));
    }
    Set<List<Object>> found = new HashSet<>();
    for (int row = 0; row < b.rows(); row++) {
      List<Object> cells = cells(b, row);
      if (rows.contains(cells)) {
        found.add(cells);
      }
    }
    return found.size();
  }

  /** What a row holds, comparable with equals. */
  static List<Object> cells(Frame frame, int row) {
    List<Object> cells = new ArrayList<>(frame.columns().size());
    for (FrameColumn column : frame.columns()) {
      cells.add(column.isNumber() ? (Object) column.number(row) : column.text(row));
    }
    return cells;
  }
}
