package org.safesynth.privacy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The one door for randomness that privacy rests on: sampling of units and noise.
 *
 * <p><b>Why it is safe.</b> A 256-bit master key comes from the operating system ({@link
 * SecureRandom}). A stream for a purpose and its parts (a step, a column) has the key
 * HMAC-SHA256(master, purpose ‖ parts), the key derivation of NIST SP 800-108 in one block, and is
 * the key stream of AES-256 in counter mode ({@link SecretStream}). Whoever can tell the draws from
 * ideal ones can break HMAC-SHA256 or AES-256, so the guarantee holds against every computationally
 * bounded observer, the sense in which any implementation's can (Mironov et al. 2009).
 *
 * <p><b>The key stays in this object.</b> The class is not serializable, so no closure, checkpoint
 * or file can take it; its text shows nothing; it dies with the process. A resumed run therefore
 * has another key, and its draws are fresh.
 *
 * <p><b>No draw is used twice.</b> Two releases with the same noise would give away their exact
 * difference. A stream is therefore handed out once for each purpose and parts; asking again is an
 * error in the program and throws. A task that starts over makes a new object.
 *
 * <p>{@link #withTestKey} repeats exactly, for tests; {@link #isPrivate()} is then false, and every
 * ledger made with it says {@link #NOT_PRIVATE}.
 */
public final class SecretStreams {
  /** The stamp on all that was drawn from a known key. */
  public static final String NOT_PRIVATE = "NOT PRIVATE";

  /** What a stream is for; streams of different purposes are independent. */
  public enum Purpose {
    UNIT_SAMPLING,
    GRADIENT_NOISE,
    COUNT_NOISE,
    DOMAIN_NOISE,
    MARGINAL_NOISE,
    UNIT_COUNT,
    HOLDOUT,
    AUDIT
  }

  private static final String MAC = "HmacSHA256";
  private static final int KEY_BYTES = 32;

  private final byte[] masterKey;
  private final boolean isPrivate;
  private final Set<String> handedOut = ConcurrentHashMap.newKeySet();

  private SecretStreams(byte[] masterKey, boolean isPrivate) {
    this.masterKey = masterKey;
    this.isPrivate = isPrivate;
  }

  /** Streams of a fresh key from the operating system. */
  public static SecretStreams secure() {
    byte[] key = new byte[KEY_BYTES];
    new SecureRandom().nextBytes(key);
    return new SecretStreams(key, true);
  }

  /** Streams that repeat, and so hide nothing: for tests only. */
  public static SecretStreams withTestKey(long testKey) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(NOT_PRIVATE.getBytes(StandardCharsets.UTF_8));
      return new SecretStreams(
          digest.digest(ByteBuffer.allocate(Long.BYTES).putLong(testKey).array()), false);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Whether the key is secret; if not, what was drawn is {@link #NOT_PRIVATE}. */
  public boolean isPrivate() {
    return isPrivate;
  }

  /**
   * The stream for a purpose and, say, a step; once.
   *
   * @throws IllegalStateException if it was handed out before
   */
  public SecretStream stream(Purpose purpose, long... parts) {
    if (!handedOut.add(purpose + Arrays.toString(parts))) {
      throw new IllegalStateException(
          "the secret stream %s%s was used before; the same noise twice gives away a difference"
              .formatted(purpose, Arrays.toString(parts)));
    }
    return new SecretStream(derivedKey(purpose, parts), 0);
  }

  private byte[] derivedKey(Purpose purpose, long... parts) {
    byte[] name = purpose.name().getBytes(StandardCharsets.US_ASCII);
    // The name's length first: no two labels have the same bytes.
    ByteBuffer label = ByteBuffer.allocate(1 + name.length + Long.BYTES * parts.length);
    label.put((byte) name.length).put(name);
    for (long part : parts) {
      label.putLong(part);
    }
    try {
      Mac mac = Mac.getInstance(MAC);
      mac.init(new SecretKeySpec(masterKey, MAC));
      return mac.doFinal(label.array());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has " + MAC, e);
    }
  }

  @Override
  public String toString() {
    return isPrivate ? "SecretStreams" : "SecretStreams, " + NOT_PRIVATE;
  }
}
