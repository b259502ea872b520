package org.safesynth.train;

import org.safesynth.model.PackedExamples;

/** Examples by their number; asked by one thread at a time. */
@FunctionalInterface
public interface ExampleSource {
  PackedExamples.Example example(long number);
}
