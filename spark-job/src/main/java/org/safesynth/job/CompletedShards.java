package org.safesynth.job;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;
import org.apache.spark.sql.Row;
import scala.Tuple2;

/**
 * Completes begun rows shard by shard inside a task. Rows come with their numbers, in order; those
 * of one shard (number divided by {@link #ROWS}) are completed together, so that the result is the
 * same for any partitioning that keeps shards whole.
 */
final class CompletedShards implements Iterator<Row> {
  /** Rows of a shard. */
  static final int ROWS = 32;

  private final Iterator<Tuple2<Long, Object[]>> given;
  private final Function<List<Tuple2<Long, Object[]>>, List<Row>> completer;
  private final Deque<Row> ready = new ArrayDeque<>();
  private Tuple2<Long, Object[]> next;

  /**
   * @param given numbers of rows and their cells, null where they are open
   * @param completer gives the rows of a shard in its order
   */
  CompletedShards(
      Iterator<Tuple2<Long, Object[]>> given,
      Function<List<Tuple2<Long, Object[]>>, List<Row>> completer) {
    this.given = given;
    this.completer = completer;
  }

  @Override
  public boolean hasNext() {
    if (ready.isEmpty() && (next != null || given.hasNext())) {
      ready.addAll(completer.apply(shard()));
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
    long number = next._1() / ROWS;
    while (next != null && next._1() / ROWS == number) {
      shard.add(next);
      next = given.hasNext() ? given.next() : null;
    }
    return shard;
  }
}
