package org.safesynth.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Every parameter is an option, and what was given comes back. */
@Tag("unit")
final class PicocliOptionsTest {
  private static Map<String, String> parse(String... arguments) {
    CommandSpec command = CommandSpec.create();
    command.addOption(OptionSpec.builder("--run-id").type(String.class).build());
    PicocliOptions options = PicocliOptions.addTo(command);
    return options.overrides(new CommandLine(command).parseArgs(arguments));
  }

  @Test
  void everyParameterHasBothSpellings() {
    CommandSpec command = CommandSpec.create();
    PicocliOptions.addTo(command);
    for (Declaration declared : Parameters.all()) {
      String dotted = "--" + declared.path();
      OptionSpec option = command.findOption(dotted);
      assertEquals(option, command.findOption(dotted.replace(".", "__")));
    }
  }

  @Test
  void whatWasGivenComesBackByPath() {
    assertEquals(
        Map.of(
            "data.holdout", "0.1",
            "training.lora_r", "16",
            "replace_pii.globals.seed", "1",
            "generation.temperature", "0.7"),
        parse(
            "--data.holdout=0.1",
            "--training__lora_r",
            "16",
            "--run-id",
            "a",
            "--replace_pii__globals__seed",
            "1",
            "--generation.temperature",
            "0.7"));
    assertEquals(Map.of(), parse());
  }

  @Test
  void booleansNeedNoValue() {
    assertEquals(
        Map.of("privacy.dp_enabled", "true", "training.use_unsloth", "true"),
        parse("--privacy.dp_enabled", "--training.use_unsloth"));
    assertEquals(Map.of("evaluation.enabled", "false"), parse("--evaluation__enabled", "false"));
  }

  @Test
  void negativeNumbersAndListsAreValues() {
    assertEquals(
        Map.of("data.holdout", "-1", "data.missing_values", "[NA, '-']"),
        parse("--data.holdout", "-1", "--data.missing_values", "[NA, '-']"));
  }

  @Test
  void switchesSetSectionsToNull() {
    assertEquals(
        Map.of("privacy", "null", "replace_pii", "null"),
        parse("--no-privacy", "--no-replace-pii"));
  }

  @Test
  void theSameOptionTwiceIsRefused() {
    assertThrows(
        BadInputException.class, () -> parse("--data.holdout", "1", "--data__holdout", "2"));
  }

  @Test
  void parsedOptionsMakeAConfiguration() {
    SafeSynthesizerConfig config =
        ConfigReader.read(
            "generation: {num_records: 5}",
            "run.yaml",
            parse("--generation.num_records", "7", "--training.resume"));
    assertEquals(7, config.generation().numRecords());
    assertTrue(config.training().resume());
  }

  @Test
  void helpGroupsParametersBySectionAndExplainsThem() {
    CommandSpec command = CommandSpec.create();
    PicocliOptions.addTo(command);
    String help = new CommandLine(command).setUsageHelpWidth(160).getUsageMessage();
    assertTrue(help.contains("\nprivacy: Differential privacy"), help);
    assertTrue(help.contains("--privacy.epsilon, --privacy__epsilon=<number>"), help);
    assertTrue(
        help.replaceAll("\\s+", " ")
            .contains("4 to 12 is typical (a number above 0; default 8.0)."),
        help);
    assertTrue(help.indexOf("\ndata: ") < help.indexOf("\ntraining: "), help);
    assertTrue(help.contains("--no-privacy"), help);
  }
}
