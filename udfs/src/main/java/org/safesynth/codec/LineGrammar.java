package org.safesynth.codec;

/** What a pretrained model may write next so that its text is a record and its line end. */
public interface LineGrammar {
  /** The state in front of a record. */
  int START = 0;

  /** Whether a record and its line end are complete. */
  boolean isComplete(int state);

  /** The tokens that may be written in a state, in order. */
  int[] allowed(int state);

  /** The tokens that may follow a complete record: another record's first, or the end. */
  int[] allowedOrEnd(int eos);

  /**
   * The state after a token.
   *
   * @throws IllegalArgumentException if it may not be written
   */
  int next(int state, int token);

  /** Whether a token that may be written writes something of a given value, or ends one. */
  boolean isGiven(int state, int token);

  /** Tokens that {@link #shortestEnd} takes from a state. */
  int distance(int state);

  /** The tokens of a shortest way to a complete record: what is written when room runs out. */
  int[] shortestEnd(int state);

  /** The tokens that must follow a state whatever the values are; none where a choice is near. */
  int[] run(int state);
}
