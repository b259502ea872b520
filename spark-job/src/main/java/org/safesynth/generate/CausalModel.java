package org.safesynth.generate;

import org.bytedeco.pytorch.Tensor;

/**
 * A causal language model as sampling sees it: the border to whatever computes the logits.
 *
 * <p>A cache holds rows that are sampled together. Each step appends the same number of columns to
 * all rows; where a row has fewer tokens than the step, the columns in front are padding. Rows may
 * so stand at different places of their texts, and a row can begin anew at any time.
 */
public interface CausalModel extends AutoCloseable {
  /** Position of a padding column. */
  int PADDING = -1;

  /** Number of token ids that logits are given for. */
  int vocabularySize();

  /**
   * Makes an empty cache.
   *
   * @param rows rows sampled together
   * @param columns most tokens of a row, its prompt included
   */
  Cache open(int rows, int columns);

  @Override
  void close();

  /** Keys and values of what the rows hold so far. */
  interface Cache extends AutoCloseable {
    /**
     * Appends tokens to all rows.
     *
     * @param ids (rows, time) any id in padding columns
     * @param positions (rows, time) places in the rows' texts from 0, or {@link #PADDING}
     * @return (rows, vocabulary) logits behind the last column
     */
    Tensor append(int[][] ids, int[][] positions);

    /**
     * Lets a row hold only its first tokens, and forgets the others.
     *
     * @param length tokens that stay
     */
    void truncate(int row, int length);

    @Override
    void close();
  }
}
