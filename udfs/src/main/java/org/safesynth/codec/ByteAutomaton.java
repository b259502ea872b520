package org.safesynth.codec;

/** An automaton over bytes with one move for each byte. */
interface ByteAutomaton {
  /** No state: the byte may not be written. */
  int NONE = -1;

  /** The state after a byte, or {@link #NONE}. */
  int next(int state, int read);

  boolean isAccepting(int state);

  /** Fewest bytes to an accepting state. */
  int distance(int state);

  /** A shortest text from here to an accepting state. */
  byte[] shortestEnd(int state);

  /** The state after a text, or {@link #NONE}. */
  default int next(int state, byte[] text) {
    int at = state;
    for (int i = 0; i < text.length && at != NONE; i++) {
      at = next(at, text[i] & 0xff);
    }
    return at;
  }

  /** The one byte that may be written here, or -1 when there are several or the end may be here. */
  default int onlyByte(int state) {
    if (isAccepting(state)) {
      return -1;
    }
    int only = -1;
    for (int read = 0; read < 256; read++) {
      if (next(state, read) != NONE) {
        if (only >= 0) {
          return -1;
        }
        only = read;
      }
    }
    return only;
  }
}
