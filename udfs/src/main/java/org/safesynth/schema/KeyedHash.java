package org.safesynth.schema;

import org.apache.spark.sql.catalyst.expressions.XXH64;
import org.apache.spark.unsafe.Platform;

/**
 * Keyed 64-bit hashes that decide which distinct values a sample holds, whatever the order of rows.
 */
final class KeyedHash {
  private KeyedHash() {}

  /**
   * A one-to-one scramble of longs (splitmix64's finaliser), so that a rank gives its value back.
   */
  static long mix(long value, long key) {
    long z = value ^ key;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  /** The value whose {@link #mix} this is. */
  static long unmix(long hash, long key) {
    long z = hash ^ (hash >>> 31) ^ (hash >>> 62);
    z *= 0x319642b2d24d8ec3L;
    z = z ^ (z >>> 27) ^ (z >>> 54);
    z *= 0x96de1b173f119089L;
    z = z ^ (z >>> 30) ^ (z >>> 60);
    return z ^ key;
  }

  static long of(byte[] text, long key) {
    return XXH64.hashUnsafeBytes(text, Platform.BYTE_ARRAY_OFFSET, text.length, key);
  }

  /**
   * Number of distinct values when the k least hashes of all of them end at {@code greatest}: the
   * unbiased estimate of Bar-Yossef et al. 2002.
   */
  static long distinct(int k, long greatest) {
    double share = ((double) greatest - (double) Long.MIN_VALUE) / 0x1p64;
    return Math.round((k - 1) / share);
  }
}
