package org.safesynth.train;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.safesynth.fault.RunFailedException;

/**
 * The training task's copy of the examples on its local disk: records of a fixed number of 16-bit
 * tokens in a memory-mapped file, so that any order is an index and memory does not grow with the
 * table. The file is deleted when the store is closed and when the JVM ends.
 */
public final class TokenStore implements AutoCloseable {
  private static final int SEGMENT_BYTES = 1 << 30;

  private final Path file;
  private final int positions;
  private final long records;
  private final int recordsPerSegment;
  private final MappedByteBuffer[] segments;

  private TokenStore(Path file, int positions, long records) throws IOException {
    this.file = file;
    this.positions = positions;
    this.records = records;
    int recordBytes = positions * Short.BYTES;
    this.recordsPerSegment = SEGMENT_BYTES / recordBytes;
    int count = Math.toIntExact((records + recordsPerSegment - 1) / recordsPerSegment);
    this.segments = new MappedByteBuffer[count];
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      for (int i = 0; i < count; i++) {
        long from = (long) i * recordsPerSegment * recordBytes;
        long bytes = Math.min((long) recordsPerSegment * recordBytes, channel.size() - from);
        segments[i] = channel.map(FileChannel.MapMode.READ_ONLY, from, bytes);
        segments[i].order(ByteOrder.LITTLE_ENDIAN);
      }
    }
  }

  /** Fills a store with records in order. */
  public static final class Writer implements AutoCloseable {
    private final Path file;
    private final int positions;
    private final OutputStream out;
    private long records;
    private boolean finished;

    private Writer(Path file, int positions) throws IOException {
      this.file = file;
      this.positions = positions;
      this.out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20);
    }

    /** Appends a record: its tokens as unsigned 16-bit little-endian numbers. */
    public void add(byte[] tokens) {
      if (tokens.length != positions * Short.BYTES) {
        throw new RunFailedException(
            "the encoded examples are corrupt: record "
                + records
                + " has "
                + tokens.length
                + " bytes instead of "
                + positions * Short.BYTES
                + "; delete the run's work folder and start again");
      }
      try {
        out.write(tokens);
      } catch (IOException e) {
        throw diskFault(file, e);
      }
      records++;
    }

    /** Closes the file and maps it. */
    public TokenStore finish() {
      try {
        out.close();
        finished = true;
        return new TokenStore(file, positions, records);
      } catch (IOException e) {
        throw diskFault(file, e);
      }
    }

    @Override
    public void close() {
      if (!finished) {
        try {
          out.close();
        } catch (IOException e) {
          throw diskFault(file, e);
        } finally {
          delete(file);
        }
      }
    }
  }

  /**
   * Starts a store.
   *
   * @param folder on a local disk, for example Spark's local directory
   * @param positions tokens of a record
   */
  public static Writer create(Path folder, int positions) {
    try {
      Files.createDirectories(folder);
      Path file = Files.createTempFile(folder, "safe-synthesizer-tokens-", ".bin");
      file.toFile().deleteOnExit();
      return new Writer(file, positions);
    } catch (IOException e) {
      throw diskFault(folder, e);
    }
  }

  public long records() {
    return records;
  }

  public int positions() {
    return positions;
  }

  /** Reads the tokens of a record into {@code tokens} (positions). */
  public void read(long record, int[] tokens) {
    ByteBuffer segment = segments[(int) (record / recordsPerSegment)];
    int at = (int) (record % recordsPerSegment) * positions * Short.BYTES;
    for (int t = 0; t < positions; t++) {
      tokens[t] = segment.getShort(at + t * Short.BYTES) & 0xffff;
    }
  }

  @Override
  public void close() {
    delete(file);
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException("the token store " + file + " cannot be deleted", e);
    }
  }

  private static RunFailedException diskFault(Path file, IOException e) {
    return new RunFailedException(
        "the training task cannot write its token store "
            + file
            + " ("
            + e.getMessage()
            + "); free space on that disk or point spark.local.dir elsewhere",
        e);
  }
}
