package org.safesynth.codec;

import java.io.Serializable;
import java.util.random.RandomGenerator;

/** Turns a record into tokens and tokens into a record. */
public interface RecordCodec extends Serializable {
  /** Number of tokens of a record. */
  int positions();

  /**
   * Number of tokens that may stand at a position: tokens are {@code 0 <= token <
   * vocabularySize(position)}.
   */
  int vocabularySize(int position);

  /**
   * Writes the tokens of a record.
   *
   * @param cells one canonical value a column, in the schema's order: null when missing, a {@code
   *     Long} of ticks for numeric kinds, a {@code String} for the others (booleans: {@code
   *     "true"}, {@code "false"})
   * @param tokens (positions) the result
   */
  void encode(Object[] cells, int[] tokens);

  /**
   * Reads a record back; any sequence of valid tokens is a valid record.
   *
   * @param tokens (positions)
   * @param record the record's number in the table that is written, from 0: what must be unique in
   *     it is made from this
   * @param random draws what the tokens leave open, such as the place within a bin
   * @return canonical values as in {@link #encode}
   */
  Object[] decode(int[] tokens, long record, RandomGenerator random);

  /** What may be written at each position. */
  RecordGrammar grammar();
}
