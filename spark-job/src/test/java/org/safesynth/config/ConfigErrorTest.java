package org.safesynth.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.safesynth.config.ConfigReaderTest.error;

import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every mistake gives one sentence: what, where, what to do. */
@Tag("unit")
final class ConfigErrorTest {
  @Test
  void unknownKeysNameTheNearestOne() {
    assertEquals(
        "run.yaml, line 2: unknown parameter training.lora_rr; did you mean training.lora_r?",
        error("training:\n  lora_rr: 3\n"));
    assertEquals(
        "run.yaml, line 1: unknown parameter trainign; did you mean training?",
        error("trainign: {}"));
    assertEquals(
        "command line: unknown parameter generation.num_record;"
            + " did you mean generation.num_records?",
        error("", Map.of("generation__num_record", "5")));
  }

  @Test
  void keysOfAnotherSectionAreNamed() {
    assertEquals(
        "run.yaml, line 1: unknown parameter epsilon; did you mean privacy.epsilon?",
        error("epsilon: 3"));
    assertEquals(
        "run.yaml, line 1: unknown parameter data.learning_rate;"
            + " did you mean training.learning_rate or embedded.learning_rate?",
        error("data: {learning_rate: 3}"));
  }

  @Test
  void keysLikeNoOtherListWhatIsKnown() {
    assertEquals(
        "run.yaml, line 1: unknown parameter time_series.zzzzzzzz; known here are is_timeseries,"
            + " timestamp_column, timestamp_interval_seconds, timestamp_format, start_timestamp,"
            + " stop_timestamp",
        error("time_series: {zzzzzzzz: 1}"));
    assertTrue(error("data: {1: 2}").contains("unknown parameter data.1; known here are group_"));
  }

  @Test
  void duplicateKeysAreRefused() {
    assertEquals(
        "run.yaml, line 3: data.holdout is given twice (first in line 2); keep one of them",
        error("data:\n  holdout: 0.1\n  holdout: 0.2\n"));
    assertEquals(
        "run.yaml, line 2: data is given twice (first in line 1); keep one of them",
        error("data: {}\ndata: {}\n"));
    assertEquals(
        "run.yaml, line 1: data.options.a is given twice (first in line 1); keep one of them",
        error("data: {options: {a: 1, a: 2}}"));
    assertEquals(
        "command line: data.options.a is given twice; keep one of them",
        error("", Map.of("data.options", "{a: 1, a: 2}")));
    assertEquals(
        "command line: data.holdout is given twice; keep one",
        error("", Map.of("data.holdout", "0.1", "data__holdout", "0.2")));
  }

  @Test
  void syntaxErrorsNameLineAndColumn() {
    String message = error("data:\n  holdout: [1, 2\ntraining: {}\n");
    assertTrue(message.startsWith("run.yaml, line 3, column "), message);
    assertTrue(message.contains("this is not YAML"), message);
    assertTrue(error("data:\n\tholdout: 1").contains("line 2, column 1"));
    assertTrue(error("a: b: c").contains("line 1, column 5"));
    assertTrue(error("data: {format: \"\u0001\"}").startsWith("run.yaml: this is not YAML"));
    assertTrue(
        error("", Map.of("data.options", "{a"))
            .startsWith("command line: data.options: this is not YAML"));
  }

