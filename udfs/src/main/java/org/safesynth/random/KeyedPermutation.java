package org.safesynth.random;

import java.io.Serializable;

/**
 * A keyed permutation of 0 … size − 1, computed on the fly: a four-round Feistel network over the
 * next even number of bits, walked until it falls inside (Black and Rogaway 2002, cycle walking).
 * Orders examples without an array of them; not a cipher.
 */
public final class KeyedPermutation implements Serializable {
  private static final int ROUNDS = 4;

  private final long size;
  private final int halfBits;
  private final long mask;
  private final long[] keys = new long[ROUNDS];

  /** A permutation of {@code size} numbers, 1 to 2^62. */
  public KeyedPermutation(long size, long key) {
    if (size < 1 || size > 1L << 62) {
      throw new IllegalArgumentException("size must be 1 to 2^62");
    }
    this.size = size;
    int bits = Math.max(2, 64 - Long.numberOfLeadingZeros(size - 1));
    this.halfBits = (bits + 1) / 2;
    this.mask = (1L << halfBits) - 1;
    long state = key;
    for (int i = 0; i < ROUNDS; i++) {
      state += 0x9e3779b97f4a7c15L;
      keys[i] = mix(state);
    }
  }

  /** Where {@code index} goes. */
  public long apply(long index) {
    if (index < 0 || index >= size) {
      throw new IllegalArgumentException("index " + index + " is outside 0 … " + (size - 1));
    }
    long x = index;
    do {
      long left = x >>> halfBits;
      long right = x & mask;
      for (long key : keys) {
        long next = left ^ (mix(right ^ key) & mask);
        left = right;
        right = next;
      }
      x = (left << halfBits) | right;
    } while (x >= size);
    return x;
  }

  /** SplitMix64's finaliser (Steele, Lea and Flood 2014). */
  public static long mix(long x) {
    long h = x;
    h = (h ^ (h >>> 30)) * 0xbf58476d1ce4e5b9L;
    h = (h ^ (h >>> 27)) * 0x94d049bb133111ebL;
    return h ^ (h >>> 31);
  }
}
