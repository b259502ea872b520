package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("unit")
final class ConsoleTest {
  private final Clock clock = Clock.fixed(Instant.EPOCH, ZoneOffset.UTC);
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  @TempDir private java.nio.file.Path temp;

  private Console console(Console.Format format, Console.Level level) {
    return new Console(
        format,
        level,
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        null,
        clock);
  }

  @Test
  void progressIsASentenceForPeopleAndAnObjectForMachines() {
    console(Console.Format.PLAIN, Console.Level.INFO)
        .progress("train", "loss 1.5", Map.of("loss", 1.5));
    assertEquals("loss 1.5\n", err.toString(StandardCharsets.UTF_8));
    err.reset();
    console(Console.Format.JSON, Console.Level.INFO)
        .progress("train", "loss 1.5", Map.of("loss", 1.5));
    assertEquals(
        "{\"time\":\"1970-01-01T00:00:00Z\",\"level\":\"info\",\"stage\":\"train\",\"message\":\"loss 1.5\",\"loss\":1.5}\n",
        err.toString(StandardCharsets.UTF_8));
  }

  @Test
  void resultsAreShownWhateverTheLevel() {
    Console console = console(Console.Format.PLAIN, Console.Level.ERROR);
    console.info("hidden");
    console.result("shown");
    assertEquals("", err.toString(StandardCharsets.UTF_8));
    assertEquals("shown\n", out.toString(StandardCharsets.UTF_8));
  }

  @Test
  void stackTracesAreForVerboseOnly() {
    console(Console.Format.PLAIN, Console.Level.INFO).trace(new IllegalStateException("x"));
    assertEquals("", err.toString(StandardCharsets.UTF_8));
    console(Console.Format.PLAIN, Console.Level.DEBUG).trace(new IllegalStateException("x"));
    assertTrue(err.toString(StandardCharsets.UTF_8).contains("IllegalStateException: x"));
  }

  @Test
  void progressIsKeptWithTheRunAndGoesOnAfterAResume() throws IOException {
    RunFolder folder = RunFolder.toWrite(new Configuration(), new Path(temp.resolve("r").toUri()));
    for (int attempt = 0; attempt < 2; attempt++) {
      Console console = console(Console.Format.PLAIN, Console.Level.INFO);
      try (RunClaim claim = RunClaim.take(folder, console, RunClaim.Timing.USUAL);
          ProgressLog log = new ProgressLog(folder, claim, clock)) {
        console.recordTo(log);
        console.progress("train", "step", Map.of("step", attempt));
      }
    }
    assertEquals(
        "{\"time\":\"1970-01-01T00:00:00Z\",\"stage\":\"train\",\"step\":0}\n"
            + "{\"time\":\"1970-01-01T00:00:00Z\",\"stage\":\"train\",\"step\":1}\n",
        Files.readString(temp.resolve("r/progress.jsonl")));
  }

  @Test
  void timeSpansReadAsPeopleSayThem() {
    assertEquals("45 s", Console.duration(45.2));
    assertEquals("3 min 20 s", Console.duration(200));
    assertEquals("1 h 05 min", Console.duration(3900));
  }
}
