package org.safesynth.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.safesynth.example.ExampleFormat;
import org.safesynth.model.PackedExamples;

/**
 * Records, or whole groups of them, packed into examples, those for training first; put together
 * when they are asked for, so that memory holds record numbers only.
 */
public final class PackedRecords implements ExampleSource {
  /** What the ids that are kept together are. */
  public enum Units {
    /** Records, those of an example in one sequence. */
    RECORDS,
    /** Groups of records, each a sequence of its own. */
    GROUPS,
    /**
     * Windows of time series, one an example: how many tokens are read without loss, whether the
     * series ends with it (1) or not (0), and the records.
     */
    WINDOWS
  }

  private final RecordTokens records;
  private final ExampleFormat format;
  private final List<long[]> examples;
  private final int training;
  private final Units units;

  /**
   * @param examples the records of each example
   * @param training number of the first ones, which are trained on
   * @param units what {@code records} holds
   */
  public PackedRecords(
      RecordTokens records,
      ExampleFormat format,
      List<long[]> examples,
      int training,
      Units units) {
    this.records = records;
    this.format = format;
    this.examples = List.copyOf(examples);
    this.training = training;
    this.units = units;
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
      int sequences = units == Units.GROUPS ? example.length : 1;
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
        switch (units) {
          case RECORDS -> format.example(ids);
          case GROUPS -> format.examples(ids.stream().map(List::of).toList());
          case WINDOWS -> window(ids.get(0));
        };
    return new PackedExamples.Example(example.ids(), example.promptTokens());
  }

  private ExampleFormat.Example window(int[] ids) {
    return format.window(Arrays.copyOfRange(ids, 2, ids.length), ids[0], ids[1] == 1);
  }
}
