package org.safesynth.job;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
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
import scala.Tuple2;

/**
 * Completes rows with a pretrained model inside a task. Rows come with their numbers, in order;
 * those of one shard (number divided by {@link CompletingSampler#ROWS}) are completed side by side.
 */
final class LanguageCompletingSampler
    implements FlatMapFunction<Iterator<Tuple2<Long, Object[]>>, Row> {
  private final SerializableConfiguration hadoop;
  private final LanguageModels.Source source;
  private final FrozenSchema schema;
  private final FieldCodec writes; // null where identifiers stay as they are sampled
  private final long seed;
  private final boolean javaTime;
  private final LongAccumulator rowsDone;
  private final CollectionAccumulator<RejectedRecords> rejected;

  LanguageCompletingSampler(
      SerializableConfiguration hadoop,
      LanguageModels.Source source,
      FrozenSchema schema,
      FieldCodec writes,
      long seed,
      boolean javaTime,
      LongAccumulator rowsDone,
      CollectionAccumulator<RejectedRecords> rejected) {
    this.hadoop = hadoop;
    this.source = source;
    this.schema = schema;
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
            hadoop.value(), source, schema, (long) CompletingSampler.ROWS * JsonlCompleter.DRAFTS);
    TaskContext.get().addTaskCompletionListener(new Closing(completer));
    return new Rows(rows, completer);
  }

  /** Frees the batch's memory when the task ends. */
  private record Closing(JsonlCompleter completer) implements TaskCompletionListener {
    @Override
    public void onTaskCompletion(TaskContext context) {
      completer.close();
    }
  }

  private final class Rows implements Iterator<Row> {
    private final Iterator<Tuple2<Long, Object[]>> given;
    private final JsonlCompleter completer;
    private final SeededStreams streams = new SeededStreams(seed);
    private final List<CellWriter> writers =
        schema.columns().stream()
            .map((ColumnSchema column) -> CellWriter.of(column, javaTime))
            .toList();
    private final Deque<Row> ready = new ArrayDeque<>();
    private Tuple2<Long, Object[]> next;

    Rows(Iterator<Tuple2<Long, Object[]>> given, JsonlCompleter completer) {
      this.given = given;
      this.completer = completer;
    }

    @Override
    public boolean hasNext() {
      if (ready.isEmpty() && (next != null || given.hasNext())) {
        complete(shard());
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

    private List<Tuple2<Long, Object[]>> shard() {
      List<Tuple2<Long, Object[]>> shard = new ArrayList<>();
      next = next == null ? given.next() : next;
      long number = next._1() / CompletingSampler.ROWS;
      while (next != null && next._1() / CompletingSampler.ROWS == number) {
        shard.add(next);
        next = given.hasNext() ? given.next() : null;
      }
      return shard;
    }

    private void complete(List<Tuple2<Long, Object[]>> shard) {
      Object[][] known = shard.stream().map(Tuple2::_2).toArray(Object[][]::new);
      long[] numbers = shard.stream().mapToLong(Tuple2::_1).toArray();
      Object[][] completed =
          completer.device().within(() -> completer.complete(known, numbers, streams));
      for (int i = 0; i < completed.length; i++) {
        Object[] row = new Object[completed[i].length];
        for (int c = 0; c < row.length; c++) {
          Object open = completed[i][c];
          Object fresh = writes == null ? open : writes.renewed(c, open, numbers[i]);
          Object cell = known[i][c] == null ? fresh : known[i][c];
          row[c] = cell == null ? null : writers.get(c).write(cell);
        }
        ready.add(RowFactory.create(row));
      }
      long number = numbers[0] / CompletingSampler.ROWS;
      rejected.add(
          new RejectedRecords(
              number, completed.length, null, completer.device().words(), List.of()));
      rowsDone.add(completed.length);
    }
  }
}
