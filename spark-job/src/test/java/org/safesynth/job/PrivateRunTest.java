package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole private runs on a small table, through the command line. */
@Tag("spark")
final class PrivateRunTest {
  private static final int ROWS = 1_500;
  private static final String SCHEMA =
      """
      {"columns": [
        {"name": "age", "kind": "integer", "missing": true, "min": 0, "max": 120},
        {"name": "pay", "kind": "integer", "missing": false, "min": 0, "max": 100000},
        {"name": "town", "kind": "categorical", "missing": false, "values": ["north", "south", "east"]}
      ]}
      """;

  /** As the console shows it; the ledger names it in words. */
  private static final Pattern LOSS = Pattern.compile("training loss[^a-z]{0,3}[0-9]");

  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  @TempDir private Path temp;

  @BeforeAll
  static void useTheSharedSession() {
    LocalSpark.session();
  }

  /** One row is outside the domain in every column; towns follow age, pay follows town. */
  private Path table() throws IOException {
    SplittableRandom random = new SplittableRandom(8);
    StringBuilder csv = new StringBuilder("age,pay,town\nold,-5,west\n");
    for (int i = 1; i < ROWS; i++) {
      int age = random.nextInt(18, 90);
      String town = age < 40 ? "north" : age < 60 ? "south" : "east";
      long pay = (town.equals("south") ? 40_000 : 8_000) + random.nextInt(5_000);
      csv.append(i % 50 == 0 ? "" : age).append(',').append(pay).append(',').append(town);
      csv.append('\n');
    }
    Files.writeString(temp.resolve("schema.json"), SCHEMA);
    return Files.writeString(temp.resolve("table.csv"), csv);
  }

  private int run(String... arguments) {
    err.reset();
    List<String> all = new ArrayList<>(List.of("run"));
    all.addAll(List.of(arguments));
    all.addAll(List.of("--artifact-path", temp.resolve("out").toString(), "--run-id", "r"));
    return Main.execute(
        all.toArray(String[]::new),
        new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        Map.of());
  }

