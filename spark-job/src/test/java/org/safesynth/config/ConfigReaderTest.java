package org.safesynth.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;

/** What a configuration says is what the records hold. */
@Tag("unit")
final class ConfigReaderTest {
  static SafeSynthesizerConfig read(String yaml) {
    return ConfigReader.read(yaml, "run.yaml", Map.of());
  }

  static SafeSynthesizerConfig read(String yaml, String path, String value) {
    return ConfigReader.read(yaml, "run.yaml", Map.of(path, value));
  }

  static String error(String yaml, Map<String, String> overrides) {
    BadInputException e =
        assertThrows(BadInputException.class, () -> ConfigReader.read(yaml, "run.yaml", overrides));
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
    return e.getMessage();
  }

  static String error(String yaml) {
    return error(yaml, Map.of());
  }

  @Test
  void emptyFileGivesTheDefaults() {
    SafeSynthesizerConfig config = read("");
    assertEquals(ConfigReader.defaults(), config);
    assertEquals(config, read("data:\ntraining: {}\n# nothing\n").withExplicit(Set.of()));
    assertEquals(0.05, config.data().holdout());
    assertEquals(2000, config.data().maxHoldout());
    assertNull(config.data().randomState());
    assertTrue(config.data().maxSequencesPerExample().isAuto());
    assertTrue(config.data().valueProtection());
    assertTrue(config.isEmbedded());
    assertEquals(32, config.training().loraR());
    assertEquals(
        List.of("q_proj", "k_proj", "v_proj", "o_proj"), config.training().loraTargetModules());
    assertEquals(10, config.embedded().resolveMaxMinutes());
    assertEquals(1000, config.generation().numRecords());
    assertEquals(8.0, config.privacy().epsilon());
    assertFalse(config.privacy().dpEnabled());
    assertEquals(PrivacyConfig.Accountant.RDP, config.privacy().accountant());
    assertEquals(250, config.evaluation().sqsReportColumns());
    assertNull(config.replacePii());
    assertEquals(ClusterConfig.Placement.AUTO, config.cluster().placement());
    assertEquals(Set.of(), config.explicit());
  }

  @Test
  void whatIsGivenIsExplicit() {
    SafeSynthesizerConfig config =
        read(
            "data: {holdout: 0.1}\ngeneration: {validation: {group_by_fix_unordered_records: on}}");
    assertEquals(
        Set.of("data.holdout", "generation.validation.group_by_fix_unordered_records"),
        config.explicit());
    assertTrue(config.generation().validation().groupByFixUnorderedRecords());
  }

  @Test
  void commandLineGoesBeforeYamlAndYamlBeforeDefaults() {
    String yaml = "data: {holdout: 0.1, max_holdout: 50}";
    SafeSynthesizerConfig config = read(yaml, "data.holdout", "0.2");
    assertEquals(0.2, config.data().holdout());
    assertEquals(50, config.data().maxHoldout());
    assertEquals(1000, config.generation().numRecords());
    assertEquals(Set.of("data.holdout", "data.max_holdout"), config.explicit());
  }

  @Test
  void doubleUnderscoresSeparateLikeDots() {
    assertEquals(7, read("", "training__lora_r", "7").training().loraR());
    assertEquals(7L, read("", "replace_pii__globals__seed", "7").replacePii().globals().seed());
    assertTrue(
        read("", "generation__validation__group_by_accept_no_delineator", "true")
            .generation()
            .validation()
            .groupByAcceptNoDelineator());
  }

  @Test
  void listsOnTheCommandLineAreFlowOrCommaSeparated() {
    String path = "training.lora_target_modules";
    List<String> modules = List.of("q_proj", "up_proj");
    assertEquals(modules, read("", path, "[q_proj, up_proj]").training().loraTargetModules());
    assertEquals(modules, read("", path, "q_proj, up_proj").training().loraTargetModules());
    assertEquals(List.of("NA", ""), read("", "data.missing_values", "NA,").data().missingValues());
    assertEquals(List.of(), read("", "data.missing_values", "").data().missingValues());
  }

  @Test
  void mapsOnTheCommandLineAreFlow() {
    assertEquals(
        Map.of("header", "true", "sep", ";"),
        read("", "data.options", "{header: true, sep: ';'}").data().options());
  }

