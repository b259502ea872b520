package org.safesynth.job;

import java.io.Serializable;
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
import org.safesynth.codec.GroupCodec;
import org.safesynth.codec.GroupLayout;
import org.safesynth.codec.SeriesSpan;
import org.safesynth.generate.GroupSampler;
import org.safesynth.generate.TokenDistribution;
import org.safesynth.random.SeededStreams;
import org.safesynth.schema.CellWriter;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * Samples shards of groups inside a task: group numbers {@code shard · groups} up to the next shard
 * or the end. Rows come with the number of their group and their own in it, behind the table's
 * columns.
 */
final class GroupShardSampler implements MapPartitionsFunction<Long, Row> {
  private static final int MOST_GROUPS = 512;
  private static final double MOST_ROWS = 200_000;

  private final SerializableConfiguration hadoop;
  private final String modelFolder;
  private final FrozenSchema schema;
  private final SeriesSpan series;
  private final Sampling sampling;
  private final LongAccumulator rowsDone;

  /**
   * Groups of a shard, which are sampled in lock-step and held until all are whole: the fewer, the
   * longer they are.
   */
  static int groups(GroupLayout layout) {
    return (int) Math.max(1, Math.min(MOST_GROUPS, MOST_ROWS / layout.meanRows()));
  }

  /**
   * How groups are drawn.
   *
   * @param groups of a shard
   * @param end number of the group after the last
   * @param mostRows a group ends there at the latest
   * @param javaTime whether dates are objects of java.time
   */
  record Sampling(
      int groups,
      long end,
      int mostRows,
      long seed,
      double temperature,
      double topP,
      boolean javaTime)
      implements Serializable {}

  /**
   * @param series times that are asked for; null for groups that are no series
   */
  GroupShardSampler(
      SerializableConfiguration hadoop,
      String modelFolder,
      FrozenSchema schema,
      SeriesSpan series,
      Sampling sampling,
      LongAccumulator rowsDone) {
    this.hadoop = hadoop;
    this.modelFolder = modelFolder;
    this.schema = schema;
    this.series = series;
    this.sampling = sampling;
    this.rowsDone = rowsDone;
  }

  @Override
  public Iterator<Row> call(Iterator<Long> shards) {
    GroupModelFolder.Model model =
        new GroupModelFolder(hadoop.value(), new Path(modelFolder)).read();
    GroupSampler sampler =
        new GroupSampler(
            model.decoder(),
            model.weights(),
            new GroupCodec(model.codec().fields(), model.codec().layout().withSeries(series)),
            new TokenDistribution(sampling.temperature(), sampling.topP(), 1),
            sampling.mostRows(),
            model.endings());
    TaskContext.get().addTaskCompletionListener(new Closing(sampler));
    return new Rows(shards, sampler, model.codec().layout());
  }

  /** Frees the model's memory when the task ends. */
  private record Closing(GroupSampler sampler) implements TaskCompletionListener {
    @Override
    public void onTaskCompletion(TaskContext context) {
      sampler.close();
    }
  }

  private final class Rows implements Iterator<Row> {
    private final Iterator<Long> shards;
    private final GroupSampler sampler;
    private final GroupLayout layout;
    private final SeededStreams streams = new SeededStreams(sampling.seed());
    private final List<CellWriter> writers =
        schema.columns().stream()
            .map((ColumnSchema column) -> CellWriter.of(column, sampling.javaTime()))
            .toList();
    private final Deque<Row> ready = new ArrayDeque<>();

    Rows(Iterator<Long> shards, GroupSampler sampler, GroupLayout layout) {
      this.shards = shards;
      this.sampler = sampler;
      this.layout = layout;
    }

    @Override
    public boolean hasNext() {
      while (ready.isEmpty() && shards.hasNext()) {
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
      long first = shard * sampling.groups();
      int count = (int) Math.min(sampling.groups(), sampling.end() - first);
      RandomGenerator[] random = new RandomGenerator[count];
      for (int g = 0; g < count; g++) {
        random[g] = streams.stream(SeededStreams.Purpose.SAMPLING, first + g);
      }
      List<List<Object[]>> groups = sampler.sample(first, random);
      for (int g = 0; g < count; g++) {
        int index = 0;
        for (Object[] cells : groups.get(g)) {
          Object[] row = new Object[cells.length + 2];
          for (int c = 0; c < cells.length; c++) {
            row[c] = cells[c] == null ? null : writers.get(c).write(cells[c]);
          }
          row[cells.length] = first + g;
          row[cells.length + 1] = index++;
          ready.add(RowFactory.create(row));
        }
        rowsDone.add(layout.isChildless(groups.get(g).get(0)) ? 0 : groups.get(g).size());
      }
    }
  }
}
