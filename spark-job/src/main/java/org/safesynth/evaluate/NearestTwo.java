package org.safesynth.evaluate;

import java.io.Serializable;
import java.util.Arrays;

/**
 * The two smallest distances of each query and how many rows are at the smallest. Distances are
 * whole numbers, so that results do not depend on the order in which rows come.
 */
final class NearestTwo implements Serializable {
  private static final long serialVersionUID = 1L;

  private final long[] first; // (queries)
  private final long[] second; // (queries)
  private final long[] ties; // (queries)

  NearestTwo(int queries) {
    first = new long[queries];
    second = new long[queries];
    ties = new long[queries];
    Arrays.fill(first, Long.MAX_VALUE);
    Arrays.fill(second, Long.MAX_VALUE);
  }

  int queries() {
    return first.length;
  }

  long first(int query) {
    return first[query];
  }

  long second(int query) {
    return second[query];
  }

  long ties(int query) {
    return ties[query];
  }

  /** Adds {@code copies} equal rows at a distance. */
  void add(int query, long distance, long copies) {
    if (distance < first[query]) {
      second[query] = copies > 1 ? distance : first[query];
      first[query] = distance;
      ties[query] = copies;
    } else if (distance == first[query]) {
      second[query] = distance;
      ties[query] += copies;
    } else if (distance < second[query]) {
      second[query] = distance;
    }
  }

  /** What was found among the rows of both; changes this one. */
  NearestTwo plus(NearestTwo other) {
    for (int q = 0; q < first.length; q++) {
      if (other.ties[q] > 0) {
        add(q, other.first[q], other.ties[q]);
        if (other.second[q] != Long.MAX_VALUE && other.second[q] != other.first[q]) {
          second[q] = Math.min(second[q], other.second[q]);
        }
      }
    }
    return this;
  }
}
