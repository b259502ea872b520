package org.safesynth.schema;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The k distinct texts of least keyed hash with the number of records that hold each: a uniform
 * sample, mergeable, and the same for any order and cut of the input.
 */
final class TextCounts implements Serializable {
  private final int k;
  private final int size;
  private final long[] hashes; // (size), ascending; equal hashes by their bytes
  private final long[] counts; // (size)
  private final int[] ends; // (size) where each text ends in bytes
  private final byte[] bytes; // UTF-8, one after the other
  private final boolean complete;

  TextCounts(
      int k, int size, long[] hashes, long[] counts, int[] ends, byte[] bytes, boolean complete) {
    this.k = k;
    this.size = size;
    this.hashes = hashes.length == size ? hashes : Arrays.copyOf(hashes, size);
    this.counts = counts.length == size ? counts : Arrays.copyOf(counts, size);
    this.ends = ends.length == size ? ends : Arrays.copyOf(ends, size);
    int length = size == 0 ? 0 : ends[size - 1];
    this.bytes = bytes.length == length ? bytes : Arrays.copyOf(bytes, length);
    this.complete = complete;
  }

  int size() {
    return size;
  }

  boolean complete() {
    return complete;
  }

  /** Number of distinct texts: exact when complete, else estimated. */
  long distinct() {
    return complete ? size : KeyedHash.distinct(size, hashes[size - 1]);
  }

  String text(int i) {
    return new String(bytes, start(i), ends[i] - start(i), StandardCharsets.UTF_8);
  }

  long count(int i) {
    return counts[i];
  }

  private int start(int i) {
    return i == 0 ? 0 : ends[i - 1];
  }

  private int compare(int i, TextCounts other, int j) {
    int order = Long.compare(hashes[i], other.hashes[j]);
    return order != 0
        ? order
        : Arrays.compareUnsigned(
            bytes, start(i), ends[i], other.bytes, other.start(j), other.ends[j]);
  }

  /** Both together; counts stay exact as in {@link LongCounts#merge}. */
  TextCounts merge(TextCounts other) {
    int room = (int) Math.min((long) size + other.size, k);
    long[] mergedHashes = new long[room];
    long[] mergedCounts = new long[room];
    int[] mergedEnds = new int[room];
    byte[] mergedBytes =
        new byte[(int) Math.min((long) bytes.length + other.bytes.length, Integer.MAX_VALUE - 8)];
    int i = 0;
    int j = 0;
    int n = 0;
    int end = 0;
    while (n < room && (i < size || j < other.size)) {
      int order = i == size ? 1 : j == other.size ? -1 : compare(i, other, j);
      TextCounts from = order <= 0 ? this : other;
      int at = order <= 0 ? i : j;
      int length = from.ends[at] - from.start(at);
      System.arraycopy(from.bytes, from.start(at), mergedBytes, end, length);
      end += length;
      mergedEnds[n] = end;
      mergedHashes[n] = from.hashes[at];
      mergedCounts[n] = (order <= 0 ? counts[i] : 0) + (order >= 0 ? other.counts[j] : 0);
      i += order <= 0 ? 1 : 0;
      j += order >= 0 ? 1 : 0;
      n++;
    }
    boolean whole = complete && other.complete && i == size && j == other.size;
    return new TextCounts(k, n, mergedHashes, mergedCounts, mergedEnds, mergedBytes, whole);
  }
}
