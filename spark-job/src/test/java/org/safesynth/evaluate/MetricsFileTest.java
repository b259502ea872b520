package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
final class MetricsFileTest {
  private static final List<String> REFERENCE_FIELDS =
      List.of(
          "synthetic_data_quality_score",
          "column_correlation_stability_score",
          "deep_structure_stability_score",
          "column_distribution_stability_score",
          "text_semantic_similarity_score",
          "text_structure_similarity_score",
          "data_privacy_score",
          "membership_inference_protection_score",
          "attribute_inference_protection_score",
          "num_valid_records",
          "num_invalid_records",
          "num_prompts",
          "valid_record_fraction",
          "timing");

  @Test
  void theReferencesFieldsComeFirstAndUnavailableOnesAreNull() throws IOException {
    Findings findings = new Findings();
    findings.add("mia", Unavailable.of("no holdout", "membership_inference_protection_score"));
    EvaluationResult result = new EvaluationResult(findings, List.of(), Map.of("mia", 0.5));
    MetricsFile.RunFacts run = new MetricsFile.RunFacts(90L, 10L, 3L, 12.0, null, 7.0, 2.0);
    JsonNode file = new ObjectMapper().readTree(MetricsFile.write(result, run));
    List<String> names = new ArrayList<>();
    file.fieldNames().forEachRemaining(names::add);
    assertEquals(REFERENCE_FIELDS, names.subList(0, REFERENCE_FIELDS.size()));
    assertTrue(file.get("membership_inference_protection_score").isNull());
    assertTrue(file.get("timing").get("pii_replacer_time_sec").isNull());
    assertEquals(0.9, file.get("valid_record_fraction").asDouble());
    assertEquals(7.0, file.get("timing").get("training_time_sec").asDouble());
    assertEquals(0.5, file.get("timing").get("evaluation_time_sec").asDouble());
    assertEquals("no holdout", file.get("unavailable").get("mia").asText());
    JsonNode score = file.get("scores").get("membership_inference_protection_score");
    assertEquals("Unavailable", score.get("grade").asText());
    assertTrue(score.has("raw_score") && score.get("raw_score").isNull());
  }

  @Test
  void whatIsNotANumberIsWrittenAsNull() throws IOException {
    record Found(double value, Double boxed, double[] many) implements Finding {}
    Findings findings = new Findings();
    findings.add(
        "m", new Found(Double.NaN, Double.POSITIVE_INFINITY, new double[] {1, Double.NaN}));
    String json =
        MetricsFile.write(
            new EvaluationResult(findings, List.of(), Map.of()), MetricsFile.RunFacts.none());
    JsonNode found = new ObjectMapper().readTree(json).get("measures").get("m");
    assertTrue(found.get("value").isNull());
    assertTrue(found.get("boxed").isNull());
    assertEquals("[1.0,null]", found.get("many").toString());
  }
}
