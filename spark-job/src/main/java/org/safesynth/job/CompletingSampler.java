package org.safesynth.job;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.random.RandomGenerator;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import org.safesynth.codec.FieldCodec;
import org.safesynth.generate.RecordCompleter;
import org.safesynth.generate.TokenDistribution;
import org.safesynth.random.SeededStreams;
import org.safesynth.schema.CellWriter;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.KeptCell;
import scala.Tuple2;

/**
 * Completes rows inside a task; those of a shard ({@link CompletedShards}) in lock-step, each with
 * a random stream of its own.
 */
final class CompletingSampler implements FlatMapFunction<Iterator<Tuple2<Long, Object[]>>, Row> {
  private static final int PARTICLES = 16;

  private final SerializableConfiguration hadoop;
  private final String modelFolder;
  private final FrozenSchema schema;
  private final Sampling sampling;
  private final LongAccumulator rowsDone;

  /**
   * How values are drawn.
   *
   * @param writesMissing whether what is not given may be missing
   * @param javaTime whether dates are objects of java.time
   */
  record Sampling(
      long seed, double temperature, double topP, boolean writesMissing, boolean javaTime)
      implements java.io.Serializable {}

  CompletingSampler(
      SerializableConfiguration hadoop,
      String modelFolder,
      FrozenSchema schema,
      Sampling sampling,
      LongAccumulator rowsDone) {
    this.hadoop = hadoop;
    this.modelFolder = modelFolder;
    this.schema = schema;
    this.sampling = sampling;
    this.rowsDone = rowsDone;
  }

  @Override
  public Iterator<Row> call(Iterator<Tuple2<Long, Object[]>> rows) {
    ModelFolder.Model model = new ModelFolder(hadoop.value(), new Path(modelFolder)).read();
    RecordCompleter completer =
        new RecordCompleter(
            model.decoder(),
            model.weights(),
            sampling.writesMissing()
                ? model.codec().grammar()
                : model.codec().grammarWithoutMissing(),
            new TokenDistribution(sampling.temperature(), sampling.topP(), 1),
            PARTICLES,
            model.raking() == null ? tokens -> 1 : model.raking()::weight);
    TaskContext.get().addTaskCompletionListener(new Closing(completer));
    return new CompletedShards(rows, new Shards(model.codec(), completer)::complete);
  }

  /** Frees the model's memory when the task ends. */
  private record Closing(RecordCompleter completer) implements TaskCompletionListener {
    @Override
    public void onTaskCompletion(TaskContext context) {
      completer.close();
    }
  }

  private final class Shards {
    private final FieldCodec codec;
    private final RecordCompleter completer;
    private final SeededStreams streams = new SeededStreams(sampling.seed());
    private final List<CellWriter> writers =
        schema.columns().stream()
            .map((ColumnSchema column) -> CellWriter.of(column, sampling.javaTime()))
            .toList();

    Shards(FieldCodec codec, RecordCompleter completer) {
      this.codec = codec;
      this.completer = completer;
    }

    List<Row> complete(List<Tuple2<Long, Object[]>> shard) {
      List<Row> rows = new ArrayList<>();
      int[][] tokens = new int[shard.size()][];
      Object[][] canonical = new Object[shard.size()][];
      RandomGenerator[] random = new RandomGenerator[shard.size()];
      for (int i = 0; i < tokens.length; i++) {
        canonical[i] = KeptCell.canonical(shard.get(i)._2());
        tokens[i] = codec.given(canonical[i]);
        random[i] = streams.stream(SeededStreams.Purpose.COMPLETION, shard.get(i)._1());
      }
      int[][] completed =
          completer.complete(
              tokens,
              (record, position, written) -> codec.hint(canonical[record], position, written),
              random);
      for (int i = 0; i < tokens.length; i++) {
        Object[] cells = codec.decode(completed[i], shard.get(i)._1(), random[i]);
        Object[] known = shard.get(i)._2();
        for (int c = 0; c < cells.length; c++) {
          Object cell = known[c] == null ? cells[c] : known[c];
          cells[c] = cell == null ? null : writers.get(c).write(cell);
        }
        rows.add(RowFactory.create(cells));
      }
      rowsDone.add(tokens.length);
      return rows;
    }
  }
}
