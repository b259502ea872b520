package org.safesynth.evaluate;

import java.util.Optional;

/**
 * What is judged.
 *
 * @param reference the real rows that the synthesizer learned from
 * @param synthetic the rows that it made
 * @param holdout real rows that it never saw
 * @param groups what makes the tables ones of groups
 * @param embedder what turns texts into vectors; without one, statistics of words do
 */
public record EvaluationInput(
    TypedTable reference,
    TypedTable synthetic,
    Optional<TypedTable> holdout,
    Optional<GroupKeys> groups,
    Optional<TextEmbedder> embedder) {}
