package org.safesynth.codec;

import java.util.random.RandomGenerator;

/** Turns a record into tokens and tokens into a record. */
public interface RecordCodec extends RecordEncoder {
  /**
   * Reads a record back; any sequence of valid tokens is a valid record.
   *
   * @param tokens (positions)
   * @param record the record's number in the table that is written, from 0: what must be unique in
   *     it is made from this
   * @param random draws what the tokens leave open, such as the place within a bin
   * @return canonical values as {@link #encode} takes them
   */
  Object[] decode(int[] tokens, long record, RandomGenerator random);

  /** What may be written at each position. */
  RecordGrammar grammar();
}
