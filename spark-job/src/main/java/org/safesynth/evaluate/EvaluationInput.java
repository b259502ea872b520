package org.safesynth.evaluate;

import java.util.Optional;

/**
 * What is judged.
 *
 * @param reference the real rows that the synthesizer learned from
 * @param synthetic the rows that it made
 * @param holdout real rows that it never saw
 * @param groups what makes the tables ones of groups
 * @param children how the rows belong to those of the other table, where there are two
 * @param embedder what turns texts into vectors; without one, statistics of words do
 */
public record EvaluationInput(
    TypedTable reference,
    TypedTable synthetic,
    Optional<TypedTable> holdout,
    Optional<GroupKeys> groups,
    Optional<ChildCounts> children,
    Optional<TextEmbedder> embedder) {
  /** A table that stands for itself. */
  public EvaluationInput(
      TypedTable reference,
      TypedTable synthetic,
      Optional<TypedTable> holdout,
      Optional<GroupKeys> groups,
      Optional<TextEmbedder> embedder) {
    this(reference, synthetic, holdout, groups, Optional.empty(), embedder);
  }
}
