package org.safesynth.codec;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * The automaton of a record with the places of its columns: where each value begins, and the state
 * behind the comma or brace that ends it.
 */
final class RecordDfa {
  private final ByteDfa dfa;
  private final int[] starts; // (columns) state in front of a value
  private final int[] behind; // (columns) state behind the byte that ends it
  private final int[] columnAt; // (states) column whose value begins there, or -1
  private final int[] begun; // (states) values that have begun before

  private RecordDfa(ByteDfa dfa, int[] starts, int[] behind) {
    this.dfa = dfa;
    this.starts = starts;
    this.behind = behind;
    this.columnAt = new int[dfa.size()];
    Arrays.fill(columnAt, -1);
    for (int c = 0; c < starts.length; c++) {
      columnAt[starts[c]] = c;
    }
    this.begun = begun();
  }

  /**
   * @param before what stands in front of a record
   */
  static RecordDfa of(ByteDfa dfa, JsonlCodec codec, byte[] before) {
    int columns = codec.names().size();
    int[] starts = new int[columns];
    int[] behind = new int[columns];
    int at = dfa.next(0, before);
    at = dfa.next(at, '{');
    for (int c = 0; c < columns; c++) {
      starts[c] = dfa.next(at, (codec.key(c) + ":").getBytes(StandardCharsets.UTF_8));
      byte[] end = dfa.shortestEnd(starts[c]);
      behind[c] = dfa.next(starts[c], Arrays.copyOf(end, valueLength(end) + 1));
      at = behind[c];
    }
    return new RecordDfa(dfa, starts, behind);
  }

  /** Bytes of the JSON value that a text begins with. */
  private static int valueLength(byte[] text) {
    boolean isString = text[0] == '"';
    int at = 1;
    while (isString ? text[at] != '"' : text[at] != ',' && text[at] != '}') {
      at += text[at] == '\\' ? 2 : 1;
    }
    return isString ? at + 1 : at;
  }

  private int[] begun() {
    int[] counts = new int[dfa.size()];
    boolean[] seen = new boolean[dfa.size()];
    Deque<Integer> open = new ArrayDeque<>();
    open.add(0);
    seen[0] = true;
    while (!open.isEmpty()) {
      int state = open.remove();
      for (int read = 0; read < 256; read++) {
        int next = dfa.next(state, read);
        if (next != ByteAutomaton.NONE && !seen[next]) {
          seen[next] = true;
          counts[next] = columnAt[state] >= 0 ? columnAt[state] + 1 : counts[state];
          open.add(next);
        }
      }
    }
    return counts;
  }

  ByteDfa dfa() {
    return dfa;
  }

  int columns() {
    return starts.length;
  }

  /** The column whose value begins in a state, or -1. */
  int columnAt(int state) {
    return columnAt[state];
  }

  /** The state behind the byte that ends a column's value. */
  int behind(int column) {
    return behind[column];
  }

  /** The first column whose value has not begun in a state. */
  int firstAhead(int state) {
    return begun[state];
  }

  /** Bytes of a column's shortest value and of what ends it. */
  int shortestValue(int column) {
    return dfa.distance(starts[column]) - dfa.distance(behind[column]);
  }
}