  @Test
  void structureIsChecked() {
    assertEquals(
        "run.yaml, line 1: the configuration must be a map of sections such as data: and training:",
        error("- a"));
    assertEquals(
        "run.yaml, line 1: data is '5', but must be a map of its parameters, one in a line",
        error("data: 5"));
    assertEquals(
        "run.yaml, line 3: a second document begins here; keep one in a file",
        error("data: {}\n---\ndata: {}\n"));
    assertTrue(error("data: {? [a] : 1}").contains("keys must be plain names"));
    assertTrue(error("data: !!python/object:os.system {}").contains("remove the tag"));
    assertTrue(error("data: {parent: &p {key: *p}}").contains("nested deeper than 32"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          data.holdout                         | -0.1    | '-0.1', but must be a number of at least 0
          data.holdout                         | true    | 'true', but must be a number of at least 0
          data.holdout                         | .nan    | '.nan', but must be a number of at least 0
          data.holdout                         | 1e999   | '1e999', but must be a number of at least 0
          data.holdout                         | [1]     | a list, but must be a number of at least 0
          data.holdout                         | auto    | 'auto', but must be a number of at least 0
          data.holdout                         | null    | null, but must be a number of at least 0; leave it out for the default, 0.05
          data.max_holdout                     | 1.5     | '1.5', but must be a whole number of at least 0
          data.random_state                    | 1e30    | '1e30', but must be a whole number of at least 0 or null
          data.max_sequences_per_example       | 0       | '0', but must be a whole number of at least 1, auto or null
          data.value_protection                | maybe   | 'maybe', but must be true or false
          training.batch_size                  | 0       | '0', but must be a whole number of at least 1
          training.batch_size                  | 9999999999 | '9999999999', but must be a whole number of at least 1
          training.weight_decay                | 0       | '0', but must be a number above 0 and below 1
          training.weight_decay                | 1       | '1', but must be a number above 0 and below 1
          training.learning_rate               | 1.0     | '1.0', but must be a number above 0 and below 1 or auto
          training.learning_rate               | 1e-999  | '1e-999', but must be a number above 0 and below 1 or auto
          training.lora_alpha_over_r           | 3.1     | '3.1', but must be a number of at least 0.5 and at most 3
          training.quantization_bits           | 5       | '5', but must be one of 4, 8
          training.use_unsloth                 | 2       | '2', but must be true, false or auto
          training.lr_scheduler                | cosinus | 'cosinus', but must be one of linear, cosine, cosine_with_restarts, polynomial, constant, constant_with_warmup, inverse_sqrt, reduce_lr_on_plateau, cosine_with_min_lr, cosine_warmup_with_min_lr, warmup_stable_decay
          training.pretrained_model            | {}      | a map, but must be text
          training.pretrained_model            | ''      | empty, but must be text
          training.num_input_records_to_sample | -1      | '-1', but must be a whole number of at least 0 or auto
          generation.top_p                     | 0       | '0', but must be a number above 0 and at most 1
          generation.num_records               | 0       | '0', but must be a whole number of at least 1
          generation.validation.group_by_fix_non_unique_value | 3 | '3', but must be true or false
          privacy.epsilon                      | 0       | '0', but must be a number above 0
          privacy.delta                        | 0       | '0', but must be a number above 0 and below 1 or auto
          privacy.delta                        | 1       | '1', but must be a number above 0 and below 1 or auto
          privacy.per_sample_max_grad_norm     | 0       | '0', but must be a number above 0
          privacy.max_rows_per_group           | 0       | '0', but must be a whole number of at least 1 and at most 2000 or auto
          privacy.accountant                   | prv     | 'prv', but must be one of rdp, pld
          cluster.device                       | gpu     | 'gpu', but must be one of auto, cpu, cuda
          cluster.placement                    | null    | null, but must be one of auto, profile, pinned, driver; leave it out for the default, auto
          data.missing_values                  | NA      | 'NA', but must be a list of text; write [NA]
          data.options                         | [a]     | a list, but must be a map such as {name: value}
          """)
  void valuesThatAreNotAllowedNamePathValueAndWhatIs(String path, String value, String sentence) {
    StringBuilder yaml = new StringBuilder();
    String indent = "";
    for (String name : Parameters.names(path)) {
      yaml.append(yaml.isEmpty() ? "" : "\n").append(indent).append(name).append(":");
      indent += "  ";
    }
    int line = Parameters.names(path).size();
    String given = value == null || value.isEmpty() ? "''" : value;
    assertEquals(
        "run.yaml, line " + line + ": " + path + " is " + sentence, error(yaml + " " + given));
  }

  @Test
  void elementsAreNamedByTheirPlace() {
    assertEquals(
        "run.yaml, line 1: training.lora_target_modules[1] is 'x_proj', but must be one of q_proj,"
            + " k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj",
        error("training: {lora_target_modules: [q_proj, x_proj]}"));
    assertEquals(
        "run.yaml, line 1: evaluation.fail_below.score is 'high', but must be a number",
        error("evaluation: {fail_below: {score: high}}"));
    assertEquals(
        "run.yaml, line 1: data.options.a is a list, but must be text",
        error("data: {options: {a: [1]}}"));
  }

  @Test
  void errorsOfTheCommandLineSaySo() {
    assertEquals(
        "command line: training.lora_r is 'many', but must be a whole number of at least 1",
        error("training: {lora_r: 3}", Map.of("training.lora_r", "many")));
    assertEquals(
        "command line: replace_pii is switched off, but replace_pii.globals.seed is set; keep one"
            + " of them",
        error("", Map.of("replace_pii", "null", "replace_pii.globals.seed", "1")));
  }

  @Test
  void longValuesAreCut() {
    assertTrue(error("data: {holdout: " + "x".repeat(5000) + "}").length() < 200);
  }

  @Test
  void savedListOfExplicitParametersMustNameParameters() {
    assertTrue(error("explicit: [data.holdouts]").contains("data.holdouts"));
    assertTrue(error("explicit: all").contains("remove it"));
  }
}
