package org.safesynth.evaluate;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the report tells beside the figures. Nothing of it may hold a credential.
 *
 * @param title of the page
 * @param subtitle what was made from what, in a line
 * @param facts of the run, by what they are called
 * @param config all settings, as YAML; null when there are none
 * @param reproduce the commands that repeat the run; null when not known
 * @param privacy what differential privacy promises; null when it is off
 * @param rareRows values that fewer sampled real rows have are not shown by name
 * @param dates columns that hold days since 1970
 * @param foot last line: versions
 */
public record ReportFacts(
    String title,
    String subtitle,
    Map<String, String> facts,
    String config,
    String reproduce,
    PrivacyNote privacy,
    int rareRows,
    List<String> dates,
    String foot) {
  public ReportFacts {
    dates = List.copyOf(dates);
    facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
  }

  /**
   * Differential privacy of the run.
   *
   * @param summary its promise in a paragraph
   * @param ledger the whole of {@code privacy.json}
   */
  public record PrivacyNote(String summary, String ledger) {}
}
