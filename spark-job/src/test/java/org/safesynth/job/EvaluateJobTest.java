package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.config.ConfigReader;
import org.safesynth.config.DataConfig;
import org.safesynth.schema.FrozenSchema;

/** Evaluations through the command line: of a run, and of tables that no run made. */
@Tag("spark")
final class EvaluateJobTest {
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  @TempDir private Path temp;

  @BeforeAll
  static void useTheSharedSession() {
    LocalSpark.session();
  }

  private int execute(String... arguments) {
    err.reset();
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--artifact-path", temp.resolve("out").toString()));
    return Main.execute(
        all.toArray(String[]::new),
        new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        Map.of());
  }

  private String said() {
    return err.toString(StandardCharsets.UTF_8);
  }

  private static List<String> lines(int rows, int seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      int a = random.nextInt(40);
      String number = i % 13 == 0 ? "" : String.valueOf(a);
      lines.add(number + ",g" + a % 4 + "," + (a / 2) * 0.25 + ",2021-0" + (1 + a % 9) + "-15");
    }
    return lines;
  }

  private Path csv(String name, List<String> lines) throws IOException {
    Path file = temp.resolve(name);
    Files.writeString(file, "a.b,group,score,day\n" + String.join("\n", lines) + "\n");
    return file;
  }

  private JsonNode metrics(String id) throws IOException {
    Path file = temp.resolve("out").resolve(id).resolve("metrics.json");
    ObjectNode json = (ObjectNode) new ObjectMapper().readTree(Files.readString(file));
    return json;
  }

  private String figures(String id) throws IOException {
    ObjectNode json = (ObjectNode) metrics(id);
    json.remove(List.of("seconds", "timing"));
    return json.toString();
  }

  @Test
  void aRunIsJudgedAtItsEndAndAgainLater() throws IOException {
    List<String> lines = lines(600, 1);
    Path table = csv("t.csv", lines);
    String[] run = {
      "run",
      "--data-source",
      table.toString(),
      "--run-id",
      "r",
      "--data.random_state",
      "5",
      "--data.holdout",
      "60",
      "--data.keep_intermediate",
      "true",
      "--training.num_input_records_to_sample",
      "1500",
      "--generation.num_records",
      "500"
    };
    assertEquals(0, execute(run), said());
    assertTrue(said().contains("quality ") && said().contains(", privacy "), said());
    JsonNode first = metrics("r");
    JsonNode tables = first.get("measures").get("tables");
    assertEquals(60, tables.get("holdout").get("rows").asInt());
    assertEquals(540, tables.get("reference").get("rows").asInt());
    assertEquals(500, first.get("num_valid_records").asInt());
    assertTrue(first.get("timing").get("training_time_sec").asDouble() > 0);
    assertTrue(first.get("membership_inference_protection_score").isNumber());
    String expected = figures("r");

    // The table's rows in another order are the same table, and nothing but the files is left.
    Collections.shuffle(lines, new Random(3));
    csv("t.csv", lines);
    Files.delete(temp.resolve("out/r/metrics.json"));
    String result = Files.readString(temp.resolve("out/r/result.json"));
    assertEquals(0, execute("run", "evaluate", "--run-id", "r", "--reference-layout"), said());
    assertEquals(expected, figures("r"));
    assertEquals(result, Files.readString(temp.resolve("out/r/result.json")));
    assertTrue(Files.exists(temp.resolve("out/r/evaluation_metrics.json")));
    theHeldOutRowsAreThoseOfTheRun(table);

    csv("t.csv", lines.subList(0, 500));
    assertEquals(2, execute("run", "evaluate", "--run-id", "r"));
    assertTrue(said().contains("has 500 rows, and had 600 when the run learned it"), said());
    assertEquals(0, execute("run", "generate", "--run-id", "r"), said());
    assertFalse(Files.exists(temp.resolve("out/r/metrics.json")));
  }

  @Test
  void groupsAreJudgedAsSuchAndTheirNamesAsNothing() throws IOException {
    List<String> real = new ArrayList<>();
    List<String> made = new ArrayList<>();
    for (int g = 0; g < 60; g++) {
      for (int i = 0; i <= g % 4; i++) {
        real.add("%d,r%d,%d,2021-01-%02d".formatted(g % 7, g, i, 1 + 3 * i));
        made.add("%d,m%d,%d,2021-01-%02d".formatted(g % 6, g, i, 1 + 3 * i));
      }
    }
    String[] evaluate = {
      "run",
      "evaluate",
      "--reference",
      csv("real.csv", real).toString(),
      "--synthetic",
      csv("made.csv", made).toString(),
      "--data.group_training_examples_by",
      "group",
      "--data.order_training_examples_by",
      "day",
      "--run-id",
      "g"
    };
    assertEquals(0, execute(evaluate), said());
    JsonNode groups = metrics("g").path("measures").path("groups");
    assertEquals("day", groups.path("order").asText(), groups.toString());
    assertEquals(0.25, figure(groups, "groups of one row").path("synthetic").asDouble());
    assertEquals(
        3, figure(groups, "step of 'day' to the next row, median (days)").path("real").asInt());
    String columns = metrics("g").path("measures").path("column_distribution").toString();
    assertTrue(columns.contains("a.b") && !columns.contains("\"group\""), columns);
    assertTrue(said().contains("'group' makes the groups"), said());
  }

  private static JsonNode figure(JsonNode groups, String name) {
    for (JsonNode figure : groups.path("figures")) {
      if (figure.path("name").asText().equals(name)) {
        return figure;
      }
    }
    throw new AssertionError(name + " is not in " + groups);
  }

  /** The identities are those of the encoded records, from which the run took its holdout. */
  private void theHeldOutRowsAreThoseOfTheRun(Path table) {
    RunFolder folder =
        RunFolder.toEvaluate(
            new Configuration(),
            new org.apache.hadoop.fs.Path(temp.resolve("out").resolve("r").toUri()));
    FrozenSchema schema = SchemaStage.read(folder);
    DataConfig data =
        ConfigReader.read(folder.read(RunFolder.CONFIG).orElseThrow(), "c", Map.of()).data();
    TableSource source =
        TableSource.open(
            LocalSpark.session(), new TableSource.Address(table.toString(), null, Map.of()));
    Dataset<Row> identified =
        HeldOut.identified(
            source.rows(),
            SchemaStage.cells(data, source, schema),
            schema,
            new RecordIdentity(data.randomState()),
            -1);
    assertEquals(
        sorted(LocalSpark.session().read().parquet(folder.examples().toString())),
        sorted(identified));
  }

  private static List<String> sorted(Dataset<Row> rows) {
    return rows.select("id_high", "id_low").collectAsList().stream()
        .map(Row::toString)
        .sorted()
        .toList();
  }

  @Test
  void tablesThatNoRunMadeAreJudged() throws IOException {
    Path real = csv("real.csv", lines(400, 1));
    Path holdout = csv("holdout.csv", lines(100, 2));
    Path made = temp.resolve("made.parquet");
    LocalSpark.session()
        .read()
        .option("header", "true")
        .option("inferSchema", "true")
        .csv(csv("made.csv", lines(300, 3)).toString())
        .write()
        .parquet(made.toString());
    assertEquals(
        0,
        execute(
            "run",
            "evaluate",
            "--reference",
            real.toString(),
            "--synthetic",
            made.toString(),
            "--holdout",
            holdout.toString(),
            "--run-id",
            "e"),
        said());
    JsonNode json = metrics("e");
    assertEquals("[]", json.get("notes").toString());
    assertTrue(json.get("synthetic_data_quality_score").asDouble() > 8, json.toString());
    JsonNode columns = json.get("measures").get("column_distribution").get("columns");
    assertEquals("a.b", columns.get(0).get("name").asText());
    assertEquals("NUMERIC", columns.get(3).get("synthetic_type").asText());
    assertTrue(json.get("num_valid_records").isNull());
  }

  @Test
  void aColumnOfAnotherKindIsComparedAsText() throws IOException {
    Path real = csv("real.csv", lines(200, 1));
    List<String> ruined = new ArrayList<>();
    for (String line : lines(200, 2)) {
      ruined.add(line.replaceFirst("^\\d*", "about forty or so " + ruined.size()));
    }
    Path made = csv("made.csv", ruined);
    assertEquals(
        0,
        execute(
            "run",
            "evaluate",
            "--reference",
            real.toString(),
            "--synthetic",
            made.toString(),
            "--run-id",
            "e"),
        said());
    JsonNode column = metrics("e").get("measures").get("column_distribution").get("columns").get(0);
    assertEquals(0, column.get("score").get("score").asDouble());
    assertTrue(said().contains("column 'a.b' holds numbers in the real table and texts"), said());
  }

  @Test
  void whatCannotBeJudgedIsRefusedInOneSentence() throws IOException {
    String real = csv("real.csv", lines(50, 1)).toString();
    Path empty = temp.resolve("empty.csv");
    Files.writeString(empty, "a.b,group,score,day\n");
    assertBad("--run-path or --run-id of a run, or --reference and --synthetic");
    assertBad("give both --reference and --synthetic", "--reference", real);
    assertBad("does not exist", "--run-id", "none");
    assertBad("no rows", "--reference", real, "--synthetic", empty.toString());
    assertBad("does not exist", "--reference", real, "--synthetic", temp + "/none.csv");
    assertBad(
        "evaluation.mandatory_columns is 5",
        "--reference",
        real,
        "--synthetic",
        real,
        "--evaluation.mandatory_columns",
        "5");
  }

  private void assertBad(String sentence, String... arguments) {
    List<String> all = new ArrayList<>(List.of("run", "evaluate"));
    all.addAll(List.of(arguments));
    assertEquals(2, execute(all.toArray(String[]::new)), said());
    assertTrue(said().contains(sentence), said());
    assertFalse(said().contains("\tat "), said());
  }
}
