package org.safesynth.evaluate;

import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * One question that an evaluation asks.
 *
 * @param name under which the finding is written, in snake_case
 * @param work finds the answer from the tables and from what earlier measures found
 */
record Measure(String name, BiFunction<Evidence, Findings, Finding> work) {
  /** A measure that needs the tables only. */
  static Measure of(String name, Function<Evidence, Finding> work) {
    return new Measure(name, (evidence, findings) -> work.apply(evidence));
  }
}
