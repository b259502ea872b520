package org.safesynth.codec;

import java.io.Serializable;

/**
 * Says which tokens may be written at a position, given the token before it.
 *
 * <p>A token is allowed when it is writable and lies below the limit that the token before sets.
 */
public interface RecordGrammar extends Serializable {
  /** Whether the token may ever be written: a protected rare value may not. */
  boolean isWritable(int position, int token);

  /**
   * Number of tokens, from 0, that are allowed after each token of the position before.
   *
   * @return (vocabulary of the position before), or null when the position does not depend on it
   */
  int[] limits(int position);
}
