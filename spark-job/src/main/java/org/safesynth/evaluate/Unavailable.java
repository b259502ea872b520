package org.safesynth.evaluate;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A measure that could not be taken.
 *
 * @param reason one sentence: what is lacking
 * @param scores the scores that are missing because of it
 */
public record Unavailable(String reason, Map<String, Score> scores) implements Finding {
  /** A measure without a score of the reference. */
  public static Unavailable because(String reason) {
    return new Unavailable(reason, Map.of());
  }

  /** A measure whose scores are written as unavailable. */
  public static Unavailable of(String reason, String... scores) {
    Map<String, Score> missing = new LinkedHashMap<>();
    for (String score : scores) {
      missing.put(score, Score.unavailable(reason));
    }
    return new Unavailable(reason, missing);
  }

  @Override
  public String unavailable() {
    return reason;
  }
}
