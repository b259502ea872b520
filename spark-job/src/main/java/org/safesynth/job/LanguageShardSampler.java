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
import org.safesynth.generate.GroupRules;
import org.safesynth.generate.JsonlSampler;
import org.safesynth.model.ComputeDevice;
import org.safesynth.random.SeededStreams;
import org.safesynth.schema.CellWriter;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * Samples shards of the synthetic table from a pretrained model inside a task: numbers of records,
 * or of groups, {@code shard · size} up to the next shard or the end. Rows of groups come with the
 * number of their group and their own in it, behind the table's columns.
 */
final class LanguageShardSampler implements MapPartitionsFunction<Long, Row> {
  private static final int SMALL = 64;
  private static final int LARGE = 256;
  private static final int LARGE_FROM = 1024;

  /**
   * Records or groups of a shard, which are sampled side by side. While a small shard ends, few
   * sequences are left to go on with; a small table needs small shards, to be shared by all
   * executors.
   *
   * @param wanted records or groups of the table
   */
  static int size(long wanted) {
    return wanted < LARGE_FROM ? SMALL : LARGE;
  }

  private final SerializableConfiguration hadoop;
  private final LanguageModels.Source source;
  private final FrozenSchema schema;
  private final FrozenSchema output;
  private final FieldCodec domain; // null where identifiers stay as they are sampled
  private final int size;
  private final long end;
  private final long seed;
  private final boolean javaTime;
  private final LongAccumulator rowsDone;
  private final CollectionAccumulator<RejectedRecords> rejected;

  /**
   * @param output the schema, of types that hold what is written
   * @param size records or groups of a shard
   * @param end number of the record or group after the last
   */
  LanguageShardSampler(
      SerializableConfiguration hadoop,
      LanguageModels.Source source,
      FrozenSchema schema,
      FrozenSchema output,
      FieldCodec domain,
      int size,
      long end,
      long seed,
      boolean javaTime,
      LongAccumulator rowsDone,
      CollectionAccumulator<RejectedRecords> rejected) {
    this.hadoop = hadoop;
    this.source = source;
    this.schema = schema;
    this.output = output;
    this.domain = domain;
    this.size = size;
    this.end = end;
    this.seed = seed;
    this.javaTime = javaTime;
    this.rowsDone = rowsDone;
    this.rejected = rejected;
  }

  @Override
  public Iterator<Row> call(Iterator<Long> shards) {
    JsonlSampler sampler =
        LanguageModels.sampler(hadoop.value(), source, schema, Math.min(size, end));
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
    private long rowsOnTheWay; // of the shard, told already

    Rows(Iterator<Long> shards, JsonlSampler sampler) {
      this.shards = shards;
      this.sampler = sampler;
      for (ColumnSchema column : output.columns()) {
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
      long first = shard * size;
      int count = (int) Math.min(size, end - first);
      ComputeDevice device = sampler.device();
      rowsOnTheWay = 0;
      JsonlSampler.Sampled sampled =
          device.within(() -> sampler.sample(count, shard, streams, this::tell));
      for (int unit = 0; unit < count; unit++) {
        write(sampled.units().get(unit), first + unit);
      }
      rowsDone.add(sampled.rows() - rowsOnTheWay);
      rejected.add(RejectedRecords.of(shard, source.groups() != null, device.words(), sampled));
    }

    /** One long series takes as long as a table: its rows count before it is whole. */
    private void tell(int rows) {
      rowsOnTheWay += rows;
      rowsDone.add(rows);
    }

    /** Writes the rows of a record or group. */
    private void write(List<Object[]> rows, long number) {
      GroupRules groups = source.groups();
      for (int index = 0; index < rows.size(); index++) {
        Object[] cells = rows.get(index);
        Object[] row = new Object[cells.length + (groups == null ? 0 : 2)];
        for (int c = 0; c < cells.length; c++) {
          boolean isOfGroup = groups == null || c == groups.groupColumn();
          long record = isOfGroup ? number : number * groups.mostRows() + index;
          Object cell = domain == null ? cells[c] : domain.renewed(c, cells[c], record);
          row[c] = cell == null ? null : writers.get(c).write(cell);
        }
        if (groups != null) {
          row[cells.length] = number;
          row[cells.length + 1] = index;
        }
        ready.add(RowFactory.create(row));
      }
    }
  }
}
