package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("unit")
final class MainTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  @TempDir private Path temp;

  private int run(Map<String, String> environment, String... arguments) {
    out.reset();
    err.reset();
    return Main.execute(
        arguments,
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        environment);
  }

  private int run(String... arguments) {
    return run(Map.of(), arguments);
  }

  private void assertSays(String... parts) {
    String said = err.toString(StandardCharsets.UTF_8);
    for (String part : parts) {
      assertTrue(said.contains(part), "'" + part + "' in: " + said);
    }
    assertFalse(said.contains("\tat "), "no stack trace: " + said);
  }

  private String file(String name, String text) throws IOException {
    Files.writeString(temp.resolve(name), text);
    return temp.resolve(name).toString();
  }

  @Test
  void helpShowsEveryParameter() {
    assertEquals(0, run("run", "--help"));
    String help = out.toString(StandardCharsets.UTF_8);
    for (String option :
        new String[] {"--data__holdout", "--generation__num_records", "--run-id", "--verbose"}) {
      assertTrue(help.contains(option), option);
    }
    assertFalse(help.contains("wandb"));
  }

  @Test
  void anUnknownOptionIsWrongUsageWithASuggestion() {
    assertEquals(2, run("run", "--data-sorce", "x.csv"));
    assertSays("--data-sorce", "--data-source");
  }

  @Test
  void noCommandIsWrongUsage() {
    assertEquals(2, run());
    assertEquals(2, run("config"));
  }

  @Test
  void optionsOfServicesThatAreNotThereAreRefused() {
    assertEquals(2, run("run", "--wandb-mode", "offline"));
    assertSays("Weights & Biases is not supported");
    assertEquals(2, run("run", "--dataset-registry", "x"));
    assertSays("--dataset-registry is not supported");
  }

  @Test
  void aFileOfParametersIsValidatedWithoutSpark() throws IOException {
    boolean wasRunning = SparkSession.getDefaultSession().isDefined();
    assertEquals(
        0,
        run("config", "validate", "--config", file("c.yaml", "generation: {num_records: 10}\n")));
    assertSays("is valid");
    assertEquals(wasRunning, SparkSession.getDefaultSession().isDefined());
  }

  @Test
  void anUnknownParameterIsBadInputThatNamesTheNearest() throws IOException {
    String config = file("c.yaml", "generation: {num_record: 10}\n");
    assertEquals(2, run("config", "validate", "--config", config));
    assertSays("num_record", "num_records");
    assertEquals(2, run("run", "--config", config, "--data-source", "x.csv"));
    assertSays("num_records");
  }

  @Test
  void aValueOutOfRangeIsBadInputThatNamesTheParameter() {
    assertEquals(2, run("config", "validate", "--data__holdout", "-1"));
    assertSays("data.holdout");
  }

  @Test
  void aConfigurationThatDoesNotExistIsNamed() {
    assertEquals(2, run("run", "--config", temp.resolve("no.yaml").toString()));
    assertSays("no.yaml", "does not exist");
  }

  @Test
  void theEnvironmentGivesDefaultsThatOptionsReplace() throws IOException {
    Map<String, String> environment = Map.of("NSS_CONFIG", temp.resolve("env.yaml").toString());
    assertEquals(2, run(environment, "config", "validate"));
    assertSays("env.yaml");
    assertEquals(0, run(environment, "config", "validate", "--config", file("c.yaml", "")));
  }

  @Test
  void parametersAreWrittenWithThoseOfTheCommandLine() throws IOException {
    assertEquals(0, run("config", "create"));
    assertTrue(out.toString(StandardCharsets.UTF_8).contains("num_records: 1000"));
    String target = temp.resolve("new.yaml").toString();
    assertEquals(
        0,
        run(
            "config",
            "modify",
            "--config",
            file("c.yaml", "data: {holdout: 0.1}\n"),
            "--output",
            target,
            "--generation.num_records",
            "77"));
    String written = Files.readString(temp.resolve("new.yaml"));
    assertTrue(written.contains("holdout: 0.1") && written.contains("num_records: 77"), written);
    assertEquals(0, run("config", "validate", "--config", target));
  }

  @Test
  void aMissingDataSourceIsBadInput() {
    assertEquals(2, run("run", "--artifact-path", temp.toString()));
    assertSays("--data-source is missing");
  }

  @Test
  void resumingNeedsARunThatIsThere() {
    assertEquals(2, run("run", "--resume", "--data-source", "x.csv"));
    assertSays("--resume needs --run-id or --run-path");
    assertEquals(
        2, run("run", "--resume", "--data-source", "x.csv", "--run-path", temp + "/nothing"));
    assertSays("no run to resume");
  }

  @Test
  void generatingNeedsARun() {
    assertEquals(2, run("run", "generate"));
    assertSays("--run-path or --run-id");
    assertEquals(2, run("run", "generate", "--run-path", temp.resolve("no").toString()));
    assertSays("does not exist");
  }

  @Test
  void anOutputFileOfUnknownFormatIsRefusedBeforeAnyWork() {
    assertEquals(2, run("run", "--data-source", "x.csv", "--output-file", "x.xlsx"));
    assertSays(".xlsx", ".csv");
  }
}
