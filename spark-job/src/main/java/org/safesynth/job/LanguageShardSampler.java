package org.safesynth.job;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.CollectionAccumulator;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import org.safesynth.codec.FieldCodec;
import org.safesynth.generate.JsonlSampler;
import org.safesynth.model.ComputeDevice;
import org.safesynth.random.SeededStreams;
import org.safesynth.schema.CellWriter;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * Samples shards of the synthetic table from a pretrained model inside a task: record numbers
 * {@code shard · size} up to the next shard or the end.
 */
final class LanguageShardSampler implements MapPartitionsFunction<Long, Row> {
  private static final int SMALL = 64;
  private static final int LARGE = 256;
  private static final int LARGE_FROM = 4096;

  /**
   * Rows of a shard, which are sampled side by side. While a small shard ends, few sequences are
   * left to go on with; a small table needs small shards, to be shared by all executors.
   *
   * @param rows of the table
   */
  static int size(long rows) {
    return rows < LARGE_FROM ? SMALL : LARGE;
  }

  private final SerializableConfiguration hadoop;
  private final LanguageModels.Source source;
  private final FrozenSchema schema;
  private final FieldCodec writes; // null where identifiers stay as they are sampled
  private final long rows;
  private final long seed;
  private final boolean javaTime;
  private final LongAccumulator rowsDone;
  private final CollectionAccumulator<RejectedRecords> rejected;

  LanguageShardSampler(
      SerializableConfiguration hadoop,
      LanguageModels.Source source,
      FrozenSchema schema,
      FieldCodec writes,
      long rows,
      long seed,
      boolean javaTime,
      LongAccumulator rowsDone,
      CollectionAccumulator<RejectedRecords> rejected) {
    this.hadoop = hadoop;
    this.source = source;
    this.schema = schema;
    this.writes = writes;
    this.rows = rows;
    this.seed = seed;
    this.javaTime = javaTime;
    this.rowsDone = rowsDone;
    this.rejected = rejected;
  }

  @Override
  public Iterator<Row> call(Iterator<Long> shards) {
    JsonlSampler sampler = LanguageModels.sampler(hadoop.value(), source, schema, rows);
    TaskContext.get().addTaskCompletionListener(new Closing(sampler));
    return new Rows(shards, sampler);
  }

  /** Frees the batch's memory when the task ends. */
  private record Closing(JsonlSampler sampler) implements TaskCompletionListener {
    @Override
    public void onTaskCompletion(TaskContext context) {
      sampler.close();
    }
  }

  /** The rows of the partition's shards. */
  private final class Rows implements Iterator<Row> {
    private final Iterator<Long> shards;
    private final JsonlSampler sampler;
    private final SeededStreams streams = new SeededStreams(seed);
    private final List<CellWriter> writers = new ArrayList<>();
    private final Deque<Row> ready = new ArrayDeque<>();

    Rows(Iterator<Long> shards, JsonlSampler sampler) {
      this.shards = shards;
      this.sampler = sampler;
      for (ColumnSchema column : schema.columns()) {
        writers.add(CellWriter.of(column, javaTime));
      }
    }

    @Override
    public boolean hasNext() {
      if (ready.isEmpty() && shards.hasNext()) {
        sample(shards.next());
      }
      return !ready.isEmpty();
    }

    @Override
    public Row next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return ready.remove();
    }

    private void sample(long shard) {
      int count = (int) Math.min(size(rows), rows - shard * size(rows));
      ComputeDevice device = sampler.device();
      JsonlSampler.Sampled sampled = device.within(() -> sampler.sample(count, shard, streams));
      long record = shard * size(rows);
      for (Object[] cells : sampled.records()) {
        for (int c = 0; c < cells.length; c++) {
          cells[c] = writes == null ? cells[c] : writes.renewed(c, cells[c], record);
          cells[c] = cells[c] == null ? null : writers.get(c).write(cells[c]);
        }
        ready.add(RowFactory.create(cells));
        record++;
      }
      rejected.add(RejectedRecords.of(shard, count, device.words(), sampled));
      rowsDone.add(count);
    }
  }
}
