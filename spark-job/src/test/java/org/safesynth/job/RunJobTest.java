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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("spark")
final class RunJobTest {
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  @TempDir private Path temp;

  @BeforeAll
  static void useTheSharedSession() {
    LocalSpark.session();
  }

  private int run(String... arguments) {
    err.reset();
    List<String> all = new ArrayList<>(List.of("run"));
    all.addAll(List.of(arguments));
    all.addAll(List.of("--run-path", temp.resolve("r").toString()));
    return Main.execute(
        all.toArray(String[]::new),
        new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        Map.of());
  }

  private RunResult result() {
    return RunFolder.toWrite(
            new Configuration(), new org.apache.hadoop.fs.Path(temp.resolve("r").toUri()))
        .result()
        .orElseThrow();
  }

  @Test
  void badInputIsOneSentenceAndCodeTwoAndIsInTheResult() {
    assertEquals(2, run("--data-source", temp.resolve("no.csv").toString()));
    String said = err.toString(StandardCharsets.UTF_8);
    assertTrue(
        said.contains("error: --data-source: ") && said.contains("does not exist; name a file"),
        said);
    assertFalse(said.contains("\tat "), said);
    RunResult result = result();
    assertEquals(RunResult.FAILED, result.status());
    assertEquals("open", result.stage());
    assertTrue(result.error().contains("no.csv does not exist"), result.error());
    assertTrue(result.versions().get("spark").startsWith("4."));
  }

  @Test
  void verboseShowsTheStackTrace() {
    assertEquals(2, run("--verbose", "--data-source", temp.resolve("no.csv").toString()));
    assertTrue(err.toString(StandardCharsets.UTF_8).contains("\tat org.safesynth"));
  }

  @Test
  void aMistakeThatIsMendedMayUseTheSameRunIdWithOtherParameters() throws IOException {
    Path table = temp.resolve("t.csv");
    Files.writeString(table, "a;b\n1;2\n");
    assertEquals(2, run("--data-source", table.toString()));
    assertEquals("open", result().stage());
    run("--data-source", table.toString(), "--data__options", "{sep: ;}");
    assertFalse(err.toString(StandardCharsets.UTF_8).contains("delimiter"));
  }

  @Test
  void progressMayBeJson() {
    run("--log-format", "json", "--data-source", temp.resolve("no.csv").toString());
    for (String line : err.toString(StandardCharsets.UTF_8).lines().toList()) {
      assertTrue(line.startsWith("{") && line.endsWith("}"), line);
    }
  }

  @Test
  void theLogFileHasEveryLine() throws IOException {
    Path log = temp.resolve("log/run.log");
    run("--log-file", log.toString(), "--data-source", temp.resolve("no.csv").toString());
    assertEquals(err.toString(StandardCharsets.UTF_8), Files.readString(log));
  }
}
