package org.safesynth.evaluate;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** What the measures found so far, in their order. */
public final class Findings {
  private final Map<String, Finding> byName = new LinkedHashMap<>();

  void add(String measure, Finding finding) {
    if (byName.put(measure, finding) != null) {
      throw new IllegalArgumentException("two measures are called " + measure);
    }
  }

  /** The finding of a kind; empty when it is unavailable. */
  public <F extends Finding> Optional<F> find(Class<F> kind) {
    return byName.values().stream().filter(kind::isInstance).map(kind::cast).findFirst();
  }

  /** All findings by the measure's name. */
  public Map<String, Finding> byName() {
    return Collections.unmodifiableMap(byName);
  }

  /** All scores by their name. */
  public Map<String, Score> scores() {
    Map<String, Score> scores = new LinkedHashMap<>();
    byName.values().forEach(finding -> scores.putAll(finding.scores()));
    return scores;
  }

  /** A score that is there. */
  public Optional<Double> score(String name) {
    return Optional.ofNullable(scores().get(name)).map(Score::score);
  }
}
