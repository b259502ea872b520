package org.safesynth.evaluate;

import java.util.Map;
import java.util.Optional;
import org.safesynth.evaluate.Score.Scale;

/**
 * Synthetic Quality Score: the weighted mean of the quality scores that are available; the tabular
 * and the textual part weigh as many columns as they have.
 *
 * @param tabular of 0 to 10, or null
 * @param textual of 0 to 10, or null
 */
public record QualityScore(Score score, Double tabular, Double textual) implements Finding {
  static final String SCORE = "synthetic_data_quality_score";

  static QualityScore of(Evidence evidence, Findings findings) {
    Double tabular =
        mean(
            findings,
            Map.of(
                DeepStructure.SCORE,
                0.84,
                ColumnDistribution.SCORE,
                0.86,
                ColumnCorrelation.SCORE,
                1.0));
    Double textual = mean(findings, Map.of(TextSemantics.SCORE, 0.7, TextStructure.SCORE, 0.3));
    int texts = 0;
    for (int c = 0; c < evidence.columns(); c++) {
      texts += evidence.referenceType(c) == ColumnType.TEXT ? 1 : 0;
    }
    int others = evidence.columns() - texts;
    if (tabular == null && textual == null) {
      return new QualityScore(
          Score.unavailable("no quality score of a column is available"), null, null);
    }
    double quality =
        tabular == null
            ? textual
            : textual == null ? tabular : (others * tabular + texts * textual) / evidence.columns();
    return new QualityScore(Score.of(Scale.QUALITY, quality, quality), tabular, textual);
  }

  /** Weighted mean of the scores that are there, or null. */
  private static Double mean(Findings findings, Map<String, Double> weights) {
    double sum = 0;
    double total = 0;
    for (String name : weights.keySet().stream().sorted().toList()) {
      Optional<Double> score = findings.score(name);
      if (score.isPresent()) {
        sum += weights.get(name) * score.get();
        total += weights.get(name);
      }
    }
    return total == 0 ? null : NumberForm.round(sum / total, 3);
  }

  @Override
  public Map<String, Score> scores() {
    return Map.of(SCORE, score);
  }
}
