package org.safesynth.job;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.column.impl.ColumnReadStoreImpl;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;

/**
 * Streams the encoded records, in order, inside the training task: plain Parquet, no Spark session,
 * a few files read ahead while earlier ones are consumed.
 */
public final class ExamplesReader {
  private static final int FILES_AHEAD = 2;
  private static final int BLOCKS_AHEAD = 4;
  private static final int BLOCK_BYTES = 1 << 20;

  private ExamplesReader() {}

  /** Takes records as they come. */
  @FunctionalInterface
  public interface Sink {
    /**
     * @param tokens (positions) unsigned 16-bit little-endian numbers; the array is the sink's
     */
    void accept(byte[] tokens) throws IOException;
  }

  /** One block of a file, or its end (neither tokens nor fault), or why it cannot be read. */
  private record Block(byte[] tokens, int records, Exception fault) {
    private static final Block END = new Block(null, 0, null);
  }

  /** Hands all records of a folder of examples to a sink, in the order of their identities. */
  public static void read(Configuration hadoop, Path folder, ExamplesManifest manifest, Sink sink)
      throws IOException {
    read(hadoop, folder, manifest, Long.MAX_VALUE, sink);
  }

  /** Hands over the first records: a random sample, since their order is a keyed hash's. */
  static void read(
      Configuration hadoop, Path folder, ExamplesManifest manifest, long most, Sink sink)
      throws IOException {
    int recordBytes = manifest.positions() * Short.BYTES;
    int threads = Math.max(1, Math.min(FILES_AHEAD, manifest.files().size()));
    ExecutorService readers = Executors.newFixedThreadPool(threads, ExamplesReader::daemon);
    try {
      List<BlockingQueue<Block>> queues = new ArrayList<>();
      for (ExamplesManifest.PartFile file : manifest.files()) {
        BlockingQueue<Block> queue = new ArrayBlockingQueue<>(BLOCKS_AHEAD);
        queues.add(queue);
        Path path = new Path(folder, file.name());
        readers.execute(() -> readFile(hadoop, path, recordBytes, queue));
      }
      long left = most;
      for (int i = 0; i < queues.size() && left > 0; i++) {
        long records = drain(queues.get(i), recordBytes, left, sink);
        left -= records;
        ExamplesManifest.PartFile file = manifest.files().get(i);
        if (records != file.records() && left > 0) {
          throw new IOException(
              "%s holds %,d records instead of %,d"
                  .formatted(new Path(folder, file.name()), records, file.records()));
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while reading " + folder);
    } finally {
      readers.shutdownNow();
    }
  }

  /** Hands over records of different lengths, in the order of their identities. */
  static void readUneven(Configuration hadoop, Path folder, ExamplesManifest manifest, Sink sink)
      throws IOException {
    for (ExamplesManifest.PartFile file : manifest.files()) {
      Path path = new Path(folder, file.name());
      long records = 0;
      try (ParquetFileReader reader =
          ParquetFileReader.open(HadoopInputFile.fromPath(path, hadoop))) {
        MessageType tokensOnly = tokensOnly(reader);
        PageReadStore rowGroup;
        while ((rowGroup = reader.readNextRowGroup()) != null) {
          ColumnReader column = column(reader, rowGroup, tokensOnly);
          for (long left = rowGroup.getRowCount(); left > 0; left--) {
            sink.accept(column.getBinary().getBytes());
            column.consume();
            records++;
          }
        }
      }
      if (records != file.records()) {
        throw new IOException(
            "%s holds %,d records instead of %,d".formatted(path, records, file.records()));
      }
    }
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "examples-reader");
    thread.setDaemon(true);
    return thread;
  }

  private static long drain(BlockingQueue<Block> queue, int recordBytes, long most, Sink sink)
      throws IOException, InterruptedException {
    long records = 0;
    while (records < most) {
      Block block = queue.take();
      if (block.fault() != null) {
        throw new IOException(block.fault().getMessage(), block.fault());
      }
      if (block.tokens() == null) {
        return records;
      }
      int taken = (int) Math.min(block.records(), most - records);
      for (int from = 0; from < taken * recordBytes; from += recordBytes) {
        sink.accept(Arrays.copyOfRange(block.tokens(), from, from + recordBytes));
      }
      records += taken;
    }
    return records;
  }

  private static void readFile(
      Configuration hadoop, Path file, int recordBytes, BlockingQueue<Block> queue) {
    try {
      Block last = Block.END;
      try (ParquetFileReader reader =
          ParquetFileReader.open(HadoopInputFile.fromPath(file, hadoop))) {
        readRowGroups(reader, file, recordBytes, queue);
      } catch (IOException | RuntimeException e) {
        last = new Block(null, 0, e);
      }
      queue.put(last);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the consumer is gone
    }
  }

  private static void readRowGroups(
      ParquetFileReader reader, Path file, int recordBytes, BlockingQueue<Block> queue)
      throws IOException, InterruptedException {
    MessageType tokensOnly = tokensOnly(reader);
    int blockRecords = Math.max(1, BLOCK_BYTES / recordBytes);
    PageReadStore rowGroup;
    while ((rowGroup = reader.readNextRowGroup()) != null) {
      ColumnReader column = column(reader, rowGroup, tokensOnly);
      long left = rowGroup.getRowCount();
      while (left > 0) {
        int records = (int) Math.min(left, blockRecords);
        queue.put(new Block(block(column, records, recordBytes, file), records, null));
        left -= records;
      }
    }
  }

  private static MessageType tokensOnly(ParquetFileReader reader) {
    MessageType written = reader.getFileMetaData().getSchema();
    MessageType tokensOnly = new MessageType(written.getName(), written.getType("tokens"));
    reader.setRequestedSchema(tokensOnly);
    return tokensOnly;
  }

  private static ColumnReader column(
      ParquetFileReader reader, PageReadStore rowGroup, MessageType tokensOnly) {
    return new ColumnReadStoreImpl(
            rowGroup,
            new GroupRecordConverter(tokensOnly).getRootConverter(),
            tokensOnly,
            reader.getFileMetaData().getCreatedBy())
        .getColumnReader(tokensOnly.getColumns().get(0));
  }

  private static byte[] block(ColumnReader column, int records, int recordBytes, Path file)
      throws IOException {
    byte[] block = new byte[records * recordBytes];
    for (int i = 0; i < records; i++) {
      Binary value = column.getBinary();
      if (value.length() != recordBytes) {
        throw new IOException(
            "%s holds a record of %d bytes instead of %d"
                .formatted(file, value.length(), recordBytes));
      }
      value.toByteBuffer().get(block, i * recordBytes, recordBytes);
      column.consume();
    }
    return block;
  }
}
