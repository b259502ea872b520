package org.safesynth.codec;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/** An automaton over bytes with one move for each byte; state 0 is the first. */
final class ByteDfa {
  /** No state: the byte may not be written. */
  static final int NONE = -1;

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

  int next(int state, int read) {
    return transitions[state][read];
  }

  int next(int state, byte[] text) {
    int at = state;
    for (int i = 0; i < text.length && at != NONE; i++) {
      at = transitions[at][text[i] & 0xff];
    }
    return at;
  }

  boolean isAccepting(int state) {
    return accepting[state];
  }

  /** Fewest bytes to an accepting state. */
  int distance(int state) {
    return distances[state];
  }

  /** The one byte that may be written here, or -1 when there are several or the end may be here. */
  int onlyByte(int state) {
    if (accepting[state]) {
      return -1;
    }
    int only = -1;
    for (int read = 0; read < 256; read++) {
      if (transitions[state][read] != NONE) {
        if (only >= 0) {
          return -1;
        }
        only = read;
      }
    }
    return only;
  }

  /** A shortest text from here to an accepting state. */
  byte[] shortestEnd(int state) {
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
