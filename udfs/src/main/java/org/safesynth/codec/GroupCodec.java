package org.safesynth.codec;

import java.io.Serializable;
import java.util.random.RandomGenerator;

/** Rows of groups as tokens, and back: what {@link FieldCodec} is for single rows. */
public final class GroupCodec implements Serializable {
  /** What a row says of its group's end. */
  public enum End {
    GOES_ON("false"),
    LAST("true"),
    /** Rows after it were left out; for codecs whose last column has a token for the unknown. */
    CUT("cut");

    private final String text;

    End(String text) {
      this.text = text;
    }
  }

  private final FieldCodec fields;
  private final GroupLayout layout;
  private final boolean[] onlyFirst; // (positions)
  private final boolean[] neverFirst; // (positions)
  private final int[] start; // (positions) of the time at which every series starts, or null

  /**
   * Takes a fitted codec.
   *
   * @param fields of {@link GroupLayout#derived}
   */
  public GroupCodec(FieldCodec fields, GroupLayout layout) {
    this.fields = fields;
    this.layout = layout;
    this.onlyFirst = new boolean[fields.positions()];
    this.neverFirst = new boolean[fields.positions()];
    for (int c = 0; c < layout.constant().length; c++) {
      if (c != layout.orderColumn() && layout.constant()[c]) {
        mark(onlyFirst, layout.derivedColumn(c));
      }
    }
    if (layout.isOrdered()) {
      mark(onlyFirst, layout.firstColumn());
      mark(neverFirst, layout.stepColumn());
    }
    this.start = start();
  }

  private int[] start() {
    if (layout.series() == null || layout.series().start() == null) {
      return null;
    }
    int[] tokens = new int[fields.positions()];
    fields.encode(layout.firstColumn(), layout.series().start(), tokens);
    return tokens;
  }

  /** Whether a position tells when a series starts and all start at a known time. */
  public boolean isOfKnownStart(int position) {
    return start != null && fields.columnOf(position) == layout.firstColumn();
  }

  /** What a position of {@link #isOfKnownStart} holds, the nearest that the model knows. */
  public int startToken(int position) {
    return start[position];
  }

  /** The position that tells whether a parent has children; -1 where groups are no parents. */
  public int markerPosition() {
    return layout.parent() == null ? -1 : fields.firstPosition(layout.parent().marker());
  }

  /** The token of {@link #markerPosition} that says "none": nothing behind it is drawn. */
  public static int noChildrenToken() {
    return 0;
  }

  private void mark(boolean[] marks, int column) {
    int from = fields.firstPosition(column);
    java.util.Arrays.fill(marks, from, from + fields.positionsOf(column), true);
  }

  public FieldCodec fields() {
    return fields;
  }

  public GroupLayout layout() {
    return layout;
  }

  /** Whether a position is drawn in a group's first row only and known in the others. */
  public boolean isOnlyFirst(int position) {
    return onlyFirst[position];
  }

  /** Whether a position holds in every row what it holds in the group's first. */
  public boolean isConstant(int position) {
    return onlyFirst[position]
        && !(layout.isOrdered() && fields.columnOf(position) == layout.firstColumn());
  }

  /** Whether a position is drawn in every row but a group's first. */
  public boolean isNeverFirst(int position) {
    return neverFirst[position];
  }

  /** Marks of {@link #isOnlyFirst} (positions). */
  public boolean[] onlyFirst() {
    return onlyFirst.clone();
  }

  /** Marks of {@link #isNeverFirst} (positions). */
  public boolean[] neverFirst() {
    return neverFirst.clone();
  }

  /** The token of the last position that ends a group. */
  public int lastToken() {
    return 1;
  }

  /**
   * Writes the tokens of a row.
   *
   * @param cells of the table
   * @param before the order column's tick in the row before; null in a group's first row
   * @param end what is known of the group's end
   */
  public void encode(Object[] cells, Long before, boolean isFirst, End end, int[] tokens) {
    if (layout.isChildless(cells)) {
      for (int t = 0; t < fields.positions(); t++) {
        tokens[t] = restToken(t);
      }
      for (int c = 0; c < layout.parent().columns(); c++) {
        fields.encode(c, cells[c], tokens);
      }
      tokens[fields.positions() - 1] = lastToken();
      return;
    }
    fields.encode(derived(cells, before, isFirst, end), tokens);
  }

  private Object[] derived(Object[] cells, Long before, boolean isFirst, End end) {
    Object[] derived = new Object[fields.columns()];
    for (int c = 0; c < cells.length; c++) {
      if (c != layout.orderColumn()) {
        derived[layout.derivedColumn(c)] = cells[c];
      }
    }
    if (layout.isOrdered()) {
      long tick = (Long) cells[layout.orderColumn()];
      derived[layout.firstColumn()] = isFirst ? (Object) (tick - layout.origin(cells)) : null;
      derived[layout.stepColumn()] = isFirst ? null : (Object) (tick - before);
    }
    derived[derived.length - 1] = end.text;
    return derived;
  }

