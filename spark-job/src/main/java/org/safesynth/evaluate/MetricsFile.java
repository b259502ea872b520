package org.safesynth.evaluate;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes {@code metrics.json}: first the reference's fields under its names, null where
 * unavailable, then all scores with grade and notes, and what every measure found.
 */
public final class MetricsFile {
  /** The reference's scores, in its order. */
  private static final List<String> REFERENCE_SCORES =
      List.of(
          "synthetic_data_quality_score",
          "column_correlation_stability_score",
          "deep_structure_stability_score",
          "column_distribution_stability_score",
          "text_semantic_similarity_score",
          "text_structure_similarity_score",
          "data_privacy_score",
          "membership_inference_protection_score",
          "attribute_inference_protection_score");

  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .disable(MapperFeature.AUTO_DETECT_IS_GETTERS)
          .addModule(
              new SimpleModule()
                  .addSerializer(Double.class, new FiniteOrNull())
                  .addSerializer(double.class, new FiniteOrNull())
                  .addSerializer(double[].class, new FinitesOrNull()))
          .build();

  private MetricsFile() {}

  /**
   * What the run knows beside the evaluation; null where it does not.
   *
   * @param validRecords records that generation kept
   * @param invalidRecords records that it rejected
   * @param prompts requests that it took
   */
  public record RunFacts(
      Long validRecords,
      Long invalidRecords,
      Long prompts,
      Double totalSeconds,
      Double piiReplacerSeconds,
      Double trainingSeconds,
      Double generationSeconds) {
    /** Tables that came from elsewhere. */
    public static RunFacts none() {
      return new RunFacts(null, null, null, null, null, null, null);
    }
  }

  /** The file's text. */
  public static String write(EvaluationResult result, RunFacts run) {
    Map<String, Score> scores = result.findings().scores();
    Map<String, Object> file = new LinkedHashMap<>();
    for (String name : REFERENCE_SCORES) {
      Score score = scores.get(name);
      file.put(name, score == null ? null : score.score());
    }
    file.put("num_valid_records", run.validRecords());
    file.put("num_invalid_records", run.invalidRecords());
    file.put("num_prompts", run.prompts());
    file.put("valid_record_fraction", validFraction(run));
    file.put("timing", timing(result, run));
    file.put("scores", scores);
    file.put("notes", result.notes());
    file.put("unavailable", unavailable(result.findings()));
    file.put("measures", result.findings().byName());
    file.put("seconds", result.seconds());
    try {
      return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(file) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a finding cannot be written as JSON", e);
    }
  }

  private static Double validFraction(RunFacts run) {
    if (run.validRecords() == null || run.invalidRecords() == null) {
      return null;
    }
    long all = run.validRecords() + run.invalidRecords();
    return all == 0 ? null : (double) run.validRecords() / all;
  }

  private static Map<String, Object> timing(EvaluationResult result, RunFacts run) {
    Map<String, Object> timing = new LinkedHashMap<>();
    timing.put("total_time_sec", run.totalSeconds());
    timing.put("pii_replacer_time_sec", run.piiReplacerSeconds());
    timing.put("training_time_sec", run.trainingSeconds());
    timing.put("generation_time_sec", run.generationSeconds());
    timing.put(
        "evaluation_time_sec",
        result.seconds().values().stream().mapToDouble(Double::doubleValue).sum());
    return timing;
  }

  private static Map<String, String> unavailable(Findings findings) {
    Map<String, String> reasons = new LinkedHashMap<>();
    findings
        .byName()
        .forEach(
            (name, finding) -> {
              if (finding.unavailable() != null) {
                reasons.put(name, finding.unavailable());
              }
            });
    return reasons;
  }

  /** JSON has no NaN: what could not be computed is null. */
  private static final class FiniteOrNull extends StdSerializer<Double> {
    FiniteOrNull() {
      super(Double.class);
    }

    @Override
    public void serialize(Double value, JsonGenerator json, SerializerProvider provider)
        throws IOException {
      write(value, json);
    }

    static void write(double value, JsonGenerator json) throws IOException {
      if (Double.isFinite(value)) {
        json.writeNumber(value);
      } else {
        json.writeNull();
      }
    }
  }

  private static final class FinitesOrNull extends StdSerializer<double[]> {
    FinitesOrNull() {
      super(double[].class);
    }

    @Override
    public void serialize(double[] values, JsonGenerator json, SerializerProvider provider)
        throws IOException {
      json.writeStartArray();
      for (double value : values) {
        FiniteOrNull.write(value, json);
      }
      json.writeEndArray();
    }
  }
}
