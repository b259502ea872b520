package org.safesynth.schema;

import java.io.Serializable;
import java.util.Arrays;

/**
 * Finds every value that more than 1/256 of the records hold, in 256 to 512 counters (Misra and
 * Gries 1982; merged as in Agarwal et al. 2012).
 *
 * <p>Why none is missed: a purge takes the same number from each counter, at least 257 of them
 * holding that much, so all purges together take less than records / 257 from any value. Which
 * other values are left depends on the order of rows, so callers count candidates exactly and keep
 * those above the threshold.
 */
final class HeavyHitters implements Serializable {
  /** A value is heavy when more than this share of the records hold it. */
  static final int SHARE = 256;

  private static final int CAPACITY = 2 * SHARE;

  private int[] slots = new int[4 * SHARE]; // entry + 1, 0 where free
  private long[] first = new long[16]; // (entries) values are pairs of longs
  private long[] second = new long[16]; // (entries)
  private long[] counts = new long[16]; // (entries)
  private int size;

  void add(long a, long b, long records) {
    int mask = slots.length - 1;
    int slot = (int) KeyedHash.mix(a * 31 + b, 0) & mask;
    while (slots[slot] != 0) {
      int entry = slots[slot] - 1;
      if (first[entry] == a && second[entry] == b) {
        counts[entry] += records;
        return;
      }
      slot = (slot + 1) & mask;
    }
    if (size == first.length) {
      first = Arrays.copyOf(first, size * 2);
      second = Arrays.copyOf(second, size * 2);
      counts = Arrays.copyOf(counts, size * 2);
    }
    first[size] = a;
    second[size] = b;
    counts[size] = records;
    slots[slot] = ++size;
    if (size == CAPACITY) {
      purge();
    }
  }

  void merge(HeavyHitters other) {
    for (int i = 0; i < other.size; i++) {
      add(other.first[i], other.second[i], other.counts[i]);
    }
  }

  private void purge() {
    long[] sorted = Arrays.copyOf(counts, size);
    Arrays.sort(sorted);
    long taken = sorted[size - SHARE - 1];
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (counts[i] > taken) {
        first[kept] = first[i];
        second[kept] = second[i];
        counts[kept] = counts[i] - taken;
        kept++;
      }
    }
    size = kept;
    Arrays.fill(slots, 0);
    int mask = slots.length - 1;
    for (int i = 0; i < size; i++) {
      int slot = (int) KeyedHash.mix(first[i] * 31 + second[i], 0) & mask;
      while (slots[slot] != 0) {
        slot = (slot + 1) & mask;
      }
      slots[slot] = i + 1;
    }
  }

  int size() {
    return size;
  }

  long first(int i) {
    return first[i];
  }

  long second(int i) {
    return second[i];
  }
}
