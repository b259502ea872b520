package org.safesynth.schema;

import java.io.Serializable;
import java.util.Arrays;

/**
 * The k least ranks of a set with the number of records that hold each: mergeable, and the same for
 * any order and cut of the input.
 */
final class LongCounts implements Serializable {
  private final int k;
  private final long[] ranks; // (size), ascending
  private final long[] counts; // (size)
  private final boolean complete;

  LongCounts(int k, long[] ranks, long[] counts, boolean complete) {
    this.k = k;
    this.ranks = ranks;
    this.counts = counts;
    this.complete = complete;
  }

  /** Ranks, ascending. */
  long[] ranks() {
    return ranks;
  }

  long[] counts() {
    return counts;
  }

  int size() {
    return ranks.length;
  }

  /** Whether every distinct value is here. */
  boolean complete() {
    return complete;
  }

  /** Number of distinct values, when ranks are hashes: exact when complete, else estimated. */
  long distinct() {
    return complete ? ranks.length : KeyedHash.distinct(ranks.length, ranks[ranks.length - 1]);
  }

  /**
   * Both together. A rank among the k least of the union is among the k least of each side that
   * holds it, so its count is exact.
   */
  LongCounts merge(LongCounts other) {
    int room = (int) Math.min((long) size() + other.size(), k);
    long[] mergedRanks = new long[room];
    long[] mergedCounts = new long[room];
    int i = 0;
    int j = 0;
    int n = 0;
    while (n < room && (i < size() || j < other.size())) {
      boolean left = j == other.size() || (i < size() && ranks[i] <= other.ranks[j]);
      boolean right = i == size() || (j < other.size() && other.ranks[j] <= ranks[i]);
      mergedRanks[n] = left ? ranks[i] : other.ranks[j];
      mergedCounts[n] = (left ? counts[i] : 0) + (right ? other.counts[j] : 0);
      i += left ? 1 : 0;
      j += right ? 1 : 0;
      n++;
    }
    boolean whole = complete && other.complete && i == size() && j == other.size();
    return n == room
        ? new LongCounts(k, mergedRanks, mergedCounts, whole)
        : new LongCounts(k, Arrays.copyOf(mergedRanks, n), Arrays.copyOf(mergedCounts, n), whole);
  }
}
