package org.safesynth.evaluate;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What an evaluation found.
 *
 * @param findings by measure
 * @param notes what a reader of the scores must know
 * @param seconds that each measure took
 */
public record EvaluationResult(Findings findings, List<String> notes, Map<String, Double> seconds) {
  public EvaluationResult {
    notes = List.copyOf(notes);
    seconds = Collections.unmodifiableMap(new LinkedHashMap<>(seconds));
  }
}
