package org.safesynth.config;

import java.io.Serializable;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The report on quality and privacy of the synthetic table. */
@Section("The report on quality and privacy of the synthetic table")
public record EvaluationConfig(
    @Parameter(meaning = "Whether the report is made", byDefault = "true") boolean enabled,
    @Parameter(meaning = "Whether membership inference is tried", byDefault = "true")
        boolean miaEnabled,
    @Parameter(meaning = "Whether attribute inference is tried", byDefault = "true")
        boolean aiaEnabled,
    @Parameter(meaning = "Whether replayed personal data is counted", byDefault = "true")
        boolean piiReplayEnabled,
    @Parameter(meaning = "Most columns in the quality scores", byDefault = "250", min = 1)
        int sqsReportColumns,
    @Parameter(
            meaning = "Most rows in the quality scores; may be as large as the table",
            byDefault = "5000",
            min = 1)
        long sqsReportRows,
    @Parameter(
            meaning = "Columns that an attacker knows in attribute inference",
            byDefault = "3",
            min = 0)
        int quasiIdentifierCount,
    @Parameter(
            meaning = "Number of columns that must be part of the evaluation",
            byDefault = "null",
            min = 0)
        Integer mandatoryColumns,
    @Parameter(meaning = "Kinds of personal data whose replay is counted", byDefault = "null")
        List<String> piiReplayEntities,
    @Parameter(meaning = "Columns whose replay is counted", byDefault = "null")
        List<String> piiReplayColumns,
    @Parameter(
            meaning = "Column that a model trained on synthetic rows predicts on real ones",
            byDefault = "null")
        String target,
    @Parameter(
            meaning = "Least scores; a lower one makes the run exit with 1",
            byDefault = "{}",
            note = "for example {quality: 6, privacy: 8}")
        Map<String, Double> failBelow)
    implements Serializable {
  /** What {@code fail_below} may name: the scores of {@code metrics.json}, two with short names. */
  public static final Map<String, String> SCORES = scores();

  private static Map<String, String> scores() {
    Map<String, String> names = new LinkedHashMap<>();
    names.put("quality", "synthetic_data_quality_score");
    names.put("privacy", "data_privacy_score");
    for (String score :
        List.of(
            "synthetic_data_quality_score",
            "column_correlation_stability_score",
            "deep_structure_stability_score",
            "column_distribution_stability_score",
            "text_semantic_similarity_score",
            "text_structure_similarity_score",
            "data_privacy_score",
            "membership_inference_protection_score",
            "attribute_inference_protection_score")) {
      names.put(score, score);
    }
    return Collections.unmodifiableMap(names);
  }
}
