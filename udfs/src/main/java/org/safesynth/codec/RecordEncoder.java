package org.safesynth.codec;

import java.io.Serializable;

/** Turns a record into tokens, one at each of some positions. */
public interface RecordEncoder extends Serializable {
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
}
