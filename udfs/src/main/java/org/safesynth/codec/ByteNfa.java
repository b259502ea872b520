package org.safesynth.codec;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;

/**
 * Builds an automaton over bytes from parts: each method adds a part behind a state and returns the
 * state behind the part.
 */
final class ByteNfa {
  private record Edge(int low, int high, int to) {}

  private final List<List<Edge>> edges = new ArrayList<>();
  private final List<List<Integer>> free = new ArrayList<>(); // moves that read nothing

  int state() {
    edges.add(new ArrayList<>());
    free.add(new ArrayList<>());
    return edges.size() - 1;
  }

  void edge(int from, int low, int high, int to) {
    edges.get(from).add(new Edge(low, high, to));
  }

  void join(int from, int to) {
    free.get(from).add(to);
  }

  int bytes(int from, int low, int high) {
    int to = state();
    edge(from, low, high, to);
    return to;
  }

  int literal(int from, byte[] text) {
    int at = from;
    for (byte b : text) {
      at = bytes(at, b & 0xff, b & 0xff);
    }
    return at;
  }

  int literal(int from, String text) {
    return literal(from, text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  int anyOf(int from, List<IntUnaryOperator> parts) {
    int to = state();
    for (IntUnaryOperator part : parts) {
      int begin = state();
      join(from, begin);
      join(part.applyAsInt(begin), to);
    }
    return to;
  }

  /** What a part given by its own states says of one of them. */
  interface Steps<S> {
    /** The state after reading a byte, or null when it may not be read. */
    S step(S state, int read);

    boolean isEnd(S state);
  }

  /** A part given as a function, whose states are values with {@code equals}. */
  <S> int explore(int from, S first, Steps<S> steps) {
    int to = state();
    Map<S, Integer> known = new HashMap<>();
    Deque<S> open = new ArrayDeque<>();
    Function<S, Integer> numbered =
        state -> {
          Integer number = known.get(state);
          if (number == null) {
            number = state();
            known.put(state, number);
            open.add(state);
            if (steps.isEnd(state)) {
              join(number, to);
            }
          }
          return number;
        };
    join(from, numbered.apply(first));
    while (!open.isEmpty()) {
      S state = open.remove();
      for (int read = 0; read < 256; read++) {
        S next = steps.step(state, read);
        if (next != null) {
          edge(known.get(state), read, read, numbered.apply(next));
        }
      }
    }
    return to;
  }

  /** The same language without choice: subset construction. */
  ByteDfa determinize(int start, int end) {
    Map<List<Integer>, Integer> known = new HashMap<>();
    List<List<Integer>> sets = new ArrayList<>();
    List<int[]> transitions = new ArrayList<>();
    List<Boolean> ends = new ArrayList<>();
    number(closure(new int[] {start}), known, sets);
    for (int s = 0; s < sets.size(); s++) {
      List<Integer> set = sets.get(s);
      int[] row = new int[256];
      Arrays.fill(row, ByteDfa.NONE);
      int[][] targets = new int[256][];
      for (int state : set) {
        for (Edge edge : edges.get(state)) {
          for (int read = edge.low(); read <= edge.high(); read++) {
            targets[read] = with(targets[read], edge.to());
          }
        }
      }
      for (int read = 0; read < 256; read++) {
        if (targets[read] != null) {
          boolean same = read > 0 && Arrays.equals(targets[read], targets[read - 1]);
          row[read] = same ? row[read - 1] : number(closure(targets[read]), known, sets);
        }
      }
      transitions.add(row);
      ends.add(set.contains(end));
    }
    boolean[] accepting = new boolean[ends.size()];
    for (int s = 0; s < accepting.length; s++) {
      accepting[s] = ends.get(s);
    }
    return new ByteDfa(transitions.toArray(int[][]::new), accepting);
  }

  private static int[] with(int[] set, int state) {
    if (set == null) {
      return new int[] {state};
    }
    int[] grown = Arrays.copyOf(set, set.length + 1);
    grown[set.length] = state;
    return grown;
  }

  private static int number(
      List<Integer> set, Map<List<Integer>, Integer> known, List<List<Integer>> sets) {
    Integer number = known.get(set);
    if (number == null) {
      number = sets.size();
      known.put(set, number);
      sets.add(set);
    }
    return number;
  }

  /** The states reached without reading, in order: what names a set. */
  private List<Integer> closure(int[] states) {
    java.util.TreeSet<Integer> reached = new java.util.TreeSet<>();
    Deque<Integer> open = new ArrayDeque<>();
    for (int state : states) {
      if (reached.add(state)) {
        open.add(state);
      }
    }
    while (!open.isEmpty()) {
      for (int next : free.get(open.remove())) {
        if (reached.add(next)) {
          open.add(next);
        }
      }
    }
    return List.copyOf(reached);
  }
}
