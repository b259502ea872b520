package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.FixtureFiles;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.SchemaFile;

/** Generation with pretrained models of random weights and adapters made by PEFT, end to end. */
@Tag("spark")
final class LanguageStageTest {
  private static final FrozenSchema SCHEMA =
      new FrozenSchema(
          List.of(
              column("age", "int", ColumnKind.INTEGER, 0, false, 17L, 90L, null),
              column("zip", "string", ColumnKind.CATEGORICAL, 0, false, null, null, "007 010"),
              column("price", "decimal(8,2)", ColumnKind.DECIMAL, 2, true, null, null, null),
              column("day", "date", ColumnKind.DATE, 0, true, null, null, null),
              column("ok", "boolean", ColumnKind.BOOLEAN, 0, false, null, null, null),
              column("note", "string", ColumnKind.TEXT, 0, false, null, null, null)));

  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  @TempDir private Path temp;

  private static ColumnSchema column(
      String name,
      String type,
      ColumnKind kind,
      int scale,
      boolean missing,
      Long min,
      Long max,
      String values) {
    return new ColumnSchema(
        name,
        type,
        kind,
        missing,
        scale,
        0,
        null,
        min,
        max,
        values == null ? null : List.of(values.split(" ")),
        0);
  }

  @BeforeAll
  static void useTheSharedSession() {
    LocalSpark.session();
  }

