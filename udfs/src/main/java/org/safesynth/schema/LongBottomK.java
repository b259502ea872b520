package org.safesynth.schema;

import java.util.Arrays;

/**
 * Counts the k least distinct ranks of a stream. With a hash as the rank it is a uniform sample of
 * the distinct values; with the value itself, the least of them; with its complement, the greatest.
 */
final class LongBottomK {
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private final int k;
  private long[] ranks = new long[16]; // (slots)
  private long[] counts = new long[16]; // (slots), 0 where free
  private int size;
  private long limit = Long.MAX_VALUE; // ranks above it are not among the k least
  private boolean complete = true;

  LongBottomK(int k) {
    this.k = k;
  }

  /** Whether every rank so far is held. */
  boolean complete() {
    return complete;
  }

  void add(long rank) {
    add(rank, 1);
  }

  void add(long rank, long records) {
    if (rank > limit) {
      complete = false;
      return;
    }
    int slot = slot(rank);
    if (counts[slot] == 0) {
      ranks[slot] = rank;
      size++;
    }
    counts[slot] += records;
    if (size * 2 > ranks.length) {
      grow();
    }
  }

  private int slot(long rank) {
    int mask = ranks.length - 1;
    int slot = (int) ((rank * GOLDEN) >>> 32) & mask;
    while (counts[slot] != 0 && ranks[slot] != rank) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** Doubles the table, or once 2k ranks are held keeps the k least: amortised O(log k) a rank. */
  private void grow() {
    long[] oldRanks = ranks;
    long[] oldCounts = counts;
    int slots = oldRanks.length * 2;
    if (size >= 2 * k) {
      long[] sorted = sortedRanks();
      limit = sorted[k - 1];
      complete = false;
      slots = oldRanks.length;
    }
    ranks = new long[slots];
    counts = new long[slots];
    size = 0;
    for (int i = 0; i < oldRanks.length; i++) {
      if (oldCounts[i] != 0 && oldRanks[i] <= limit) {
        int slot = slot(oldRanks[i]);
        ranks[slot] = oldRanks[i];
        counts[slot] = oldCounts[i];
        size++;
      }
    }
  }

  private long[] sortedRanks() {
    long[] sorted = new long[size];
    int n = 0;
    for (int i = 0; i < ranks.length; i++) {
      if (counts[i] != 0) {
        sorted[n++] = ranks[i];
      }
    }
    Arrays.sort(sorted);
    return sorted;
  }

  /** What was counted; nothing may be added afterwards. */
  LongCounts seal() {
    long[] sorted = sortedRanks();
    boolean whole = complete && size <= k;
    if (size > k) {
      sorted = Arrays.copyOf(sorted, k);
    }
    long[] sortedCounts = new long[sorted.length];
    for (int i = 0; i < sorted.length; i++) {
      sortedCounts[i] = counts[slot(sorted[i])];
    }
    return new LongCounts(k, sorted, sortedCounts, whole);
  }
}
