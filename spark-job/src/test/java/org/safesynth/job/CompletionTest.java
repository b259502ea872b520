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
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.config.ConfigReader;
import org.safesynth.schema.FrozenSchema;

/** Completed rows, wanted shares and filled gaps, through the command line. */
@Tag("spark")
final class CompletionTest {
  @TempDir private static Path temp;

  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  /**
   * Learns a table where b is the parity of a, the amount is near 10 a, and the key is unique; one
   * in eight b is missing. The types of a and of the amount have no digit to spare.
   */
  @BeforeAll
  static void learn() throws IOException {
    LocalSpark.session();
    SplittableRandom random = new SplittableRandom(2);
    List<String> lines = new ArrayList<>(List.of("key,a,b,amount"));
    for (int i = 0; i < 1_500; i++) {
      int a = random.nextInt(6);
      String b = i % 8 == 0 ? "" : a % 2 == 0 ? "even" : "odd";
      lines.add("K-%05d,%d,%s,%.2f".formatted(7 * i, a, b, 10 * a + 5 * random.nextDouble()));
    }
    Path table = temp.resolve("table.csv");
    Files.write(table, lines);
    Path types = temp.resolve("types.json");
    Files.writeString(types, "{\"columns\": [{\"name\": \"a\", \"type\": \"tinyint\"}]}");
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    int code =
        execute(
            said,
            "run",
            "train",
            "--data-source",
            table.toString(),
            "--data.schema_file",
            types.toString(),
            "--data.random_state",
            "3",
            "--run-path",
            run().toString());
    assertEquals(0, code, said.toString(StandardCharsets.UTF_8));
  }

  @AfterAll
  static void forget() throws IOException {
    new TextFiles(new Configuration()).delete(new org.apache.hadoop.fs.Path(run().toUri()));
  }

  private static Path run() {
    return temp.resolve("run");
  }

  private static int execute(ByteArrayOutputStream said, String... arguments) {
    return Main.execute(
        arguments,
        new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
        new PrintStream(said, true, StandardCharsets.UTF_8),
        Map.of());
  }

  private int run(String command, String... more) {
    err.reset();
    List<String> all = new ArrayList<>(List.of("run", command, "--run-path", run().toString()));
    all.addAll(List.of(more));
    return execute(err, all.toArray(String[]::new));
  }

  private String said() {
    return err.toString(StandardCharsets.UTF_8);
  }

  private static Path csv(String name, List<String> lines) throws IOException {
    Path file = temp.resolve(name);
    Files.write(file, lines);
    return file;
  }

  private List<String> complete(List<String> lines) throws IOException {
    Path out = temp.resolve("out.csv");
    Path given = csv("given.csv", lines);
    assertEquals(
        0,
        run("generate", "--generation.conditions", given.toString(), "--output-file", out + ""),
        said());
    return Files.readAllLines(out);
  }

  /** Rows that give b and the amount, in columns of another order; every third b is open. */
  private static List<String> given(int rows) {
    List<String> lines = new ArrayList<>(List.of("amount,key,b"));
    for (int i = 0; i < rows; i++) {
      int a = i % 6;
      String b = i % 3 == 0 ? "" : a % 2 == 0 ? "even" : "odd";
      lines.add("%d.25,mine-%d,%s".formatted(10 * a + 2, i, b));
    }
    return lines;
  }

  @Test
  void everyRowIsCompletedInItsPlaceAndKeepsWhatWasGiven() throws IOException {
    List<String> given = given(300);
    List<String> completed = complete(given);
    assertEquals("key,a,b,amount", completed.get(0));
    assertEquals(301, completed.size());
    int agree = 0;
    for (int i = 0; i < 300; i++) {
      String[] in = given.get(i + 1).split(",", -1);
      String[] out = completed.get(i + 1).split(",", -1);
      assertEquals(in[1], out[0]);
      assertEquals(Double.parseDouble(in[0]), Double.parseDouble(out[3]));
      if (!in[2].isEmpty()) {
        assertEquals(in[2], out[2]);
      }
      agree += Integer.parseInt(out[1]) == i % 6 ? 1 : 0;
    }
    assertTrue(agree > 240, agree + " of 300 rows have the a that their amount tells");
    assertEquals(completed, complete(given));
  }

