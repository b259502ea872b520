package org.safesynth.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.safesynth.config.ConfigReaderTest.read;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.safesynth.fault.BadInputException;

/** What is missing is refused when asked for, and told when merely off. */
@Tag("unit")
final class AvailabilityTest {
  @Test
  void stagesThatAreOffGetALineEach() {
    List<String> notices = Availability.check(ConfigReader.defaults());
    assertEquals(2, notices.size());
    assertTrue(notices.get(0).startsWith("PII replacement is off"));
    assertTrue(notices.get(1).startsWith("Differential privacy is off"));
  }

  @Test
  void writtenDefaultsAreNoRequest() {
    assertEquals(2, Availability.check(read(ReferencePage.text())).size());
    Availability.check(read("privacy: null\nreplace_pii: null"));
    Availability.check(read("training: {pretrained_model: Embedded}"));
    Availability.check(read("cluster: {device: cpu, placement: driver}"));
    String series = "time_series: {is_timeseries: true, timestamp_column: t}";
    Availability.check(read(series));
    Availability.check(
        read(
            series
                + "\ntraining: {pretrained_model: a}\ngeneration: {use_structured_generation: true}"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          replace_pii: {}                                               | replace_pii is given
          {data: {group_training_examples_by: id}, training: {pretrained_model: TinyLlama}, privacy: {dp_enabled: true}} | data.group_training_examples_by is id
          {data: {parent: {path: a, key: b}}, privacy: {dp_enabled: true}} | data.parent is {path: a, key: b}
          {data: {parent: {path: a, key: b}}, time_series: {is_timeseries: true, timestamp_column: t}} | data.parent is {path: a, key: b}
          {data: {parent: {path: a, key: b}, group_training_examples_by: b}, time_series: {is_timeseries: true, timestamp_column: t}} | data.parent is {path: a, key: b}
          {data: {coordinates: {a: b}, group_training_examples_by: c}} | data.coordinates is {a: b}
          {data: {coordinates: {a: b}}, privacy: {dp_enabled: true}}    | data.coordinates is {a: b}
          generation: {num_groups: 5}                                   | generation.num_groups is 5
          cluster: {device: cuda}                                       | cluster.device is cuda
          cluster: {generation_device: cuda}                            | cluster.generation_device is cuda
          """)
  void explicitRequestsAreRefusedInOneSentence(String yaml, String beginning) {
    BadInputException e =
        assertThrows(BadInputException.class, () -> Availability.check(read(yaml)));
    assertTrue(e.getMessage().startsWith(beginning + ", but this version "), e.getMessage());
  }

  @Test
  void everyReasonBelongsToADeclaredPath() {
    long found =
        Parameters.all().stream()
            .map(Declaration::path)
            .filter(path -> Availability.reason(path).isPresent())
            .map(path -> path.startsWith("replace_pii") ? "replace_pii" : path)
            .distinct()
            .count();
    assertEquals(8, found);
  }

  @Test
  void unusedParametersAreNamedForTheEmbeddedModelOnly() {
    String yaml =
        """
        training: {batch_size: 1, learning_rate: 0.0005, lora_r: 32, num_input_records_to_sample: 9}
        generation: {patience: 3, temperature: 0.9, top_p: 1.0, repetition_penalty: 1.0}
        """;
    assertEquals(
        List.of(
            "training.batch_size",
            "training.learning_rate",
            "training.lora_r",
            "generation.repetition_penalty",
            "generation.patience"),
        EmbeddedUse.unused(read(yaml)));
    assertEquals(List.of(), EmbeddedUse.unused(read("")));
    Map<String, String> other = Map.of("training.pretrained_model", "TinyLlama");
    assertEquals(List.of(), EmbeddedUse.unused(ConfigReader.read(yaml, "y", other)));
  }

  @Test
  void aFileOfTheReferenceImplementationIsReadWhole() {
    SafeSynthesizerConfig config = read(REFERENCE_FILE);
    assertEquals(42, config.data().randomState());
    assertEquals("HuggingFaceTB/SmolLM3-3B", config.training().pretrainedModel());
    assertEquals(0.0005, config.training().learningRate().value());
    assertEquals(2, config.replacePii().steps().size());
    assertEquals(5000, config.generation().numRecords());
    BadInputException e = assertThrows(BadInputException.class, () -> Availability.check(config));
    assertTrue(e.getMessage().startsWith("replace_pii is given"), e.getMessage());

    SafeSynthesizerConfig here =
        ConfigReader.read(
            REFERENCE_FILE,
            "y",
            Map.of("training__pretrained_model", "embedded", "replace_pii", "null"));
    assertEquals(2, Availability.check(here).size());
    assertTrue(EmbeddedUse.unused(here).contains("training.gradient_accumulation_steps"));
    assertFalse(EmbeddedUse.unused(here).contains("generation.temperature"));
    assertEquals(0.9, here.temperature());
  }

  /** The parameters of NeMo Safe Synthesizer, written out as its users do. */
  private static final String REFERENCE_FILE =
      """
      # Customer orders, first try
      data:
        holdout: 0.05
        max_holdout: 2000
        random_state: 42
        group_training_examples_by: null
        order_training_examples_by: null
        max_sequences_per_example: auto
      training:
        pretrained_model: "HuggingFaceTB/SmolLM3-3B"
        num_input_records_to_sample: 25_000
        batch_size: 1
        gradient_accumulation_steps: 8
        weight_decay: 0.01
        warmup_ratio: 0.05
        lr_scheduler: cosine
        learning_rate: 5e-4
        lora_r: 32
        lora_alpha_over_r: 1
        lora_target_modules:
        - q_proj
        - k_proj
        - v_proj
        - o_proj
        use_unsloth: auto
        rope_scaling_factor: auto
        validation_ratio: 0.0
        validation_steps: 15
        quantize_model: False
        quantization_bits: 8
        peft_implementation: QLORA
        max_vram_fraction: 0.8
        attn_implementation: kernels-community/vllm-flash-attn3
      generation:
        num_records: 5000
        temperature: 0.9
        repetition_penalty: 1.0
        top_p: 1.0
        patience: 3
        invalid_fraction_threshold: 0.8
        use_structured_generation: false
        structured_generation_backend: auto
        structured_generation_schema_method: regex
        structured_generation_use_single_sequence: false
        enforce_timeseries_fidelity: false
        attention_backend: auto
        validation:
          group_by_accept_no_delineator: false
          group_by_ignore_invalid_records: false
          group_by_fix_non_unique_value: false
          group_by_fix_unordered_records: false
      privacy:
        dp_enabled: false
        epsilon: 8
        delta: auto
        per_sample_max_grad_norm: 1.0
      time_series:
        is_timeseries: false
        timestamp_column: null
        timestamp_interval_seconds: null
        timestamp_format: null
        start_timestamp: null
        stop_timestamp: null
      evaluation:
        enabled: true
        mia_enabled: true
        aia_enabled: true
        pii_replay_enabled: true
        sqs_report_columns: 250
        sqs_report_rows: 5000
        quasi_identifier_count: 3
        mandatory_columns: null
        pii_replay_entities: [email, phone_number]
        pii_replay_columns: null
      replace_pii:
        globals:
          locales: [en_US, en_GB]
          seed: 7
          lock_columns: [order_id]
          classify:
            enable_classify: true
            entities: [first_name, last_name, email]
            num_samples: 3
          ner:
            ner_threshold: 0.3
            enable_regexps: false
            gliner:
              enable_gliner: true
              batch_size: 8
              chunk_length: 512
              gliner_model: nvidia/gliner-PII
        steps:
        - vars:
            row_seed: random.random()
          rows:
            update:
            - entity: [first_name]
              value: fake.first_name()
            - type: text
              value: this | fake_entities
        - columns:
            rename:
            - name: mail
              value: email
      """;
}
