package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
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
    String expected =
        "column 'id': its type int has room for 40 fresh keys after the greatest one of the table, and 41 are needed; declare";
    assertTrue(runs.said().contains(expected), runs.said());
    assertEquals(2, runs.command("run", "all", CommandRuns.options(options, more)), runs.said());
    assertTrue(runs.said().contains(expected), runs.said());
    assertFalse(Files.exists(temp.resolve("all/model")));
    Path given = Files.writeString(temp.resolve("given.csv"), "town\n" + "ulm\n".repeat(41));
    assertEquals(
        2,
        runs.command("run generate", "run", "--generation.conditions", given.toString()),
        runs.said());
    assertTrue(runs.said().contains(expected), runs.said());
    completesKeysThatAreNotGiven(runs, expected);
    keepsRowsThatMeetConditions(runs, expected);
  }

  private void completesKeysThatAreNotGiven(CommandRuns runs, String expected) throws IOException {
    String rows = "7,ulm\n".repeat(40);
    Path last = Files.writeString(temp.resolve("last.csv"), "id,town\n" + rows + ",ulm\n");
    String[] open = {"--generation.conditions", last.toString()};
    assertEquals(2, runs.command("run generate", "run", open), runs.said());
    assertTrue(runs.said().contains(expected), runs.said());
    Path first = Files.writeString(temp.resolve("first.csv"), "id,town\n,ulm\n" + rows);
    Path out = temp.resolve("first-out.csv");
    String[] known = {"--generation.conditions", first.toString(), "--output-file", out.toString()};
    assertEquals(0, runs.command("run generate", "run", known), runs.said());
    assertEquals((GREATEST + 1) + ",ulm", Files.readAllLines(out).get(1));
  }

  /** A shard of candidates is more than there are keys. */
  private void keepsRowsThatMeetConditions(CommandRuns runs, String expected) throws IOException {
    Path out = temp.resolve("met.csv");
    String[] met = {
      "--generation.constraints",
      "[\"town = 'bonn'\"]",
      "--generation.num_records",
      "40",
      "--output-file",
      out.toString()
    };
    assertEquals(0, runs.command("run generate", "run", met), runs.said());
    List<String> lines = Files.readAllLines(out);
    for (int i = 1; i <= 40; i++) {
      assertEquals((GREATEST + i) + ",bonn", lines.get(i));
    }
    met[3] = "41";
    assertEquals(2, runs.command("run generate", "run", met), runs.said());
    assertTrue(runs.said().contains(expected), runs.said());
    met[1] = "[\"id % 2 = 0\"]";
    met[3] = "10";
    assertEquals(0, runs.command("run generate", "run", met), runs.said());
    for (String line : Files.readAllLines(out).subList(1, 11)) {
      long id = Long.parseLong(line.substring(0, line.indexOf(',')));
      assertTrue(id > GREATEST && id % 2 == 0, line);
    }
  }

  /** Sixty keys are left, and groups of two rows take three numbers each. */
  @Test
  void rowsOfGroupsHaveKeysOfTheirOwn() throws IOException {
    SparkSession spark = LocalSpark.session();
    String table = temp.resolve("rows.parquet").toString();
    spark
        .range(244)
        .selectExpr("id div 2 as unit", "cast(32707 - id as smallint) as k")
        .write()
        .parquet(table);
    Path types = temp.resolve("types.json");
    Files.writeString(
        types,
        "{\"columns\": [{\"name\": \"k\", \"kind\": \"identifier\", \"type\": \"smallint\"}]}");
    CommandRuns runs = new CommandRuns(temp);
    Map<String, String> options =
        Map.of(
            "--data-source",
            table,
            "--data.schema_file",
            types.toString(),
            "--data.group_training_examples_by",
            "unit",
            "--embedded.max_minutes",
            "0.05",
            "--evaluation.enabled",
            "false");
    String[] tooMany = {"--generation.num_groups", "21"};
    assertEquals(2, runs.command("run", "rows", CommandRuns.options(options, tooMany)));
    String expected = "column 'k': its type smallint has room for 60 fresh keys";
    assertTrue(runs.said().contains(expected), runs.said());
    assertFalse(Files.exists(temp.resolve("rows/model")));
    String[] few = {"--generation.num_records", "12"};
    assertEquals(0, runs.command("run", "rows", CommandRuns.options(options, few)), runs.said());
    List<Row> rows =
        spark.read().parquet(temp.resolve("rows/synthetic").toString()).collectAsList();
    assertTrue(rows.size() >= 12, rows.toString());
    assertEquals(rows.size(), rows.stream().map(row -> row.getShort(1)).distinct().count());
    rows.forEach(row -> assertTrue(row.getShort(1) > 32_707, row.toString()));
  }

  /** Five keys are left: a shard of groups is more. */
  @Test
  void groupsAreSampledAsFarAsThereAreKeys() throws IOException {
    SparkSession spark = LocalSpark.session();
    String table = temp.resolve("groups.parquet").toString();
    spark
        .range(244)
        .selectExpr("cast(id div 2 + 1 as tinyint) as id", "cast(id % 2 as int) as n")
        .write()
        .parquet(table);
    CommandRuns runs = new CommandRuns(temp);
    Map<String, String> options =
        Map.of(
            "--data-source",
            table,
            "--data.group_training_examples_by",
            "id",
            "--embedded.max_minutes",
            "0.05",
            "--evaluation.enabled",
            "false");
    String[] tooMany = {"--generation.num_groups", "6"};
    assertEquals(2, runs.command("run", "groups", CommandRuns.options(options, tooMany)));
    String expected = "column 'id': its type tinyint has room for 5 fresh keys";
    assertTrue(runs.said().contains(expected), runs.said());
    assertFalse(Files.exists(temp.resolve("groups/model")));
    String[] few = {"--generation.num_records", "6"};
    assertEquals(0, runs.command("run", "groups", CommandRuns.options(options, few)), runs.said());
    List<Row> rows =
        spark.read().parquet(temp.resolve("groups/synthetic").toString()).collectAsList();
    assertTrue(rows.size() >= 6, rows.toString());
    rows.forEach(row -> assertTrue(row.getByte(0) > 122, row.toString()));
    for (String[] more : new String[][] {tooMany, {"--generation.num_records", "20"}}) {
      assertEquals(2, runs.command("run generate", "groups", more), runs.said());
      assertTrue(runs.said().contains(expected), runs.said());
    }
  }
}
