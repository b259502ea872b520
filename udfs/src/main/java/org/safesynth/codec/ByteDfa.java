package org.safesynth.codec;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/** An automaton over bytes with one move for each byte; state 0 is the first. */
final class ByteDfa implements ByteAutomaton {
  private final int[][] transitions; // (states, 256)
  private final boolean[] accepting; // (states)
  private final int[] distances; // (states) fewest bytes to an accepting state

  ByteDfa(int[][] transitions, boolean[] accepting) {
    this.transitions = transitions;
    this.accepting = accepting;
    this.distances = distances();
    // States that lead nowhere must not be entered.
    for (int[] row : transitions) {
      for (int read = 0; read < row.length; read++) {
        if (row[read] != NONE && distances[row[read]] == Integer.MAX_VALUE) {
          row[read] = NONE;
        }
      }
    }
  }

  /** The automaton that takes one text. */
  static ByteDfa ofText(byte[] text) {
    int[][] transitions = new int[text.length + 1][256];
    boolean[] accepting = new boolean[text.length + 1];
    for (int[] row : transitions) {
      Arrays.fill(row, NONE);
    }
    for (int i = 0; i < text.length; i++) {
      transitions[i][text[i] & 0xff] = i + 1;
    }
    accepting[text.length] = true;
    return new ByteDfa(transitions, accepting);
  }

  private int[] distances() {
    List<List<Integer>> before = new ArrayList<>();
    for (int s = 0; s < transitions.length; s++) {
      before.add(new ArrayList<>());
    }
    for (int s = 0; s < transitions.length; s++) {
      int last = NONE;
      for (int to : transitions[s]) {
        if (to != NONE && to != last) {
          before.get(to).add(s);
          last = to;
        }
      }
    }
    int[] distance = new int[transitions.length];
    Arrays.fill(distance, Integer.MAX_VALUE);
    Deque<Integer> open = new ArrayDeque<>();
    for (int s = 0; s < distance.length; s++) {
      if (accepting[s]) {
        distance[s] = 0;
        open.add(s);
      }
    }
    while (!open.isEmpty()) {
      int state = open.remove();
      for (int from : before.get(state)) {
        if (distance[from] == Integer.MAX_VALUE) {
          distance[from] = distance[state] + 1;
          open.add(from);
        }
      }
    }
    return distance;
  }

  int size() {
    return transitions.length;
  }

  @Override
  public int next(int state, int read) {
    return transitions[state][read];
  }

  @Override
  public boolean isAccepting(int state) {
    return accepting[state];
  }

  @Override
  public int distance(int state) {
    return distances[state];
  }

  @Override
  public byte[] shortestEnd(int state) {
    byte[] text = new byte[distances[state]];
    int at = state;
    for (int i = 0; i < text.length; i++) {
      int read = 0;
      while (transitions[at][read] == NONE
          || distances[transitions[at][read]] != distances[at] - 1) {
        read++;
      }
      text[i] = (byte) read;
      at = transitions[at][read];
    }
    return text;
  }
}
