package org.safesynth.generate;

import java.util.Map;
import java.util.TreeMap;
import org.safesynth.codec.Rejection;
import org.safesynth.fault.RunFailedException;

/**
 * Ends a generation that yields too few valid records: at once when the first batch has none, else
 * after some bad batches in a row, where a batch is bad when the mean of the invalid fractions of
 * all batches so far is too high.
 */
final class StopRule {
  private final int patience;
  private final double threshold;
  private int batches;
  private int bad;
  private double sum;

  /**
   * @param patience bad batches in a row that end the run
   * @param threshold mean invalid fraction from which a batch is bad
   */
  StopRule(int patience, double threshold) {
    this.patience = patience;
    this.threshold = threshold;
  }

  /** Looks at a batch; one without any record is invalid as a whole. */
  void batch(long valid, long invalid, Map<Rejection, Long> reasons) {
    batches++;
    sum += valid + invalid == 0 ? 1 : (double) invalid / (valid + invalid);
    if (batches == 1 && valid == 0) {
      throw new RunFailedException(
          "generation stopped: the first batch holds no valid record (%s); train longer, or set generation.use_structured_generation"
              .formatted(said(reasons)));
    }
    bad = sum / batches >= threshold ? bad + 1 : 0;
    if (bad >= patience) {
      throw new RunFailedException(
          "generation stopped: after %d batches %.0f %% of the records are invalid on average, not below generation.invalid_fraction_threshold (%.0f %%), %d batches in a row (%s); train longer, or set generation.use_structured_generation"
              .formatted(batches, 100 * sum / batches, 100 * threshold, bad, said(reasons)));
    }
  }

  private static String said(Map<Rejection, Long> reasons) {
    if (reasons.isEmpty()) {
      return "no text that looks like a record";
    }
    Map<String, Long> byWords = new TreeMap<>();
    reasons.forEach(
        (rejection, count) -> byWords.merge(rejection.reason().words(), count, Long::sum));
    StringBuilder said = new StringBuilder();
    byWords.entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
        .forEach(e -> said.append(", %s: %,d".formatted(e.getKey(), e.getValue())));
    return said.substring(2);
  }
}
