package org.safesynth.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

@Tag("unit")
class ConfigWriterTest {
  private static SafeSynthesizerConfig read(String yaml) {
    return ConfigReader.read(yaml, "run.yaml", Map.of());
  }

  private static final String EVERYTHING =
      """
      data:
        holdout: 0.1
        options: {sep: ";", quote: "'"}
        missing_values: [NA, "null", "", "1.0"]
      training: {lora_target_modules: [q_proj, v_proj], learning_rate: 0.0001}
      embedded: {hidden_size: 32, max_minutes: 0.5}
      generation: {temperature: 0.7, rebalance: {income: {">50K": 0.5}}, seed: 3}
      privacy: {epsilon: 2, delta: 0.00001}
      evaluation: {fail_below: {quality: 6}}
      cluster: {placement: driver, device: cpu}
      replace_pii: {steps: [{rows: {update: [{entity: email, value: x}]}}]}
      """;

  @Test
  void whatIsWrittenReadsBackAsTheSame() {
    for (String yaml : List.of("", EVERYTHING, "replace_pii: {}", "privacy: null")) {
      SafeSynthesizerConfig config = read(yaml);
      assertEquals(config, read(ConfigWriter.write(config)));
      assertEquals(config, read(ConfigWriter.toJson(config)));
    }
  }

  @Test
  void theReferencePageHoldsTheDefaults() {
    SafeSynthesizerConfig page = read(ReferencePage.text());
    assertEquals(ConfigReader.defaults().withExplicit(page.explicit()), page, ReferencePage.text());
  }

  @Test
  void everyParameterIsOnTheReferencePage() {
    for (Declaration declared : Parameters.all()) {
      assertTrue(ReferencePage.text().contains(declared.meaning()), declared.path());
    }
  }

  private static Map<String, String> parsed(String... arguments) {
    CommandSpec spec = CommandSpec.create();
    PicocliOptions options = PicocliOptions.addTo(spec);
    new CommandLine(spec).parseArgs(arguments);
    return new TreeMap<>(options.values());
  }

  @Test
  void everyParameterIsAnOptionInBothSpellings() {
    assertEquals(
        Map.of("data.holdout", "0.2", "generation.num_records", "7"),
        parsed("--data__holdout", "0.2", "--generation.num_records=7"));
    assertEquals(Map.of("training.use_unsloth", "true"), parsed("--training__use_unsloth"));
    assertEquals(Map.of("training.use_unsloth", "auto"), parsed("--training__use_unsloth", "auto"));
    assertEquals(Map.of("privacy", "null"), parsed("--no-privacy"));
    for (Declaration declared : Parameters.all()) {
      assertEquals(1, parsed("--" + declared.path() + "=x").size(), declared.path());
    }
  }

  @Test
  void helpShowsMeaningDefaultAndBounds() {
    CommandSpec spec = CommandSpec.create();
    PicocliOptions.addTo(spec);
    String help = new CommandLine(spec).getUsageMessage().replaceAll("\\s+", " ");
    assertTrue(help.contains("--generation.num_records"), help);
    assertTrue(help.contains("Rows to write. Default 1000; a whole number of at least 1"), help);
  }

  @Test
  void whatThisVersionDoesNotHaveIsRefusedInOneSentence() {
    Map<String, String> asked =
        Map.ofEntries(
            Map.entry("privacy.dp_enabled", "privacy: {dp_enabled: true}"),
            Map.entry("replace_pii", "replace_pii: {}"),
            Map.entry("data.group_training_examples_by", "data: {group_training_examples_by: a}"),
            Map.entry(
                "time_series.is_timeseries",
                "time_series: {is_timeseries: true, timestamp_column: t}\ndata: {}"),
            Map.entry("training.pretrained_model", "training: {pretrained_model: x/SmolLM3}"),
            Map.entry("generation.constraints", "generation: {constraints: [a < b]}"),
            Map.entry("generation.conditions", "generation: {conditions: c.csv}"),
            Map.entry("cluster.device", "cluster: {device: cuda}"),
            Map.entry("cluster.placement", "cluster: {placement: profile}"),
            Map.entry("evaluation.target", "evaluation: {target: a}"));
    asked.forEach(
        (path, yaml) -> {
          SafeSynthesizerConfig config = read(yaml);
          BadInputException fault =
              assertThrows(BadInputException.class, () -> Availability.check(config), path);
          assertTrue(fault.getMessage().startsWith(path + ": "), fault.getMessage());
        });
    assertFalse(Availability.check(read("")).isEmpty());
  }

  @Test
  void parametersThatDoNothingAreNamedOnce() {
    assertEquals(List.of(), EmbeddedUse.unused(read("generation: {num_records: 5}")));
    assertEquals(
        List.of("not used by the embedded model: training.batch_size, training.lora_r"),
        EmbeddedUse.unused(read("training: {lora_r: 8, batch_size: 1}")));
    assertEquals(List.of(), EmbeddedUse.unused(read("training: {num_input_records_to_sample: 5}")));
  }
}
