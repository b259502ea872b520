package org.safesynth.job;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.safesynth.random.SeededStreams;

/**
 * Names records by what they hold, since a table's rows have no stable order: the keyed 128-bit
 * hash of a record's cells, and of that hash and the record's number among equal records.
 *
 * <p>Sorting by identity is a shuffle that depends on the seed and on the rows, and on nothing that
 * Spark decides. Two different records of a table of 10^8 rows share a hash with a chance below
 * 10^-22.
 */
public final class RecordIdentity implements Serializable {
  private static final byte MISSING = 0;
  private static final byte WHOLE_NUMBER = 1;
  private static final byte TEXT = 2;

  private final byte[] key;

  /** A hash of 128 bits, unsigned. */
  public record Hash(long high, long low) implements Serializable {}

  /** Identities under a run's seed. */
  public RecordIdentity(long seed) {
    long ofSeed = new SeededStreams(seed).key(SeededStreams.Purpose.RECORD_IDENTITY);
    key = ByteBuffer.allocate(Long.BYTES).putLong(ofSeed).array();
  }

  /** A hasher for one thread. */
  public Hasher hasher() {
    return new Hasher(key);
  }

  /** Hashes the records of one thread. */
  public static final class Hasher {
    private final MessageDigest sha256 = sha256();
    private final byte[] key;
    private ByteBuffer buffer = ByteBuffer.allocate(1024);

    private Hasher(byte[] key) {
      this.key = key;
    }

    /**
     * The hash of a record's canonical cells: {@code null}, {@code Long} or {@code String} each.
     * Every cell is prefixed by its type and length, so that no two lists of cells read the same.
     */
    public Hash ofCells(Object[] cells) {
      buffer.clear();
      for (Object cell : cells) {
        if (cell == null) {
          reserve(1).put(MISSING);
        } else if (cell instanceof Long ticks) {
          reserve(1 + Long.BYTES).put(WHOLE_NUMBER).putLong(ticks);
        } else {
          byte[] text = ((String) cell).getBytes(StandardCharsets.UTF_8);
          reserve(1 + Integer.BYTES + text.length).put(TEXT).putInt(text.length).put(text);
        }
      }
      return digest();
    }

    /** The identity of the {@code occurrence}-th (from 0) of the records with the same content. */
    public Hash ofOccurrence(long contentHigh, long contentLow, long occurrence) {
      buffer.clear();
      buffer.putLong(contentHigh).putLong(contentLow).putLong(occurrence);
      return digest();
    }

    private ByteBuffer reserve(int bytes) {
      if (buffer.remaining() < bytes) {
        int capacity = Math.max(2 * buffer.capacity(), buffer.position() + bytes);
        buffer = ByteBuffer.allocate(capacity).put(buffer.flip());
      }
      return buffer;
    }

    private Hash digest() {
      sha256.update(key);
      sha256.update(buffer.flip());
      ByteBuffer hash = ByteBuffer.wrap(sha256.digest());
      return new Hash(hash.getLong(), hash.getLong());
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
