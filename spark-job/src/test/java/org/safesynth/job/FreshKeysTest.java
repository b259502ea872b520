package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
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

  @TempDir private Path temp;

  @Test
  void keysBeyondTheirTypeEndTheRunAndDoNotWrapAround() throws IOException {
    LocalSpark.session();
    CommandRuns runs = new CommandRuns(temp);
    List<String> lines = new ArrayList<>(List.of("id,town"));
    for (int i = 0; i < 300; i++) {
      lines.add((GREATEST - i) + (i % 3 == 0 ? ",ulm" : ",bonn"));
    }
    Path table = Files.write(temp.resolve("table.csv"), lines);
    Path types = temp.resolve("types.json");
    Files.writeString(
        types, "{\"columns\": [{\"name\": \"id\", \"kind\": \"identifier\", \"type\": \"int\"}]}");
    Map<String, String> options =
        Map.of(
            "--data-source",
            table.toString(),
            "--data.schema_file",
            types.toString(),
            "--embedded.max_minutes",
            "0.05");
    assertEquals(0, runs.command("run train", "run", CommandRuns.options(options)), runs.said());
    Path out = temp.resolve("out.csv");
    String[] few = {"--generation.num_records", "40", "--output-file", out.toString()};
    assertEquals(0, runs.command("run generate", "run", few), runs.said());
    assertTrue(Files.readAllLines(out).get(40).startsWith(Integer.MAX_VALUE + ","));
    String[] more = {"--generation.num_records", "41"};
    assertEquals(2, runs.command("run generate", "run", more), runs.said());
    String expected = "column 'id': 2147483648 does not fit its type int; declare";
    assertTrue(runs.said().contains(expected), runs.said());
  }
}
