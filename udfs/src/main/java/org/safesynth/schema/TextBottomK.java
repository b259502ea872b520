package org.safesynth.schema;

import java.util.Arrays;

/** Counts the k distinct texts of least keyed hash of a stream, as UTF-8, in flat arrays. */
final class TextBottomK {
  private final int k;
  private final long key;
  private int[] slots = new int[32]; // entry + 1, 0 where free
  private long[] hashes = new long[16]; // (entries)
  private long[] counts = new long[16]; // (entries)
  private int[] ends = new int[16]; // (entries)
  private byte[] bytes = new byte[256];
  private int size;
  private long limit = Long.MAX_VALUE; // texts of a greater hash are not among the k
  private boolean complete = true;

  TextBottomK(int k, long key) {
    this.k = k;
    this.key = key;
  }

  void add(byte[] text) {
    long hash = KeyedHash.of(text, key);
    if (hash > limit) {
      complete = false;
      return;
    }
    int mask = slots.length - 1;
    int slot = (int) (hash ^ (hash >>> 32)) & mask;
    while (slots[slot] != 0) {
      int entry = slots[slot] - 1;
      if (hashes[entry] == hash
          && Arrays.equals(bytes, start(entry), ends[entry], text, 0, text.length)) {
        counts[entry]++;
        return;
      }
      slot = (slot + 1) & mask;
    }
    slots[slot] = size + 1;
    append(hash, text);
    if (size >= 2L * k) {
      shrink();
    } else if (size * 2 > slots.length) {
      slots = index(slots.length * 2);
    }
  }

  private int start(int entry) {
    return entry == 0 ? 0 : ends[entry - 1];
  }

  private void append(long hash, byte[] text) {
    if (size == hashes.length) {
      hashes = Arrays.copyOf(hashes, size * 2);
      counts = Arrays.copyOf(counts, size * 2);
      ends = Arrays.copyOf(ends, size * 2);
    }
    int start = start(size);
    int end = Math.addExact(start, text.length);
    if (end > bytes.length) {
      bytes = Arrays.copyOf(bytes, (int) Math.min(Math.max(end, bytes.length * 2L), 1 << 30));
    }
    System.arraycopy(text, 0, bytes, start, text.length);
    hashes[size] = hash;
    counts[size] = 1;
    ends[size] = end;
    size++;
  }

  private int[] index(int length) {
    int[] fresh = new int[length];
    int mask = length - 1;
    for (int entry = 0; entry < size; entry++) {
      int slot = (int) (hashes[entry] ^ (hashes[entry] >>> 32)) & mask;
      while (fresh[slot] != 0) {
        slot = (slot + 1) & mask;
      }
      fresh[slot] = entry + 1;
    }
    return fresh;
  }

  private void shrink() {
    long[] sorted = Arrays.copyOf(hashes, size);
    Arrays.sort(sorted);
    limit = sorted[k - 1];
    complete = false;
    int kept = 0;
    int end = 0;
    for (int entry = 0, start = 0; entry < size; entry++) {
      int next = ends[entry];
      if (hashes[entry] <= limit) {
        System.arraycopy(bytes, start, bytes, end, next - start);
        end += next - start;
        hashes[kept] = hashes[entry];
        counts[kept] = counts[entry];
        ends[kept] = end;
        kept++;
      }
      start = next;
    }
    size = kept;
    slots = index(slots.length);
  }

  /** What was counted; nothing may be added afterwards. */
  TextCounts seal() {
    Integer[] order = new Integer[size];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, this::compare);
    int n = Math.min(size, k);
    long[] sortedHashes = new long[n];
    long[] sortedCounts = new long[n];
    int[] sortedEnds = new int[n];
    byte[] sortedBytes = new byte[start(size)];
    int end = 0;
    for (int i = 0; i < n; i++) {
      int entry = order[i];
      int length = ends[entry] - start(entry);
      System.arraycopy(bytes, start(entry), sortedBytes, end, length);
      end += length;
      sortedHashes[i] = hashes[entry];
      sortedCounts[i] = counts[entry];
      sortedEnds[i] = end;
    }
    boolean whole = complete && size <= k;
    return new TextCounts(k, n, sortedHashes, sortedCounts, sortedEnds, sortedBytes, whole);
  }

  private int compare(Integer a, Integer b) {
    int order = Long.compare(hashes[a], hashes[b]);
    return order != 0
        ? order
        : Arrays.compareUnsigned(bytes, start(a), ends[a], bytes, start(b), ends[b]);
  }
}
