package org.safesynth.train;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * Records of different lengths as token ids in a file of the local disk; memory holds where each
 * begins. The file is deleted when it is closed.
 */
public final class RecordTokens implements AutoCloseable {
  private final Path file;
  private final FileChannel channel;
  private final long[] starts; // (records + 1) in bytes

  private RecordTokens(Path file, long[] starts) throws IOException {
    this.file = file;
    this.channel = FileChannel.open(file, StandardOpenOption.READ);
    this.starts = starts;
  }

  /** Takes records in their order. */
  public static final class Writer implements AutoCloseable {
    private final Path file;
    private final DataOutputStream out;
    private long[] starts = new long[1024];
    private int records;
    private boolean isFinished;

    private Writer(Path folder) throws IOException {
      file = Files.createTempFile(folder, "safe-synthesizer-", ".tokens");
      file.toFile().deleteOnExit();
      out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file), 1 << 20));
    }

    /**
     * @param tokens ids of 32 bits, little-endian
     */
    public void add(byte[] tokens) throws IOException {
      out.write(tokens);
      if (records + 2 > starts.length) {
        starts = Arrays.copyOf(starts, 2 * starts.length);
      }
      starts[records + 1] = starts[records] + tokens.length;
      records++;
    }

    /** The records that were added. */
    public RecordTokens finish() throws IOException {
      out.close();
      isFinished = true;
      return new RecordTokens(file, Arrays.copyOf(starts, records + 1));
    }

    @Override
    public void close() throws IOException {
      out.close();
      if (!isFinished) {
        Files.deleteIfExists(file);
      }
    }
  }

  /**
   * Begins a file.
   *
   * @param folder on the local disk
   */
  public static Writer create(Path folder) throws IOException {
    return new Writer(folder);
  }

  /** Ids as {@link Writer#add} takes them. */
  public static byte[] bytes(int[] ids) {
    ByteBuffer bytes =
        ByteBuffer.allocate(ids.length * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(ids);
    return bytes.array();
  }

  /** Number of records. */
  public long records() {
    return starts.length - 1L;
  }

  /** Number of tokens of a record. */
  public int length(long record) {
    int at = Math.toIntExact(record);
    return (int) ((starts[at + 1] - starts[at]) / Integer.BYTES);
  }

  /** The ids of a record. */
  public int[] read(long record) {
    int at = Math.toIntExact(record);
    ByteBuffer bytes =
        ByteBuffer.allocate((int) (starts[at + 1] - starts[at])).order(ByteOrder.LITTLE_ENDIAN);
    try {
      while (bytes.hasRemaining()) {
        if (channel.read(bytes, starts[at] + bytes.position()) < 0) {
          throw new IOException(file + " is shorter than what was written");
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    int[] ids = new int[bytes.capacity() / Integer.BYTES];
    bytes.flip().asIntBuffer().get(ids);
    return ids;
  }

  @Override
  public void close() {
    try {
      channel.close();
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
