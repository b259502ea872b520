package org.safesynth.job;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.CollectionAccumulator;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;
import org.safesynth.codec.FieldCodec;
import org.safesynth.generate.JsonlCompleter;
import org.safesynth.random.SeededStreams;
import org.safesynth.schema.CellWriter;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.KeptCell;
import scala.Tuple2;

/**
 * Completes rows with a pretrained model inside a task; those of a shard ({@link CompletedShards})
 * side by side.
 */
final class LanguageCompletingSampler
    implements FlatMapFunction<Iterator<Tuple2<Long, Object[]>>, Row> {
  private final SerializableConfiguration hadoop;
  private final LanguageModels.Source source;
  private final FrozenSchema schema;
  private final FrozenSchema output; // the schema, of types that hold what is given
  private final FieldCodec writes; // null where identifiers stay as they are sampled
  private final long seed;
  private final boolean javaTime;
  private final LongAccumulator rowsDone;
  private final CollectionAccumulator<RejectedRecords> rejected;

  LanguageCompletingSampler(
      SerializableConfiguration hadoop,
      LanguageModels.Source source,
      FrozenSchema schema,
      FrozenSchema output,
      FieldCodec writes,
      long seed,
      boolean javaTime,
      LongAccumulator rowsDone,
      CollectionAccumulator<RejectedRecords> rejected) {
    this.hadoop = hadoop;
    this.source = source;
    this.schema = schema;
    this.output = output;
    this.writes = writes;
    this.seed = seed;
    this.javaTime = javaTime;
    this.rowsDone = rowsDone;
    this.rejected = rejected;
  }

  @Override
  public Iterator<Row> call(Iterator<Tuple2<Long, Object[]>> rows) {
    JsonlCompleter completer =
        LanguageModels.completer(
            hadoop.value(), source, schema, (long) CompletedShards.ROWS * JsonlCompleter.DRAFTS);
    TaskContext.get().addTaskCompletionListener(new Closing(completer));
    return new CompletedShards(rows, new Shards(completer)::complete);
  }

  /** Frees the batch's memory when the task ends. */
  private record Closing(JsonlCompleter completer) implements TaskCompletionListener {
    @Override
    public void onTaskCompletion(TaskContext context) {
      completer.close();
    }
  }

  private final class Shards {
    private final JsonlCompleter completer;
    private final SeededStreams streams = new SeededStreams(seed);
    private final List<CellWriter> writers =
        output.columns().stream()
            .map((ColumnSchema column) -> CellWriter.of(column, javaTime))
            .toList();

    Shards(JsonlCompleter completer) {
      this.completer = completer;
    }

    List<Row> complete(List<Tuple2<Long, Object[]>> shard) {
      List<Row> rows = new ArrayList<>();
      Object[][] known = shard.stream().map(Tuple2::_2).toArray(Object[][]::new);
      Object[][] canonical =
          shard.stream().map(row -> KeptCell.canonical(row._2())).toArray(Object[][]::new);
      long[] numbers = shard.stream().mapToLong(Tuple2::_1).toArray();
      Object[][] completed =
          completer.device().within(() -> completer.complete(canonical, numbers, streams));
      for (int i = 0; i < completed.length; i++) {
        Object[] row = new Object[completed[i].length];
        for (int c = 0; c < row.length; c++) {
          Object open = completed[i][c];
          Object fresh = writes == null ? open : writes.renewed(c, open, numbers[i]);
          Object cell = known[i][c] == null ? fresh : known[i][c];
          row[c] = cell == null ? null : writers.get(c).write(cell);
        }
        rows.add(RowFactory.create(row));
      }
      long number = numbers[0] / CompletedShards.ROWS;
      rejected.add(
          new RejectedRecords(
              number, completed.length, null, completer.device().words(), List.of()));
      rowsDone.add(completed.length);
      return rows;
    }
  }
}
