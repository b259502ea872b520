package org.safesynth.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.safesynth.config.ConfigReaderTest.error;
import static org.safesynth.config.ConfigReaderTest.read;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Parameters that do not go together are refused, those that do are not. */
@Tag("unit")
final class CrossRulesTest {
  private static final String DP = "privacy: {dp_enabled: true}\n";

  private static void refused(String yaml, String part) {
    String message = error(yaml);
    assertTrue(message.contains(part), message);
  }

  @Test
  void orderNeedsAGroup() {
    refused("data: {order_training_examples_by: day}", "needs data.group_training_examples_by");
    read("data: {order_training_examples_by: day, group_training_examples_by: id}");
  }

  @Test
  void aHoldoutFromOneOnIsAWholeNumberOfRows() {
    refused("data: {holdout: 1.5}", "data.holdout is 1.5");
    assertEquals(300, read("data: {holdout: 300}").data().holdout());
    assertEquals(0, read("data: {holdout: 0}").data().holdout());
  }

  @Test
  void aThresholdNamesAScoreAndLiesOnItsScale() {
    refused("evaluation: {fail_below: {qualty: 6}}", "names 'qualty', which is no score");
    refused("evaluation: {fail_below: {quality: 11}}", "quality is 11, but scores go from 0 to 10");
    read("evaluation: {fail_below: {quality: 6, privacy: 8, data_privacy_score: 0}}");
  }

  @Test
  void underPrivacyAnExampleIsOneUnit() {
    refused(DP + "data: {max_sequences_per_example: 2}", "data.max_sequences_per_example is 2");
    read(DP + "data: {max_sequences_per_example: 1}");
    read(DP + "data: {max_sequences_per_example: auto}");
    read(DP + "data: {max_sequences_per_example: null}");
    read("data: {max_sequences_per_example: 2}");
  }

  @Test
  void theFastBackendIsNotPrivate() {
    refused(DP + "training: {use_unsloth: true}", "training.use_unsloth: true");
    read(DP + "training: {use_unsloth: false}");
    read("training: {use_unsloth: true}");
  }

  @Test
  void valueProtectionIsNotPaidFor() {
    refused(DP + "data: {value_protection: true}", "data.value_protection: true");
    read("data: {value_protection: true}");
    read(DP);
    read(ConfigWriter.toYaml(read(DP)));
  }

  @Test
  void aSeriesWithoutGroupsIsOneUnit() {
    String series = "time_series: {is_timeseries: true, timestamp_column: t}\n";
    refused(DP + series, "one privacy unit");
    read(DP + series + "data: {group_training_examples_by: id}");
    read(series);
  }

  @Test
  void aSingleSeriesIsWrittenAsOneWhole() {
    String series = "time_series: {is_timeseries: true, timestamp_column: t}\n";
    String part = "is written as one whole";
    refused(series + "generation: {constraints: [a < b]}", part);
    refused(series + "generation: {conditions: cells.csv}", part);
    refused(series + "generation: {rebalance: {a: {x: 0.5, y: 0.5}}}", part);
    read(series + "data: {group_training_examples_by: id}\ngeneration: {constraints: [a < b]}");
  }

  @Test
  void aSingleSeriesEndsWhereAPretrainedModelIsHeldToIt() {
    String series =
        "time_series: {is_timeseries: true, timestamp_column: t}\n"
            + "training: {pretrained_model: TinyLlama}\n";
    refused(series, "which a pretrained model keeps only with");
    read(series + "generation: {use_structured_generation: true}");
    read(series + "generation: {enforce_timeseries_fidelity: true}");
    read(series + "data: {group_training_examples_by: id}");
  }

  @Test
  void timesOfDayAreForGroupsWithoutDifferentialPrivacy() {
    String series =
        "time_series: {is_timeseries: true, timestamp_column: t, timestamp_format: '%H:%M'}\n";
    String groups = series + "data: {group_training_examples_by: id}\n";
    String part = "times of day are learned only without privacy.dp_enabled";
    refused(series, part);
    refused(DP + groups, part);
    read(groups + "training: {pretrained_model: TinyLlama}");
    read(groups);
  }

