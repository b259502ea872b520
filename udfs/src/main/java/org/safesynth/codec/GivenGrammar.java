package org.safesynth.codec;

import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * The grammar of one record of which some values are given, whichever they are: their text is
 * written without a choice, and the model chooses the others. A given value need not be one that
 * the schema lets through. A number or time may be bounded instead. For one thread.
 *
 * <p>Masks and runs that no given value concerns are those of the grammar of all records, so that a
 * new record costs little.
 */
final class GivenGrammar implements LineGrammar {
  private final TokenGrammar grammar;
  private final RecordDfa records;
  private final SplicedDfa spliced;
  private final BitSet replaced; // (columns)
  private final Map<Integer, int[]> allowed = new HashMap<>();
  private final Map<Integer, int[]> runs = new HashMap<>();

  private GivenGrammar(TokenGrammar grammar, ByteDfa[] parts) {
    this.grammar = grammar;
    this.records = grammar.records();
    this.spliced = new SplicedDfa(records, parts);
    this.replaced = new BitSet();
    for (int c = 0; c < parts.length; c++) {
      replaced.set(c, parts[c] != null);
    }
  }

  static LineGrammar of(
      TokenGrammar grammar, Object[] given, boolean[] isGiven, int ordered, long least, Long most) {
    JsonlCodec codec = grammar.codec();
    ByteDfa[] parts = new ByteDfa[isGiven.length];
    boolean isReplaced = false;
    for (int c = 0; c < parts.length; c++) {
      String end = c + 1 < parts.length ? "," : "}";
      if (isGiven[c]) {
        byte[] text = (codec.encodeCell(c, given[c]) + end).getBytes(StandardCharsets.UTF_8);
        parts[c] = ByteDfa.ofText(text);
      } else if (c == ordered) {
        parts[c] = JsonlGrammar.within(codec, c, least, most, end);
      }
      isReplaced |= parts[c] != null;
    }
    return isReplaced ? new GivenGrammar(grammar, parts) : grammar;
  }

  private boolean isShared(int state) {
    return state < records.dfa().size();
  }

  @Override
  public boolean isComplete(int state) {
    return spliced.isAccepting(state);
  }

  @Override
  public int[] allowed(int state) {
    if (isShared(state) && !grammar.crossed(state).intersects(replaced)) {
      return grammar.allowed(state);
    }
    return allowed.computeIfAbsent(state, s -> grammar.allowed(spliced, s));
  }

  @Override
  public int[] allowedOrEnd(int eos) {
    if (!grammar.crossed(START).intersects(replaced)) {
      return grammar.allowedOrEnd(eos);
    }
    int[] first = allowed(START);
    int[] all = java.util.Arrays.copyOf(first, first.length + 1);
    all[first.length] = eos;
    java.util.Arrays.sort(all);
    return all;
  }

  @Override
  public int next(int state, int token) {
    byte[] bytes = grammar.bytes(token);
    int next = bytes == null ? ByteAutomaton.NONE : spliced.next(state, bytes);
    if (next == ByteAutomaton.NONE) {
      throw new IllegalArgumentException("token " + token + " may not be written here");
    }
    return next;
  }

  @Override
  public boolean isGiven(int state, int token) {
    int at = state;
    for (byte written : grammar.bytes(token)) {
      if (spliced.isInPart(at)) {
        return true;
      }
      at = spliced.next(at, written & 0xff);
    }
    return false;
  }

  @Override
  public int distance(int state) {
    return shortestEnd(state).length;
  }

  @Override
  public int[] shortestEnd(int state) {
    return grammar.longest(spliced.shortestEnd(state));
  }

  @Override
  public int[] run(int state) {
    return runs.computeIfAbsent(state, s -> isApart(s) ? grammar.run(s) : grammar.run(spliced, s));
  }

  /** Whether what is forced from a state comes to no replaced value. */
  private boolean isApart(int state) {
    if (!isShared(state)) {
      return false;
    }
    ByteDfa dfa = records.dfa();
    for (int at = state; ; ) {
      int column = records.columnAt(at);
      if (column >= 0 && replaced.get(column)) {
        return false;
      }
      int only = dfa.onlyByte(at);
      if (only < 0) {
        return true;
      }
      at = dfa.next(at, only);
    }
  }
}