  /**
   * Reads a row back.
   *
   * @param first the group's first row as it was read; null for the first itself
   * @param before the order column's tick in the row before
   * @param group the group's number: its fresh key is made from it
   * @param row a number that no other row of any group has: from it other fresh keys are made
   */
  public Object[] decode(
      int[] tokens, Object[] first, Long before, long group, long row, RandomGenerator random) {
    Object[] derived = new Object[fields.columns()];
    for (int c = 0; c < derived.length; c++) {
      derived[c] = fields.decode(c, tokens, isOfGroup(c) ? group : row, random);
    }
    Object[] cells = new Object[layout.constant().length];
    if (markerPosition() >= 0 && tokens[markerPosition()] == noChildrenToken()) {
      System.arraycopy(derived, 0, cells, 0, layout.parent().columns());
      return cells;
    }
    for (int c = 0; c < cells.length; c++) {
      if (c == layout.orderColumn()) {
        Long value = (Long) derived[first == null ? layout.firstColumn() : layout.stepColumn()];
        long tick = value == null ? 0 : value;
        cells[c] =
            layout.series() != null ? ofSeries(tick, before) : (Long) after(before, tick, cells);
      } else {
        boolean isKnown = first != null && layout.constant()[c];
        cells[c] = isKnown ? first[c] : derived[layout.derivedColumn(c)];
      }
    }
    return cells;
  }

  /** Whether a column of the model holds what is the same in all rows of a group. */
  private boolean isOfGroup(int derivedColumn) {
    return isConstant(fields.firstPosition(derivedColumn));
  }

  /**
   * A tick that is not before the one it is measured from, and within the last one if it can.
   *
   * @param cells with the parent's, which come first
   */
  private long after(Long before, long step, Object[] cells) {
    if (before == null && (layout.parent() == null || layout.parent().origin() == null)) {
      return Math.min(layout.last(), step);
    }
    long from = before == null ? layout.origin(cells) : before;
    return Math.max(from, Math.min(layout.last(), from + Math.max(0, step)));
  }

  /**
   * Whether a token of a first tick's first position keeps a child within the last tick.
   *
   * @param tokens of the row, the parent's among them
   */
  public boolean isFirstWithin(int token, int[] tokens) {
    if (layout.parent() == null || layout.parent().origin() == null) {
      return true;
    }
    int origin = layout.parent().origin();
    long from = fields.column(origin).leastTick(tokens[fields.firstPosition(origin)]);
    long least = fields.column(layout.firstColumn()).leastTick(token);
    return from == Long.MIN_VALUE || least == Long.MIN_VALUE || least <= layout.last() - from;
  }

  /** A series' tick, from the one that was drawn first or the step that was drawn after it. */
  private Long ofSeries(long drawn, Long before) {
    SeriesSpan series = layout.series();
    if (before == null) {
      return series.start() != null ? series.start() : (Long) Math.min(lastTick(), drawn);
    }
    return before + (series.isRegular() ? series.interval() : Math.max(0, drawn));
  }

  private long lastTick() {
    Long stop = layout.series().stop();
    return stop == null ? layout.last() : stop;
  }

  /** Whether a row of a series comes after its end, so that it is none. */
  public boolean isBeyond(Object[] cells) {
    return layout.series() != null && (Long) cells[layout.orderColumn()] > lastTick();
  }

  /** Whether a row is its group's last. A series whose end is known goes on until then. */
  public boolean isLast(int[] tokens) {
    boolean isOpen = layout.series() != null && layout.series().stop() != null;
    return !isOpen && tokens[fields.positions() - 1] == lastToken();
  }

  /** The token that stands where a position is not drawn. */
  public int restToken(int position) {
    int column = fields.columnOf(position);
    boolean isHead = position == fields.firstPosition(column);
    return isHead ? Math.max(0, fields.column(column).missingToken()) : 0;
  }

  /** Whether a token of the step's first position keeps a row within the last tick. */
  public boolean isStepWithin(int token, long before) {
    if (layout.series() != null) {
      return true; // a step beyond the end ends the series
    }
    long least = fields.column(layout.stepColumn()).leastTick(token);
    return least == Long.MIN_VALUE || least <= layout.last() - before;
  }

  /** The first position of the steps; -1 without an order column. */
  public int stepPosition() {
    return layout.isOrdered() ? fields.firstPosition(layout.stepColumn()) : -1;
  }

  /** The first position of a group's first tick; -1 without an order column. */
  public int firstTickPosition() {
    return layout.isOrdered() ? fields.firstPosition(layout.firstColumn()) : -1;
  }
}
