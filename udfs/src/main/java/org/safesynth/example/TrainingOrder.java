package org.safesynth.example;

import java.util.stream.LongStream;
import org.safesynth.random.KeyedPermutation;
import org.safesynth.random.SeededStreams;

/**
 * The records that training sees, in order: whole shuffles of all records and a part of one more,
 * each shuffle a keyed permutation that is computed on the fly.
 *
 * @param records number of records
 * @param seen number of records seen in training, over all shuffles
 */
public record TrainingOrder(long records, long seen, long seed) {
  /**
   * The order for {@code training.num_input_records_to_sample}.
   *
   * @param sampled records to see; 0 sees each once
   */
  public static TrainingOrder of(long records, long sampled, long seed) {
    return new TrainingOrder(records, sampled == 0 ? records : sampled, seed);
  }

  /** Record numbers in the order of training. */
  public LongStream stream() {
    SeededStreams streams = new SeededStreams(seed);
    long shuffles = (seen + records - 1) / records;
    return LongStream.range(0, shuffles)
        .flatMap(
            shuffle -> {
              KeyedPermutation order =
                  new KeyedPermutation(
                      records, streams.key(SeededStreams.Purpose.EPOCH_ORDER, shuffle));
              long count = Math.min(records, seen - shuffle * records);
              return LongStream.range(0, count).map(order::apply);
            });
  }
}
