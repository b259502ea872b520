package org.safesynth.job;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.random.RandomGenerator;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import org.safesynth.generate.FieldSampler;
import org.safesynth.random.SeededStreams;
import org.safesynth.schema.CellWriter;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * Samples shards of the synthetic table inside a task, a shard at a time: record numbers {@code
 * shard · ROWS} up to the next shard or the end.
 */
final class ShardSampler implements MapPartitionsFunction<Long, Row> {
  /** Rows of a shard, which are sampled in lock-step. */
  static final int ROWS = 512;

  /** Rows drawn for each that is kept, where a model weights its rows. */
  private static final int CANDIDATES = 4;

  private final SerializableConfiguration hadoop;
  private final String modelFolder;
  private final FrozenSchema schema;
  private final long rows;
  private final long seed;
  private final double temperature;
  private final double topP;
  private final boolean javaTime;
  private final LongAccumulator rowsDone;

  ShardSampler(
      SerializableConfiguration hadoop,
      String modelFolder,
      FrozenSchema schema,
      long rows,
      long seed,
      double temperature,
      double topP,
      boolean javaTime,
      LongAccumulator rowsDone) {
    this.hadoop = hadoop;
    this.modelFolder = modelFolder;
    this.schema = schema;
    this.rows = rows;
    this.seed = seed;
    this.temperature = temperature;
    this.topP = topP;
    this.javaTime = javaTime;
    this.rowsDone = rowsDone;
  }

  @Override
  public Iterator<Row> call(Iterator<Long> shards) {
    ModelFolder.Model model = new ModelFolder(hadoop.value(), new Path(modelFolder)).read();
    FieldSampler sampler =
        new FieldSampler(model.decoder(), model.weights(), model.codec(), temperature, topP);
    TaskContext.get().addTaskCompletionListener(new Closing(sampler));
    return new Rows(shards, model, sampler);
  }

  /** Frees the model's memory when the task ends. */
  private record Closing(FieldSampler sampler) implements TaskCompletionListener {
    @Override
    public void onTaskCompletion(TaskContext context) {
      sampler.close();
    }
  }

  /** The rows of the partition's shards. */
  private final class Rows implements Iterator<Row> {
    private final Iterator<Long> shards;
    private final ModelFolder.Model model;
    private final FieldSampler sampler;
    private final SeededStreams streams = new SeededStreams(seed);
    private final List<CellWriter> writers =
        schema.columns().stream()
            .map((ColumnSchema column) -> CellWriter.of(column, javaTime))
            .toList();
    private final Deque<Row> ready = new ArrayDeque<>();

    Rows(Iterator<Long> shards, ModelFolder.Model model, FieldSampler sampler) {
      this.shards = shards;
      this.model = model;
      this.sampler = sampler;
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
      long first = shard * ROWS;
      int count = (int) Math.min(ROWS, rows - first);
      RandomGenerator random = streams.stream(SeededStreams.Purpose.SAMPLING, shard);
      int[][] tokens = sample(count, random);
      for (int i = 0; i < count; i++) {
        Object[] cells = model.codec().decode(tokens[i], first + i, random);
        for (int c = 0; c < cells.length; c++) {
          cells[c] = cells[c] == null ? null : writers.get(c).write(cells[c]);
        }
        ready.add(RowFactory.create(cells));
      }
      rowsDone.add(count);
    }

    private int[][] sample(int count, RandomGenerator random) {
      if (model.raking() == null) {
        return sampler.sample(count, random);
      }
      int[][] candidates = new int[CANDIDATES * count][];
      for (int from = 0; from < candidates.length; from += count) {
        System.arraycopy(sampler.sample(count, random), 0, candidates, from, count);
      }
      return model.raking().resample(candidates, count, random);
    }
  }
}
