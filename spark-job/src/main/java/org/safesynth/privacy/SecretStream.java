package org.safesynth.privacy;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Secret random bits: the key stream of AES-256 in counter mode.
 *
 * <p>The upper 64 bits of the counter are the number of a branch, the lower ones count its blocks,
 * so branches never overlap and can be drawn in any order, by any thread. Not for sharing between
 * threads itself.
 */
public final class SecretStream {
  private static final int BUFFER_BYTES = 8192;
  private static final byte[] ZEROS = new byte[BUFFER_BYTES];

  private final byte[] key;
  private final Cipher cipher;
  private final byte[] bytes = new byte[BUFFER_BYTES];
  private final ByteBuffer buffer = ByteBuffer.wrap(bytes);
  private int filled;

  SecretStream(byte[] key, long branch) {
    this.key = key;
    try {
      cipher = Cipher.getInstance("AES/CTR/NoPadding");
      byte[] counter = ByteBuffer.allocate(2 * Long.BYTES).putLong(branch).array();
      cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(counter));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has AES in counter mode", e);
    }
    buffer.limit(0);
  }

  /** One of 2^64 streams that are disjoint from this one and from each other; 1 and up. */
  SecretStream branch(long number) {
    if (number < 1) {
      throw new IllegalArgumentException("branch 0 is the stream itself");
    }
    return new SecretStream(key, number);
  }

  /** 64 uniform bits. */
  public long nextLong() {
    if (buffer.remaining() < Long.BYTES) {
      refill();
    }
    return buffer.getLong();
  }

  /** Fills the array with uniform bits. */
  void fill(long[] words) {
    for (int i = 0; i < words.length; i++) {
      words[i] = nextLong();
    }
  }

  private void refill() {
    // Small draws, of a count or two, should not pay for a whole buffer.
    filled = Math.min(BUFFER_BYTES, Math.max(64, filled * 4));
    try {
      cipher.update(ZEROS, 0, filled, bytes, 0);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("AES in counter mode does not fail", e);
    }
    buffer.position(0).limit(filled);
  }

  /** A uniform number of 0 … bound − 1, exactly: draws above the last multiple are thrown away. */
  public long nextBelow(long bound) {
    if (bound < 1) {
      throw new IllegalArgumentException("bound must be positive");
    }
    long mask = -1L >>> Long.numberOfLeadingZeros(bound - 1 | 1);
    long drawn;
    do {
      drawn = nextLong() & mask;
    } while (drawn >= bound);
    return drawn;
  }

  /** True with probability numerator / denominator, exactly: 0 ≤ numerator ≤ denominator. */
  boolean nextBernoulli(long numerator, long denominator) {
    return nextBelow(denominator) < numerator;
  }

  /**
   * True with probability numerator / denominator, exactly, for numbers of any size: the binary
   * digits of a uniform number are compared with those of the fraction, 62 at a time, until they
   * differ.
   */
  boolean nextBernoulli(BigInteger numerator, BigInteger denominator) {
    BigInteger rest = numerator;
    while (true) {
      BigInteger[] digits = rest.shiftLeft(62).divideAndRemainder(denominator);
      if (digits[0].bitLength() > 62) {
        return true; // the fraction is 1
      }
      long uniform = nextLong() >>> 2;
      long fraction = digits[0].longValueExact();
      if (uniform != fraction) {
        return uniform < fraction;
      }
      rest = digits[1];
      if (rest.signum() == 0) {
        return false;
      }
    }
  }

  @Override
  public String toString() {
    return "SecretStream";
  }
}