  @Test
  void textStaysAsWritten() {
    String path = "data.group_training_examples_by";
    for (String name : List.of("007", "no", "a: b", "[x]", "# n", "*all", "1e3", "naïve 😀")) {
      assertEquals(name, read("", path, name).data().groupTrainingExamplesBy());
    }
    assertEquals("null", read("", path, "\"null\"").data().groupTrainingExamplesBy());
    assertNull(read("", path, "null").data().groupTrainingExamplesBy());
    assertEquals(
        "007", read("data: {group_training_examples_by: 007}").data().groupTrainingExamplesBy());
    assertEquals(
        List.of("NA", "null", "-1"),
        read("data: {missing_values: [NA, null, -1]}").data().missingValues());
  }

  @Test
  void numbersAreReadAsLenientlyAsTheReferenceDoes() {
    assertEquals(1e-4, read("training: {learning_rate: 1e-4}").training().learningRate().value());
    assertEquals(
        25_000L,
        read("training: {num_input_records_to_sample: 25_000}")
            .training()
            .numInputRecordsToSample()
            .value());
    assertEquals(16, read("training: {lora_r: '16'}").training().loraR());
    assertEquals(16, read("training: {lora_r: 16.0}").training().loraR());
    assertEquals(8L, read("generation: {seed: +8}").generation().seed());
  }

  @Test
  void choicesAreMatchedWithoutRegardToCase() {
    assertEquals(
        "QLORA", read("training: {peft_implementation: qlora}").training().peftImplementation());
    assertEquals(
        PrivacyConfig.Accountant.PLD, read("privacy: {accountant: PLD}").privacy().accountant());
    assertEquals(ClusterConfig.Device.CUDA, read("cluster: {device: cuda}").cluster().device());
  }

  @Test
  void nullSwitchesPrivacyAndReplacementOff() {
    SafeSynthesizerConfig config = read("privacy: null\nreplace_pii: null");
    assertFalse(config.privacy().dpEnabled());
    assertNull(config.replacePii());
    assertEquals(Set.of("privacy", "replace_pii"), config.explicit());
    assertFalse(read("privacy: {dp_enabled: true}", "privacy", "null").privacy().dpEnabled());
    assertNull(read("replace_pii: {globals: {seed: 1}}", "replace_pii", "null").replacePii());
  }

  @Test
  void emptyReplacementAsksForTheDefaultSteps() {
    ReplacePii replacePii = read("replace_pii: {}").replacePii();
    assertNull(replacePii.steps());
    assertEquals(List.of("en_US"), replacePii.globals().locales());
    assertEquals(0.3, replacePii.globals().ner().nerThreshold());
  }

  @Test
  void maxSequencesMayBeANumberAutoOrNull() {
    assertEquals(
        4, read("data: {max_sequences_per_example: 4}").data().maxSequencesPerExample().value());
    assertTrue(
        read("data: {max_sequences_per_example: auto}").data().maxSequencesPerExample().isAuto());
    assertNull(read("data: {max_sequences_per_example: null}").data().maxSequencesPerExample());
  }

  @Test
  void temperatureFollowsTheModelUnlessGiven() {
    assertEquals(1.0, read("").temperature());
    assertEquals(0.9, read("training: {pretrained_model: some/Llama}").temperature());
    assertEquals(0.0, read("generation: {temperature: 0}").temperature());
  }

  @Test
  void generationSeedFollowsTheRandomState() {
    assertNull(read("").generationSeed());
    assertEquals(4L, read("data: {random_state: 4}").generationSeed());
    assertEquals(5L, read("data: {random_state: 4}\ngeneration: {seed: 5}").generationSeed());
  }

  @Test
  void valuesAreProtectedUnlessPrivacyIsPaidFor() {
    assertTrue(read("").protectsValues());
    assertFalse(read("data: {value_protection: false}").protectsValues());
    assertFalse(read("privacy: {dp_enabled: true}").protectsValues());
  }

  @Test
  void jsonIsReadToo() {
    SafeSynthesizerConfig config =
        read("{\"data\": {\"holdout\": 0.1, \"random_state\": null},\n\t\"privacy\": null}");
    assertEquals(0.1, config.data().holdout());
    assertEquals(
        "a/\u00e9\ud83d\ude00",
        read("{\"data\": {\"format\": \"a\\/\\u00e9\\ud83d\\ude00\"}}").data().format());
  }

  @Test
  void aliasesDoNotShareOverrides() {
    SafeSynthesizerConfig config =
        read(
            "evaluation: &e {fail_below: {quality: 1}}\ndata: {options: {x: &v 2, y: *v}}",
            "evaluation.enabled",
            "false");
    assertEquals(Map.of("x", "2", "y", "2"), config.data().options());
    assertEquals(Map.of("quality", 1.0), config.evaluation().failBelow());
  }
}
