package org.safesynth.train;

import java.util.ArrayList;
import java.util.List;
import org.safesynth.example.ExampleFormat;
import org.safesynth.model.PackedExamples;

/**
 * Records, or whole groups of them, packed into examples, those for training first; put together
 * when they are asked for, so that memory holds record numbers only.
 */
public final class PackedRecords implements ExampleSource {
  private final RecordTokens records;
  private final ExampleFormat format;
  private final List<long[]> examples;
  private final int training;
  private final boolean hasGroups;

  /**
   * @param examples the records of each example
   * @param training number of the first ones, which are trained on
   * @param hasGroups whether what {@code records} holds are groups, each a sequence of its own
   */
  public PackedRecords(
      RecordTokens records,
      ExampleFormat format,
      List<long[]> examples,
      int training,
      boolean hasGroups) {
    this.records = records;
    this.format = format;
    this.examples = List.copyOf(examples);
    this.training = training;
    this.hasGroups = hasGroups;
  }

  /** Number of examples to train on. */
  public int training() {
    return training;
  }

  /** Number of examples behind them, for the validation loss. */
  public int validation() {
    return examples.size() - training;
  }

  /** Tokens of the longest example. */
  public int mostTokens() {
    int most = 0;
    for (long[] example : examples) {
      int sequences = hasGroups ? example.length : 1;
      int tokens = format.prompt().length + sequences * format.marks();
      for (long record : example) {
        tokens += records.length(record);
      }
      most = Math.max(most, tokens);
    }
    return most;
  }

  @Override
  public PackedExamples.Example example(long number) {
    List<int[]> ids = new ArrayList<>();
    for (long record : examples.get(Math.toIntExact(number))) {
      ids.add(records.read(record));
    }
    ExampleFormat.Example example =
        hasGroups ? format.examples(ids.stream().map(List::of).toList()) : format.example(ids);
    return new PackedExamples.Example(example.ids(), example.promptTokens());
  }
}