  /** What training leaves, with an adapter that was made elsewhere. */
  private Path trained(String id, String model, String adapter) throws IOException {
    Path folder = Files.createDirectories(temp.resolve(id));
    Path declared = temp.resolve("declared.json");
    Files.writeString(declared, "{\"columns\":[{\"name\":\"note\",\"max_length\":12}]}");
    Files.writeString(
        folder.resolve("config.yaml"),
        "training: {pretrained_model: \"%s\"}\ndata: {random_state: 5, schema_file: \"%s\"}\n"
            .formatted(FixtureFiles.path("models/" + model), declared));
    Files.writeString(folder.resolve("schema.json"), SchemaFile.write(SCHEMA));
    Path to = Files.createDirectories(folder.resolve("adapter"));
    Path from = FixtureFiles.path("goldens/" + adapter + "/adapter");
    for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
      Files.copy(from.resolve(file), to.resolve(file));
    }
    return folder;
  }

  private int generate(Path run, String... more) {
    err.reset();
    List<String> all = new ArrayList<>(List.of("run", "generate", "--run-path", run.toString()));
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

  private static List<String> rows(Path run) {
    Dataset<Row> table = LocalSpark.session().read().parquet(run.resolve("synthetic").toString());
    return table.collectAsList().stream().map(Row::toString).sorted().toList();
  }

  private static final String[] STRUCTURED = {
    "--generation.num_records", "150",
    "--generation.use_structured_generation", "true",
    "--generation.temperature", "1.0"
  };

  @Test
  void underTheGrammarEveryRecordOfARandomModelIsValid() throws IOException {
    Path run = trained("structured", "tinyllama-tiny", "tinyllama-tiny/lora-r8-all");
    assertEquals(0, generate(run, STRUCTURED), said());
    Dataset<Row> table = LocalSpark.session().read().parquet(run.resolve("synthetic").toString());
    assertEquals(150, table.count());
    assertEquals(
        "STRUCT<age: INT, zip: STRING, price: DECIMAL(8,2), day: DATE, ok: BOOLEAN, note: STRING>",
        table.schema().sql());
    assertEquals(
        0,
        table
            .filter("age < 17 or age > 90 or zip not in ('007', '010') or length(note) > 12")
            .count());
    JsonNode rejected =
        new ObjectMapper().readTree(Files.readAllBytes(run.resolve("rejected.json")));
    assertEquals(0, rejected.path("rejected").asLong());
    assertEquals(150, rejected.path("valid").asLong());
    assertEquals(1.0, rejected.path("valid_fraction").asDouble());
  }

  @Test
  void theGrammarKeepsRangesAndOtherConditionsThrowRowsAway() throws IOException {
    Path run = trained("constrained", "tinyllama-tiny", "tinyllama-tiny/lora-r8-all");
    String asked =
        "[\"age between 29.5 and 60\", \"'2024-02-28' <= day and zip in ('007', '011')\", \"ok\", \"age % 2 = 0\"]";
    String[] constraints = {"--generation.constraints", asked};
    assertEquals(0, generate(run, both(STRUCTURED, constraints)), said());
    assertTrue(said().contains("thrown away for generation.constraints"), said());
    Dataset<Row> table = LocalSpark.session().read().parquet(run.resolve("synthetic").toString());
    assertEquals(150, table.count());
    assertEquals(0, table.filter("age < 30 or age > 60 or age % 2 = 1 or not ok").count());
    assertEquals(0, table.filter("day < '2024-02-28' or zip <> '007'").count());
    assertTrue(table.filter("day is null").count() > 0, "neither true nor false");
    assertTrue(table.filter("day is not null").count() > 0);
    JsonNode rejected =
        new ObjectMapper().readTree(Files.readAllBytes(run.resolve("rejected.json")));
    for (JsonNode reason : rejected.path("reasons")) {
      String text = reason.path("reason").asText();
      boolean isKept = text.contains("between") || text.contains("zip");
      assertEquals(isKept, reason.path("count").asLong() == 0, text);
    }
    assertEquals(4, rejected.path("reasons").size(), rejected.toString());
    long valid = rejected.path("valid").asLong();
    long thrown = rejected.path("rejected").asLong();
    assertTrue(valid >= 150 && thrown > 50, rejected.toString());
    assertEquals((double) valid / (valid + thrown), rejected.path("valid_fraction").asDouble());
    List<String> first = rows(run);
    assertEquals(0, generate(run, both(STRUCTURED, constraints)), said());
    assertEquals(first, rows(run));
  }

  private static String[] both(String[] some, String... more) {
    List<String> all = new ArrayList<>(List.of(some));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  @Test
  void conditionsThatCannotBeMetAreNamed() throws IOException {
    Path run = trained("contrary", "tinyllama-tiny", "tinyllama-tiny/lora-r8-all");
    Map<String, String> refused =
        Map.of(
            "[\"age > 40\", \"age < 41\"]", "contradict each other: no 'age' meets both",
            "[\"age > 90\"]", "excludes every 'age' that the model writes",
            "[\"zip = '011'\"]", "asks for a value that the model does not write",
            "[\"colour > 3\"]", "cannot be read as a condition",
            "[\"age + 1\"]", "is no condition but a value");
    refused.forEach(
        (constraints, expected) -> {
          assertEquals(
              2, generate(run, both(STRUCTURED, "--generation.constraints", constraints)), said());
          assertTrue(said().contains(expected), said());
        });
    assertFalse(Files.exists(run.resolve("synthetic")));
    String[] never = {
      "--generation.num_records", "20", "--generation.constraints", "[\"length(note) > 12\"]"
    };
    List<String> options = new ArrayList<>(List.of(never));
    options.addAll(List.of("--generation.use_structured_generation", "true"));
    assertEquals(1, generate(run, options.toArray(String[]::new)), said());
    assertTrue(said().contains("sampled rows meet generation.constraints"), said());
  }

  @Test
  void theSameRowsComeOutEachTimeAndOthersForAnotherSeed() throws IOException {
    Path run = trained("seeded", "smollm3-tiny", "smollm3-tiny/lora-r4-rs");
    assertEquals(0, generate(run, STRUCTURED), said());
    List<String> first = rows(run);
    assertEquals(0, generate(run, STRUCTURED), said());
    assertEquals(first, rows(run));
    List<String> other = new ArrayList<>(List.of(STRUCTURED));
    other.addAll(List.of("--generation.seed", "6"));
    assertEquals(0, generate(run, other.toArray(String[]::new)), said());
    assertNotEquals(first, rows(run));
  }

  @Test
  void aModelThatWritesNoRecordsStopsTheRun() throws IOException {
    Path run = trained("free", "tinyllama-tiny", "tinyllama-tiny/lora-r4-rs");
    assertEquals(1, generate(run, "--generation.num_records", "5"));
    assertTrue(
        said().contains("generation stopped: the first batch holds no valid record"), said());
  }

  @Test
  void anAdapterMadeElsewhereCompletesRowsAndKnowsNoShares() throws IOException {
    Path run = trained("given", "tinyllama-tiny", "tinyllama-tiny/lora-r4-rs");
    Path given = Files.write(temp.resolve("given.csv"), List.of("age,zip", "30,007", ",010"));
    assertEquals(0, generate(run, "--generation.conditions", given.toString()), said());
    Dataset<Row> table = LocalSpark.session().read().parquet(run.resolve("synthetic").toString());
    List<Row> rows = table.select("age", "zip").collectAsList();
    assertEquals(List.of(30, "007"), List.of(rows.get(0).get(0), rows.get(0).get(1)));
    assertEquals("010", rows.get(1).get(1));
    assertTrue(rows.get(1).getInt(0) >= 17 && rows.get(1).getInt(0) <= 90, rows.toString());
    Files.write(given, List.of("age", "16"));
    assertEquals(2, generate(run, "--generation.conditions", given.toString()), said());
    assertTrue(said().contains("1 of 1 rows give a value that is outside"), said());
    assertEquals(2, generate(run, "--generation.rebalance", "{zip: {\"007\": 1.0}}"), said());
    assertTrue(said().contains("needs the values that the adapter has learned"), said());
  }

  @Test
  void whatIsMissingOrDoesNotFitIsOneSentence() throws IOException {
    Path run = trained("missing", "tinyllama-tiny", "tinyllama-tiny/lora-r4-rs");
    String config = Files.readString(run.resolve("config.yaml"));
    Files.writeString(
        run.resolve("config.yaml"),
        config.replaceFirst("pretrained_model: \"[^\"]*\"", "pretrained_model: Owner/Name"));
    assertEquals(2, generate(run));
    assertTrue(said().contains("scripts/fetch-model Owner/Name"), said());
    Path bare = Files.createDirectories(temp.resolve("bare"));
    Files.writeString(bare.resolve("config.json"), "{\"model_type\":\"llama\"}");
    Files.writeString(
        run.resolve("config.yaml"),
        config.replaceFirst("pretrained_model: \"[^\"]*\"", "pretrained_model: \"" + bare + "\""));
    assertEquals(2, generate(run));
    assertTrue(said().contains("has no tokenizer.json"), said());
    Files.writeString(
        run.resolve("config.yaml"),
        config.replace("training: {", "training: {prompt_template: x, "));
    assertEquals(2, generate(run));
    assertTrue(said().contains("training.prompt_template 'x' is neither a family"), said());
    assertFalse(said().contains("Exception"), said());
  }
}
