package org.safesynth.example;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongToIntFunction;
import java.util.stream.LongStream;

/**
 * Cuts the stream of records that training sees into examples.
 *
 * @param promptTokens length of the prompt
 * @param contextTokens most tokens of an example
 * @param mostRecords most records of an example; 0 fills the context
 */
public record Packing(int promptTokens, int contextTokens, int mostRecords) {
  /** Tokens that the reference leaves free beside prompt and records; BOS and EOS take two. */
  public static final int RESERVE = 4;

  /** Tokens that the records of an example may have together. */
  public int room() {
    return contextTokens - promptTokens - RESERVE;
  }

  /**
   * The records of each example, in their order.
   *
   * @param records record numbers in the order of training
   * @param length tokens of a record
   */
  public List<long[]> pack(LongStream records, LongToIntFunction length) {
    List<long[]> examples = new ArrayList<>();
    List<Long> open = new ArrayList<>();
    long tokens = 0;
    for (long record : (Iterable<Long>) records::iterator) {
      int next = length.applyAsInt(record);
      boolean isFull = mostRecords > 0 && open.size() == mostRecords;
      if (!open.isEmpty() && (isFull || tokens + next > room())) {
        examples.add(closed(open));
        tokens = 0;
      }
      open.add(record);
      tokens += next;
    }
    if (!open.isEmpty()) {
      examples.add(closed(open));
    }
    return examples;
  }

  private static long[] closed(List<Long> open) {
    long[] example = open.stream().mapToLong(Long::longValue).toArray();
    open.clear();
    return example;
  }
}