  @Test
  void numbersBeyondTheLearnedTypeComeBackAsTheyWereGiven() throws IOException {
    List<String> completed =
        complete(List.of("a,amount", "300,", ",150.00", "3000000000,-1234.5", "2,21.50"));
    assertTrue(completed.get(1).matches("[^,]+,300,.*"), completed.get(1));
    assertTrue(completed.get(2).endsWith(",150.00"), completed.get(2));
    assertTrue(completed.get(3).matches("[^,]+,3000000000,.*,-1234.50"), completed.get(3));
    assertTrue(completed.get(4).matches("[^,]+,2,.*,21.50"), completed.get(4));
    assertTrue(said().contains("do not fit the learned type tinyint"), said());
    assertTrue(said().contains("the column is written as decimal(6,2)"), said());
  }

  /** Hours and tenths were learned; minutes and hundredths are given. */
  @Test
  void whatIsFinerThanWhatWasLearnedComesBackAsItWasGiven() throws IOException {
    List<String> lines = new ArrayList<>(List.of("at,share"));
    for (int i = 0; i < 300; i++) {
      lines.add("2021-04-%02d %02d:00:00,%de-1".formatted(1 + i % 30, i % 24, i % 10));
    }
    String table = csv("hours.csv", lines).toString();
    String folder = temp.resolve("hours").toString();
    assertEquals(
        0,
        execute(
            err,
            "run",
            "train",
            "--data-source",
            table,
            "--embedded.max_minutes",
            "0.05",
            "--run-path",
            folder),
        said());
    Path given =
        csv("minutes.csv", List.of("share,at", ",2021-04-03 10:20:30", "0.25,2021-04-03 11:00:00"));
    assertEquals(
        0,
        execute(
            err,
            "run",
            "generate",
            "--run-path",
            folder,
            "--generation.conditions",
            given.toString()),
        said());
    List<Row> rows = LocalSpark.session().read().parquet(folder + "/synthetic").collectAsList();
    assertEquals(LocalDateTime.of(2021, 4, 3, 10, 20, 30), rows.get(0).get(0));
    assertEquals(LocalDateTime.of(2021, 4, 3, 11, 0), rows.get(1).get(0));
    assertEquals(0.25, rows.get(1).getDouble(1));
  }

  @Test
  void theSameRowsComeOutHoweverTheyAreCut() throws IOException {
    List<String> given = given(200);
    List<String> expected = complete(given);
    Configuration hadoop = new Configuration();
    RunFolder folder = RunFolder.toGenerate(hadoop, new org.apache.hadoop.fs.Path(run().toUri()));
    FrozenSchema schema = SchemaStage.read(folder);
    SparkSession spark = LocalSpark.session();
    RunContext context =
        new RunContext(
            spark,
            ConfigReader.read(
                folder.read(RunFolder.CONFIG).orElseThrow(),
                "config",
                Map.of("generation.conditions", csv("given.csv", given).toString())),
            folder,
            Console.plain(),
            3);
    try (CompletionStage stage = CompletionStage.of(context, schema)) {
      for (int partitions : new int[] {1, 2, 7}) {
        List<String> rows =
            stage.table(partitions, spark.sparkContext().longAccumulator()).collectAsList().stream()
                .map(row -> row.mkString(",").replace("null", ""))
                .toList();
        assertEquals(expected.subList(1, expected.size()), rows);
      }
    }
  }