  @Test
  void aPublicDomainIsNotPaidFor() {
    refused(
        "privacy: {assume_public_domain: true, domain_epsilon_share: 0.1}",
        "privacy.domain_epsilon_share");
    read("privacy: {assume_public_domain: true, domain_epsilon_share: 0}");
    read("privacy: {assume_public_domain: true}");
  }

  @Test
  void aTimeSeriesNeedsATime() {
    refused("time_series: {is_timeseries: true}", "time_series.timestamp_interval_seconds");
    read("time_series: {is_timeseries: true, timestamp_column: t}");
    read("time_series: {is_timeseries: true, timestamp_interval_seconds: 60}");
    refused(
        "data: {group_training_examples_by: g}\ngeneration: {conditions: c.csv}",
        "and a model of groups writes whole ones");
    refused(
        "generation: {conditions: c.csv, constraints: ['a < b']}",
        "choose among rows that are sampled freely");
    read(
        "time_series: {is_timeseries: true, timestamp_interval_seconds: 60, timestamp_format: elapsed_seconds}");
    refused(
        "time_series: {is_timeseries: true, timestamp_interval_seconds: 60, timestamp_format: '%Y-%m-%d'}",
        "are numbered in seconds; name the column");
    refused(
        "time_series: {is_timeseries: true, timestamp_interval_seconds: 60}\n"
            + "data: {group_training_examples_by: g, order_training_examples_by: t}",
        "their position in the table");
    refused("time_series: {timestamp_column: t}", "needs time_series.is_timeseries: true");
  }

  @ParameterizedTest
  @ValueSource(strings = {"%Y-%m-%d %H:%M:%S", "%-d.%-m.%y", "elapsed_seconds", "%d%%", "at %H"})
  void strftimeFormatsAreTaken(String format) {
    assertEquals(
        format,
        read("time_series: {timestamp_format: \"" + format + "\"}").timeSeries().timestampFormat());
  }

  @ParameterizedTest
  @ValueSource(strings = {"yyyy-MM-dd", "%Y-%Q", "%Y %", "elapsed"})
  void otherFormatsAreRefused(String format) {
    refused(
        "time_series: {timestamp_format: \"" + format + "\"}",
        "time_series.timestamp_format is '" + format + "'");
  }

  @Test
  void replacementHasOneToTenSteps() {
    refused("replace_pii: {steps: []}", "replace_pii.steps has 0 steps");
    String step = "{rows: {drop: [{condition: x}]}},";
    refused("replace_pii: {steps: [" + step.repeat(11) + "]}", "replace_pii.steps has 11 steps");
    read("replace_pii: {steps: [" + step.repeat(10) + "]}");
  }

  @Test
  void keysOfReplacementAreKnown() {
    refused("replace_pii: {global: {}}", "did you mean replace_pii.globals?");
    refused(
        "replace_pii: {globals: {ner: {gliner: {batchsize: 3}}}}",
        "did you mean replace_pii.globals.ner.gliner.batch_size?");
    refused("replace_pii: {steps: [{row: {}}]}", "did you mean replace_pii.steps[0].rows?");
    refused(
        "replace_pii: {steps: [{rows: {updates: []}}]}",
        "did you mean replace_pii.steps[0].rows.update?");
    refused(
        "replace_pii: {steps: [{rows: {update: [{entity: email, val: x}]}}]}",
        "unknown parameter replace_pii.steps[0].rows.update[0].val");
  }

  @Test
  void rulesOfReplacementAreWhole() {
    refused("replace_pii: {steps: [3]}", "replace_pii.steps[0] is '3'");
    refused("replace_pii: {steps: [{rows: 3}]}", "replace_pii.steps[0].rows must be a map");
    refused(
        "replace_pii: {steps: [{rows: {drop: {}}}]}",
        "replace_pii.steps[0].rows.drop must be a list");
    refused(
        "replace_pii: {steps: [{rows: {update: [{value: x}]}}]}",
        "give condition or entity or name or type");
    refused("replace_pii: {steps: [{rows: {update: [{name: a, foreach: b}]}}]}", "needs value");
    refused("replace_pii: {globals: {locales: [english]}}", "locales such as en_US");
    refused("replace_pii: {globals: {seed: 5000000000}}", "replace_pii.globals.seed");
  }
}
