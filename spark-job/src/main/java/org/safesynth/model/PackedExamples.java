package org.safesynth.model;

import java.util.List;

/**
 * Examples of a micro-batch, one behind the other without padding; each begins at position 0 and
 * sees only itself.
 *
 * @param ids (tokens)
 * @param targets (tokens) the token that follows, or {@link #NO_LOSS}
 * @param lengths (examples)
 */
public record PackedExamples(int[] ids, int[] targets, int[] lengths) {
  /** Target of a token whose successor is read without loss. */
  public static final int NO_LOSS = -100;

  /** One example of tokens, of which the first are read without loss. */
  public record Example(int[] ids, int promptTokens) {}

  /** Puts examples together. */
  public static PackedExamples of(List<Example> examples) {
    int tokens = examples.stream().mapToInt(e -> e.ids().length).sum();
    int[] ids = new int[tokens];
    int[] targets = new int[tokens];
    int[] lengths = new int[examples.size()];
    int at = 0;
    for (int e = 0; e < lengths.length; e++) {
      int[] of = examples.get(e).ids();
      lengths[e] = of.length;
      System.arraycopy(of, 0, ids, at, of.length);
      for (int i = 0; i < of.length; i++) {
        boolean counts = i + 1 < of.length && i + 1 >= examples.get(e).promptTokens();
        targets[at + i] = counts ? of[i + 1] : NO_LOSS;
      }
      at += of.length;
    }
    return new PackedExamples(ids, targets, lengths);
  }

  /** Number of tokens with a loss in each example (examples). */
  public int[] lossTokens() {
    int[] counts = new int[lengths.length];
    int at = 0;
    for (int e = 0; e < lengths.length; e++) {
      for (int i = 0; i < lengths[e]; i++) {
        counts[e] += targets[at + i] == NO_LOSS ? 0 : 1;
      }
      at += lengths[e];
    }
    return counts;
  }

  /** Places in the examples (tokens), from 0 in each. */
  int[] positions() {
    int[] positions = new int[ids.length];
    int at = 0;
    for (int length : lengths) {
      for (int i = 0; i < length; i++) {
        positions[at++] = i;
      }
    }
    return positions;
  }
}