  @Test
  void sharesComeOutToTheRow() throws IOException {
    Path out = temp.resolve("out.csv");
    assertEquals(
        0,
        run(
            "generate",
            "--generation.num_records",
            "500",
            "--generation.rebalance",
            "{b: {odd: 0.9, even: 0.1}, a: {\"1\": 0.5, \"3\": 0.5}}",
            "--output-file",
            out.toString()),
        said());
    List<String> lines = Files.readAllLines(out);
    assertEquals(501, lines.size());
    assertEquals(450, lines.stream().filter(line -> line.contains(",odd,")).count());
    assertEquals(250, lines.stream().filter(line -> line.contains(",3,")).count());
    long near =
        lines.stream()
            .filter(line -> line.contains(",3,"))
            .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(',') + 1)))
            .filter(amount -> amount >= 30 && amount <= 35)
            .count();
    assertTrue(near > 190, near + " of 250 amounts are those of a = 3");
  }

  @Test
  void imputedTablesHaveNoGapsAndKeepTheRest() throws IOException {
    List<String> lines = new ArrayList<>(List.of("key,a,b,amount"));
    for (int i = 0; i < 120; i++) {
      lines.add(i % 2 == 0 ? "x%d,4,,41.50".formatted(i) : "x%d,,odd,31.00".formatted(i));
    }
    Path out = temp.resolve("filled.csv");
    Path gaps = csv("gaps.csv", lines);
    assertEquals(
        0, run("impute", "--data-source", gaps.toString(), "--output-file", out + ""), said());
    List<String> filled = Files.readAllLines(out);
    assertEquals(121, filled.size());
    int right = 0;
    for (int i = 0; i < 120; i++) {
      String line = filled.get(i + 1);
      assertTrue(line.startsWith("x" + i + ",") && !line.contains(",,"), line);
      right += line.contains(i % 2 == 0 ? ",4,even," : ",3,odd,") ? 1 : 0;
    }
    assertTrue(right > 108, right + " of 120 gaps are filled with what the row tells");
  }

  @Test
  void constrainedRowsMeetEveryConditionAndTheOthersAreCounted() throws IOException {
    Path out = temp.resolve("out.csv");
    assertEquals(
        0,
        run(
            "generate",
            "--generation.num_records",
            "700",
            "--generation.constraints",
            "[\"amount >= 10 * a + 2\", \"b = 'odd'\", \"a between 1 and 4\"]",
            "--output-file",
            out.toString()),
        said());
    List<String> lines = Files.readAllLines(out);
    assertEquals(701, lines.size());
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",", -1);
      int a = Integer.parseInt(cells[1]);
      assertTrue(Double.parseDouble(cells[3]) >= 10 * a + 2, line);
      assertTrue(a >= 1 && a <= 4, line);
      assertTrue(cells[2].equals("odd") || cells[2].isEmpty(), line); // neither true nor false
    }
    String rejected = Files.readString(run().resolve("rejected.json"));
    assertTrue(rejected.contains("Constraint not met: b = 'odd'"), rejected);
    assertEquals(
        0, run("generate", "--generation.num_records", "50"), said()); // the file is of this table
    assertFalse(Files.readString(run().resolve("rejected.json")).contains("Constraint"));
  }

  @Test
  void conditionsThatCannotBeMetAreNamed() {
    refusesConstraints("cannot be read as a condition", "colour > 3");
    refusesConstraints("is no condition but a value", "a + 1");
    refusesConstraints("contradict each other: no 'a' meets both", "a > 3", "a < 2");
    refusesConstraints("contradict each other", "a between 2 and 3", "a >= 4");
    refusesConstraints("contradict each other", "a > 2", "a < 3"); // no whole number is between
    refusesConstraints("excludes every 'amount' that the model writes", "amount > 1000");
    refusesConstraints("asks for a value that the model does not write", "b = 'prime'");
    refusesConstraints("names no column of the table; write columns plainly", quoted("b"));
    refusesConstraints("names no column of the table", "rand() < 0.5");
    refusesConstraints("can be true for no row; correct it", "a > 1 and " + quoted("b"));
    refusesConstraints(
        "can be true for no row that meets those before it",
        "coalesce(b, '') = 'odd'",
        "not coalesce(b, '') = 'odd'");
    refusesConstraints("'cast(b as int) > 1' cannot be computed for", "cast(b as int) > 1");
    refusesConstraints(
        "generation.constraints: 'amount / a > 1' cannot be computed for some rows (divide by zero)",
        "amount > 2",
        "amount / a > 1");
    String[] rare = {
      "--generation.num_records", "50", "--generation.constraints", "[\"amount > 100 * (a + 1)\"]"
    };
    assertEquals(1, run("generate", rare), said());
    assertTrue(said().contains("sampled rows meet generation.constraints"), said());
  }

  @Test
  void whatIsRefusedLeavesAFinishedRunAsItWas() throws IOException {
    assertEquals(0, run("generate", "--generation.num_records", "40"), said());
    Path report = Files.writeString(run().resolve("report.html"), "of the table that is there");
    String result = Files.readString(run().resolve("result.json"));
    refusesConstraints("contradict each other: no 'a' meets both", "a > 3", "a < 2");
    String gaps = temp.resolve("none.csv").toString();
    assertEquals(2, run("impute", "--data-source", gaps), said());
    assertTrue(Files.exists(report), "the table it tells of is still there");
    assertEquals(result, Files.readString(run().resolve("result.json")));

    assertEquals(0, run("generate", "--generation.num_records", "30"), said());
    assertFalse(Files.exists(report), "it is not of the new table");
  }

  /** What other databases take for a column, and Spark for a text. */
  private static String quoted(String column) {
    return "\\\"%s\\\" = 'odd'".formatted(column);
  }

  private void refusesConstraints(String expected, String... constraints) {
    refuses(
        expected, "--generation.constraints", "[\"" + String.join("\", \"", constraints) + "\"]");
  }

  private void refuses(String expected, String... arguments) {
    assertEquals(2, run("generate", arguments), said());
    assertTrue(said().contains(expected), said());
  }

  private void refusesConditions(String expected, String... lines) throws IOException {
    Path file = csv("bad.csv", List.of(lines));
    refuses(expected, "--generation.conditions", file.toString());
  }

  @Test
  void badConditionsAreNamed() throws IOException {
    refusesConditions("has a column 'colour' that the model did not learn", "a,colour", "1,red");
    refusesConditions(
        "column 'b' of " + temp.resolve("bad.csv") + ": 1 of 2 rows give a value that is outside",
        "b",
        "odd",
        "prime");
    refusesConditions("(first: row 3)", "a", "1", "2", "two");
    refusesConditions(
        "decimal with at most 2 digits after the point (first: row 2)",
        "amount",
        "7.100",
        "7.125",
        "8e1");
    refuses("does not exist", "--generation.conditions", temp.resolve("none.csv").toString());
    refusesConditions("bad.csv has no rows: there is nothing to complete", "a,b");
    Path empty = csv("empty.csv", List.of("a,b"));
    assertEquals(2, run("impute", "--data-source", empty.toString()), said());
    assertTrue(said().contains("empty.csv has no rows: there is nothing to fill"), said());
  }

  /** The learned table was CSV; conditions are whatever they are. */
  @Test
  void conditionsMayBeOfAnotherFormat() {
    String given = temp.resolve("given.parquet").toString();
    LocalSpark.session().sql("SELECT 3 AS a UNION ALL SELECT 3").write().parquet(given);
    assertEquals(0, run("generate", "--generation.conditions", given), said());
    List<Row> rows = LocalSpark.session().read().parquet(run() + "/synthetic").collectAsList();
    assertEquals(List.of((byte) 3, (byte) 3), rows.stream().map(row -> row.get(1)).toList());
  }

  @Test
  void badSharesAreNamed() {
    refuses("names 'colour', which is no column", "--generation.rebalance", "{colour: {red: 1}}");
    refuses(
        "'prime' is no value that the model knows", "--generation.rebalance", "{b: {prime: 1}}");
    refuses("the shares add up to 0.9", "--generation.rebalance", "{b: {odd: 0.5, even: 0.4}}");
    refuses("must be a number from 0 to 1", "--generation.rebalance", "{b: {odd: 2, even: -1}}");
    refuses(
        "remove one of them",
        "--generation.rebalance",
        "{b: {odd: 1}}",
        "--generation.conditions",
        "x.csv");
  }

  @Test
  void aWholeRunIsRefusedBeforeItLearns() throws IOException {
    refusesRun("no column of the table", "open", "--generation.rebalance", "{colour: {red: 1}}");
    refusesRun(
        "generation.conditions: " + temp.resolve("none.csv"),
        "open",
        "--generation.conditions",
        temp.resolve("none.csv").toString());
    Path colours = Files.write(temp.resolve("colours.csv"), List.of("a,colour", "1,red"));
    refusesRun("has a column 'colour'", "open", "--generation.conditions", colours.toString());
    refusesRun(
        "contradict each other", "schema", "--generation.constraints", "[\"a < 1\", \"a > 2\"]");
  }

  /** Fails at a stage that comes before training. */
  private void refusesRun(String expected, String stage, String... options) throws IOException {
    Path folder = temp.resolve("refused" + expected.hashCode());
    List<String> all =
        new ArrayList<>(
            List.of(
                "run",
                "--data-source",
                temp.resolve("table.csv").toString(),
                "--data.random_state",
                "3",
                "--run-path",
                folder.toString()));
    all.addAll(List.of(options));
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    assertEquals(2, execute(said, all.toArray(String[]::new)));
    assertTrue(said.toString(StandardCharsets.UTF_8).contains(expected), said.toString());
    String result = Files.readString(folder.resolve("result.json"));
    assertTrue(result.contains("\"stage\" : \"" + stage + "\""), result);
  }
}
