package org.safesynth.random;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Random streams that are keyed by the run's seed, what they are for, and a record, step or shard:
 * never by a partition or an attempt, so that a result is the same however the work was cut. Not
 * for privacy.
 */
public final class SeededStreams {
  /** What a stream is for; streams of different purposes are independent. */
  public enum Purpose {
    INITIAL_WEIGHTS,
    EPOCH_ORDER,
    INPUT_MASK,
    SAMPLING,
    RECORD_IDENTITY,
    SKETCH,
    PROTECTION,
    EVALUATION,
    COMPLETION
  }

  private final long seed;

  public SeededStreams(long seed) {
    this.seed = seed;
  }

  /** A key of 64 bits for a purpose. */
  public long key(Purpose purpose, long... parts) {
    long h = KeyedPermutation.mix(seed + 0x9e3779b97f4a7c15L * (purpose.ordinal() + 1));
    for (long part : parts) {
      h = KeyedPermutation.mix(h + 0x9e3779b97f4a7c15L + KeyedPermutation.mix(part));
    }
    return h;
  }

  /** A stream for a purpose and, say, a step and a micro-batch. */
  public RandomGenerator stream(Purpose purpose, long... parts) {
    return new SplittableRandom(key(purpose, parts));
  }
}
