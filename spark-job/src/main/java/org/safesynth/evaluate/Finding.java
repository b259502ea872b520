package org.safesynth.evaluate;

import java.util.Map;

/**
 * What a measure found: a record, written to {@code metrics.json} under the measure's name and read
 * by the report. Its components are in the order and with the names in which they are written.
 */
public interface Finding {
  /** The scores among what was found, by the name that the reference gives them. */
  default Map<String, Score> scores() {
    return Map.of();
  }

  /** Why nothing was found, in one sentence, or null. */
  default String unavailable() {
    return null;
  }
}