  private int runPrivately(String epsilon, String... more) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of(
                "--data-source",
                table().toString(),
                "--privacy.dp_enabled",
                "true",
                "--privacy.epsilon",
                epsilon,
                "--generation.num_records",
                "900"));
    all.addAll(List.of(more));
    return run(all.toArray(String[]::new));
  }

  private String said() {
    return err.toString(StandardCharsets.UTF_8);
  }

  private JsonNode json(String name) throws IOException {
    return new ObjectMapper().readTree(temp.resolve("out/r").resolve(name).toFile());
  }

  @Test
  void aPrivateRunLeavesATrueLedgerAndNoLoss() throws IOException {
    String schema = temp.resolve("schema.json").toString();
    assertEquals(
        0,
        runPrivately("6", "--data.schema_file", schema, "--evaluation.target", "town"),
        this::said);
    JsonNode ledger = json("privacy.json");
    assertTrue(ledger.path("epsilon").asDouble() <= 6);
    assertTrue(ledger.path("epsilon").asDouble() > 5.9, "most of the budget is used");
    assertTrue(ledger.path("secure_random").asBoolean());
    assertEquals("declared", ledger.path("domain").path("pay").asText());
    List<String> names = new ArrayList<>();
    ledger.path("mechanisms").forEach(m -> names.add(m.path("entry").path("name").asText()));
    assertTrue(
        names.containsAll(List.of("count", "single columns", "scores", "tree", "training")),
        names::toString);
    assertTrue(said().contains("not private: for the operator only"));
    assertTrue(LOSS.matcher(said()).find(), "the pattern finds what it looks for");
    String spent = "epsilon %.3f so far".formatted(ledger.path("epsilon").asDouble());
    assertTrue(said().contains(spent), spent + " in " + said());
    assertSpentRisesTo(ledger.path("epsilon").asDouble(), temp.resolve("out/r/progress.jsonl"));
    try (Stream<Path> files = Files.walk(temp.resolve("out/r"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        assertFalse(text.contains("loss_bits_per_row"), file::toString);
        assertFalse(LOSS.matcher(text).find(), file::toString);
      }
    }
    assertFalse(Files.exists(temp.resolve("out/r/checkpoints")));
    assertFalse(Files.exists(temp.resolve("out/r/work")));
    List<Row> rows =
        LocalSpark.session()
            .read()
            .parquet(temp.resolve("out/r/synthetic").toString())
            .collectAsList();
    assertEquals(900, rows.size());
    for (Row row : rows) {
      long pay = row.getLong(1);
      assertTrue(pay >= 0 && pay <= 100_000);
      assertTrue(List.of("north", "south", "east").contains(row.getString(2)));
    }
    long apart =
        rows.stream()
            .filter(row -> row.getLong(1) > 30_000 == row.getString(2).equals("south"))
            .count();
    assertTrue(apart > 700, "pay follows town in " + apart);
    theReportSaysWhatHolds(ledger.path("statement").asText());
  }

  /**
   * Rows outside the domain are judged too, and a later evaluation finds the same rows held out.
   */
  private void theReportSaysWhatHolds(String statement) throws IOException {
    String report = Files.readString(temp.resolve("out/r/report.html"));
    assertTrue(report.contains(statement.substring(0, 80)), "the ledger's paragraph");
    assertTrue(report.contains("Internal: do not publish"));
    JsonNode tables = json("metrics.json").path("measures").path("tables");
    long real = tables.path("reference").path("rows").asLong();
    long holdout = tables.path("holdout").path("rows").asLong();
    assertEquals(ROWS, real + holdout);
    assertTrue(holdout > 40 && holdout < 120, holdout + " of 1,500 held out at 5 percent");
    assertEquals(
        0,
        Main.execute(
            new String[] {"run", "evaluate", "--run-path", temp.resolve("out/r").toString()},
            new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            Map.of()),
        this::said);
    assertEquals(tables, json("metrics.json").path("measures").path("tables"));
  }

  /** Steps on real records tell what they have cost; those on drawn rows cost nothing. */
  private static void assertSpentRisesTo(double epsilon, Path progress) throws IOException {
    double before = 0;
    int drawn = 0;
    for (String line : Files.readAllLines(progress)) {
      JsonNode figures = new ObjectMapper().readTree(line);
      if (figures.path("rows").asText().equals("drawn")) {
        drawn++;
        assertFalse(figures.has("epsilon"), line);
      } else if (figures.has("epsilon")) {
        double spent = figures.path("epsilon").asDouble();
        assertTrue(spent >= before && spent <= epsilon, line);
        before = spent;
      }
    }
    assertTrue(drawn > 0);
    assertEquals(epsilon, before, 1e-6);
  }

  @Test
  void withoutADomainNothingStarts() throws IOException {
    assertEquals(2, runPrivately("8"));
    assertTrue(said().contains("data.schema_file"), this::said);
    assertTrue(said().contains("privacy.assume_public_domain"), this::said);
    assertFalse(Files.exists(temp.resolve("out/r/bought")));
  }

  @Test
  void aDomainMayBeAssumedPublic() throws IOException {
    assertEquals(
        0,
        runPrivately(
            "8",
            "--privacy.assume_public_domain",
            "true",
            "--privacy.public_count",
            "true",
            "--privacy.accountant",
            "pld"),
        this::said);
    double spent = json("privacy.json").path("epsilon").asDouble();
    assertTrue(spent <= 8 && spent < json("privacy.json").path("epsilon_rdp").asDouble());
    assertTrue(said().contains("epsilon %.3f so far".formatted(spent)), this::said);
    assertEquals("assumed public", json("privacy.json").path("domain").path("age").asText());
    assertEquals("DECLARED_PUBLIC", json("privacy.json").path("units_known_by").asText());
  }

  /** The odd row, whose town and pay nobody else has, leaves no trace in what was bought. */
  @Test
  void aDomainMayBeBought() throws IOException {
    assertEquals(
        0,
        runPrivately(
            "9",
            "--privacy.domain_epsilon_share",
            "0.4",
            "--privacy.marginal_epsilon_share",
            "1",
            "--evaluation.enabled",
            "false"),
        this::said);
    JsonNode ledger = json("privacy.json");
    assertEquals("bought", ledger.path("domain").path("town").asText());
    assertTrue(ledger.path("epsilon").asDouble() <= 9);
    assertTrue(ledger.path("delta_parts").path("values of one record").asDouble() > 0);
    JsonNode columns = json("schema.json").path("columns");
    assertEquals("integer", columns.get(0).path("kind").asText());
    assertTrue(
        columns.get(0).path("min").asLong() >= 0 && columns.get(0).path("max").asLong() < 104);
    assertTrue(columns.get(1).path("min").asLong() >= 0, "no negative pay");
    assertTrue(columns.get(1).path("max").asLong() >= 45_000, columns.get(1)::toString);
    assertEquals("[\"east\",\"north\",\"south\"]", columns.get(2).path("values").toString());
    List<Row> rows =
        LocalSpark.session()
            .read()
            .parquet(temp.resolve("out/r/synthetic").toString())
            .collectAsList();
    assertEquals(900, rows.size());
    assertEquals(
        "bigint",
        rows.get(0).schema().apply("pay").dataType().sql().toLowerCase(java.util.Locale.ROOT));
  }

  @Test
  void aTableTooSmallForItsDomainIsRefused() throws IOException {
    assertEquals(2, runPrivately("1", "--privacy.domain_epsilon_share", "0.1"), this::said);
    assertTrue(said().contains("too few to buy the domain"), this::said);
  }

  @Test
  void aRunThatHasPaidCannotGoOnWithAnotherEpsilon() throws IOException {
    String schema = temp.resolve("schema.json").toString();
    assertEquals(2, runPrivately("0.0000001", "--data.schema_file", schema), this::said);
    assertTrue(said().contains("too few for privacy.epsilon"), this::said);
    assertEquals(2, runPrivately("3", "--data.schema_file", schema, "--resume"), this::said);
    assertTrue(said().contains("other parameters of privacy"), this::said);
  }

  /** A second training would be a second release of the same rows. */
  @Test
  void aRunThatFailsAfterTrainingIsNotTrainedAgain() throws IOException {
    String schema = temp.resolve("schema.json").toString();
    assertEquals(0, runPrivately("8", "--data.schema_file", schema), this::said);
    Path weights = temp.resolve("out/r/model/model.safetensors");
    byte[] trained = Files.readAllBytes(weights);
    String ledger = Files.readString(temp.resolve("out/r/privacy.json"));
    Path result = temp.resolve("out/r/result.json");
    Files.writeString(result, Files.readString(result).replace("succeeded", "failed"));

    assertEquals(0, runPrivately("8", "--data.schema_file", schema, "--resume"), this::said);
    assertTrue(said().contains("is whole: training is skipped"), this::said);
    assertArrayEquals(trained, Files.readAllBytes(weights));
    assertEquals(ledger, Files.readString(temp.resolve("out/r/privacy.json")));
  }
}
