package org.safesynth.codec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.safesynth.tokenizer.Vocabulary;

/**
 * The bytes of all tokens as a tree, so that a walk along them meets each common beginning once.
 */
final class TokenTrie {
  private static final int FIRST_NODES = 1 << 12;

  private int[] firstChild = new int[FIRST_NODES];
  private int[] nextSibling = new int[FIRST_NODES];
  private byte[] reads = new byte[FIRST_NODES];
  private int[][] tokens = new int[FIRST_NODES][]; // tokens that end at a node
  private int nodes = 1;

  TokenTrie(Vocabulary vocabulary) {
    for (int id = 0; id < vocabulary.size(); id++) {
      byte[] bytes = vocabulary.bytes(id);
      if (bytes != null && bytes.length > 0) {
        add(bytes, id);
      }
    }
  }

  private void add(byte[] bytes, int id) {
    int node = 0;
    for (byte read : bytes) {
      int child = child(node, read);
      node = child == 0 ? newChild(node, read) : child;
    }
    int[] ending = tokens[node];
    tokens[node] = ending == null ? new int[] {id} : Arrays.copyOf(ending, ending.length + 1);
    tokens[node][tokens[node].length - 1] = id;
  }

  private int child(int node, byte read) {
    int child = firstChild[node];
    while (child != 0 && reads[child] != read) {
      child = nextSibling[child];
    }
    return child;
  }

  private int newChild(int node, byte read) {
    if (nodes == reads.length) {
      firstChild = Arrays.copyOf(firstChild, 2 * nodes);
      nextSibling = Arrays.copyOf(nextSibling, 2 * nodes);
      reads = Arrays.copyOf(reads, 2 * nodes);
      tokens = Arrays.copyOf(tokens, 2 * nodes);
    }
    int child = nodes++;
    reads[child] = read;
    nextSibling[child] = firstChild[node];
    firstChild[node] = child;
    return child;
  }

  /** The tokens whose bytes may all be written from a state of an automaton, in order. */
  int[] allowed(ByteAutomaton dfa, int state) {
    List<int[]> found = new ArrayList<>();
    walk(dfa, state, 0, found);
    return found.stream().flatMapToInt(Arrays::stream).sorted().toArray();
  }

  private void walk(ByteAutomaton dfa, int state, int node, List<int[]> found) {
    for (int child = firstChild[node]; child != 0; child = nextSibling[child]) {
      int next = dfa.next(state, reads[child] & 0xff);
      if (next != ByteAutomaton.NONE) {
        if (tokens[child] != null) {
          found.add(tokens[child]);
        }
        walk(dfa, next, child, found);
      }
    }
  }

  /** Columns into whose values a token that may be written in a state of a record reaches. */
  BitSet crossed(RecordDfa records, int state) {
    BitSet columns = new BitSet();
    cross(records, state, 0, columns);
    return columns;
  }

  private void cross(RecordDfa records, int state, int node, BitSet columns) {
    int column = records.columnAt(state);
    for (int child = firstChild[node]; child != 0; child = nextSibling[child]) {
      int next = records.dfa().next(state, reads[child] & 0xff);
      // A given value may begin with a byte that no value of the schema has.
      if (column >= 0) {
        columns.set(column);
      }
      if (next != ByteAutomaton.NONE) {
        cross(records, next, child, columns);
      }
    }
  }

  /**
   * Whether a token begins with the rest of a text and goes on with bytes that an automaton takes.
   *
   * @param state of the automaton, behind the text
   */
  boolean reachesBeyond(byte[] text, int from, ByteAutomaton dfa, int state) {
    int node = 0;
    for (int at = from; at < text.length; at++) {
      node = child(node, text[at]);
      if (node == 0) {
        return false;
      }
    }
    List<int[]> found = new ArrayList<>();
    walk(dfa, state, node, found);
    return !found.isEmpty();
  }

  /** The longest token that a text begins with at a place, or -1. */
  int longest(byte[] text, int from) {
    int best = -1;
    int node = 0;
    for (int at = from; at < text.length; at++) {
      node = child(node, text[at]);
      if (node == 0) {
        break;
      }
      if (tokens[node] != null) {
        best = tokens[node][0];
      }
    }
    return best;
  }
}
