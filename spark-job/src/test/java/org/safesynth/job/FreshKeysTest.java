package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keys of written rows go on after the greatest one of the table. */
@Tag("spark")
final class FreshKeysTest {
  private static final int GREATEST = Integer.MAX_VALUE - 40;

  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(String command, String... more) {
    LocalSpark.session();
    err.reset();
    List<String> all = new ArrayList<>(List.of("run", command));
    all.addAll(List.of(more));
    return Main.execute(
        all.toArray(String[]::new),
        new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        Map.of());
  }

  private String said() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void keysBeyondTheirTypeEndTheRunAndDoNotWrapAround(@TempDir Path temp) throws IOException {
    List<String> lines = new ArrayList<>(List.of("id,town"));
    for (int i = 0; i < 300; i++) {
      lines.add((GREATEST - i) + (i % 3 == 0 ? ",ulm" : ",bonn"));
    }
    Path table = Files.write(temp.resolve("table.csv"), lines);
    Path types = temp.resolve("types.json");
    Files.writeString(
        types, "{\"columns\": [{\"name\": \"id\", \"kind\": \"identifier\", \"type\": \"int\"}]}");
    String folder = temp.resolve("run").toString();
    assertEquals(
        0,
        run(
            "train",
            "--data-source",
            table.toString(),
            "--data.schema_file",
            types.toString(),
            "--embedded.max_minutes",
            "0.05",
            "--run-path",
            folder),
        said());
    Path out = temp.resolve("out.csv");
    String[] few = {
      "--run-path", folder, "--generation.num_records", "40", "--output-file", out.toString()
    };
    assertEquals(0, run("generate", few), said());
    assertTrue(Files.readAllLines(out).get(40).startsWith(Integer.MAX_VALUE + ","));
    assertEquals(
        2, run("generate", "--run-path", folder, "--generation.num_records", "41"), said());
    assertTrue(
        said().contains("column 'id': 2147483648 does not fit its type int; declare"), said());
  }
}
