package org.safesynth.codec;

import java.io.ByteArrayOutputStream;

/**
 * A record's automaton in which the values of some columns come from automata of their own. States
 * of the record keep their numbers; those of the parts follow.
 */
final class SplicedDfa implements ByteAutomaton {
  private final RecordDfa records;
  private final ByteDfa dfa;
  private final ByteDfa[] parts; // (columns) a value and the byte that ends it; null: the record's
  private final int[] firsts; // (columns + 1) number of a part's state 0

  SplicedDfa(RecordDfa records, ByteDfa[] parts) {
    this.records = records;
    this.dfa = records.dfa();
    this.parts = parts.clone();
    this.firsts = new int[parts.length + 1];
    firsts[0] = dfa.size();
    for (int c = 0; c < parts.length; c++) {
      firsts[c + 1] = firsts[c] + (parts[c] == null ? 0 : parts[c].size());
    }
  }

  /** The replaced column whose value a state is in, or -1. */
  private int partOf(int state) {
    if (state < dfa.size()) {
      int column = records.columnAt(state);
      return column >= 0 && parts[column] != null ? column : -1;
    }
    int column = 0;
    while (firsts[column + 1] <= state) {
      column++;
    }
    return column;
  }

  /** Whether what is read next is of a replaced value. */
  boolean isInPart(int state) {
    return partOf(state) >= 0;
  }

  private int inPart(int column, int state) {
    return state < dfa.size() ? 0 : state - firsts[column];
  }

  @Override
  public int next(int state, int read) {
    int column = partOf(state);
    if (column < 0) {
      return dfa.next(state, read);
    }
    int next = parts[column].next(inPart(column, state), read);
    if (next == NONE) {
      return NONE;
    }
    return parts[column].isAccepting(next) ? records.behind(column) : firsts[column] + next;
  }

  @Override
  public boolean isAccepting(int state) {
    return state < dfa.size() && dfa.isAccepting(state);
  }

  @Override
  public int distance(int state) {
    int column = partOf(state);
    int own =
        column < 0
            ? dfa.distance(state)
            : parts[column].distance(inPart(column, state)) + dfa.distance(records.behind(column));
    for (int c = column < 0 ? records.firstAhead(state) : column + 1; c < parts.length; c++) {
      own += parts[c] == null ? 0 : parts[c].distance(0) - records.shortestValue(c);
    }
    return own;
  }

  @Override
  public byte[] shortestEnd(int state) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    for (int at = state; !isAccepting(at); ) {
      int column = partOf(at);
      byte[] next =
          column < 0
              ? new byte[] {dfa.shortestEnd(at)[0]}
              : parts[column].shortestEnd(inPart(column, at));
      text.writeBytes(next);
      at = next(at, next);
    }
    return text.toByteArray();
  }
}
