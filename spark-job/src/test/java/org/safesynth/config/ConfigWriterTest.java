package org.safesynth.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A written configuration reads back as the same one. */
@Tag("unit")
final class ConfigWriterTest {
  private static final String RICH =
      """
      data:
        group_training_examples_by: "null"
        order_training_examples_by: "on: #1 \\"x\\" \\\\ \\u2028 \\U0001F600"
        max_sequences_per_example: null
        holdout: 250
        options: {sep: "\\t", header: true, nullValue: "~"}
        missing_values: [NA, "", "-", "null"]
        parent: {path: p.csv, key: "1", options: {a: [a, 1, 1.5, true, null, "1"], deep: {empty: {}, list: []}}}
      training: {learning_rate: 0.00000012, num_input_records_to_sample: 3_000_000_000}
      generation:
        temperature: 0.7
        constraints: ["a >= b", "c <> 'x, y'"]
      privacy: {accountant: pld, delta: 1e-7}
      replace_pii:
        globals: {seed: 5, lock_columns: [id]}
        steps:
        - vars: {row_seed: random.random()}
          columns: {add: [{name: tmp, position: 2}]}
          rows:
            update:
            - {name: a, value: "fake.name() | upper"}
            - condition: row.b == 'x'
              value: "'y'"
              fallback_value: null
        - rows: {drop: [{condition: "row.c | isna"}]}
      evaluation: {fail_below: {synthetic_data_quality_score: 7}}
      """;

  private static final String SHARES =
      "generation: {rebalance: {income: {\">50K\": 0.5, \"<=50K\": 0.5}}}";

  private static SafeSynthesizerConfig rich() {
    return ConfigReader.read(RICH, "rich.yaml", Map.of());
  }

  private static SafeSynthesizerConfig read(String text) {
    return ConfigReader.read(text, "saved", Map.of());
  }

  @Test
  void yamlReadsBackAsTheSameConfiguration() {
    assertEquals(rich(), read(ConfigWriter.toYaml(rich())));
    assertEquals(read(SHARES), read(ConfigWriter.toYaml(read(SHARES))));
    assertEquals(ConfigReader.defaults(), read(ConfigWriter.toYaml(ConfigReader.defaults())));
  }

  @Test
  void jsonReadsBackAsTheSameConfiguration() {
    assertEquals(rich(), read(ConfigWriter.toJson(rich())));
    assertEquals(read(SHARES), read(ConfigWriter.toJson(read(SHARES))));
  }

  @Test
  void writingIsStable() {
    String yaml = ConfigWriter.toYaml(rich());
    assertEquals(yaml, ConfigWriter.toYaml(read(yaml)));
  }

  @Test
  void everyParameterIsWritten() {
    Map<String, Object> tree = ConfigTree.of(read("replace_pii: {}"));
    for (Declaration declared : Parameters.all()) {
      String parent = declared.path().substring(0, declared.path().lastIndexOf('.'));
      assertTrue(
          ((Map<?, ?>) ConfigTree.at(tree, parent)).containsKey(declared.name()), declared.path());
    }
  }

  @Test
  void savedConfigurationRemembersWhatTheUserSet() {
    String saved = ConfigWriter.toYaml(read("privacy: {dp_enabled: true}"));
    SafeSynthesizerConfig again =
        ConfigReader.read(saved, "saved", Map.of("generation.num_records", "5"));
    assertEquals(Set.of("privacy.dp_enabled", "generation.num_records"), again.explicit());
    assertEquals(List.of(), EmbeddedUse.unused(again));
  }

  @Test
  void severalValuesFitOneLine() {
    assertTrue(
        ConfigWriter.toYaml(ConfigReader.defaults())
            .contains("  lora_target_modules: [q_proj, k_proj, v_proj, o_proj]\n"));
  }
}
