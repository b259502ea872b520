package org.safesynth.job;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.safesynth.config.EvaluationConfig;
import org.safesynth.evaluate.Score;

/** Compares scores with {@code evaluation.fail_below}: a gate for batch pipelines. */
final class Thresholds {
  private Thresholds() {}

  /** A sentence for each score that is too low, or that a threshold needs and is not there. */
  static List<String> shortfalls(Map<String, Double> failBelow, Map<String, Score> scores) {
    List<String> sentences = new ArrayList<>();
    new TreeMap<>(failBelow)
        .forEach(
            (name, least) -> {
              Score score = scores.get(EvaluationConfig.SCORES.get(name));
              if (score == null || !score.isAvailable()) {
                sentences.add(
                    "evaluation.fail_below: %s must be at least %s and is unavailable: %s"
                        .formatted(name, least, score == null ? "not computed" : score.notes()));
              } else if (score.score() < least) {
                sentences.add(
                    "evaluation.fail_below: %s is %s, below %s"
                        .formatted(name, score.score(), least));
              }
            });
    return sentences;
  }
}
