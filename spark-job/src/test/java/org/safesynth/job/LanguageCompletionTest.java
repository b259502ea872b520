package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.config.ConfigReader;
import org.safesynth.model.TinyLlama;

/** Rows completed by a pretrained model, through the command line. */
@Tag("spark")
final class LanguageCompletionTest {
  @TempDir private static Path temp;

  private final CommandRuns runs = new CommandRuns(temp);

  @BeforeAll
  static void learn() throws IOException {
    LocalSpark.session();
    Path model = Files.createDirectories(temp.resolve("tinyllama-random"));
    TinyLlama.write(model);
    List<String> lines = new ArrayList<>(List.of("code,colour,size,day"));
    for (int i = 0; i < 150; i++) {
      String colour = i % 3 == 0 ? "red" : i == 70 ? "mauve" : "blue";
      String day = i % 5 == 0 ? "" : "2020-01-%02d".formatted(1 + i % 28);
      lines.add("K-%04d,%s,%d,%s".formatted(7919 * i % 10_000, colour, i % 50, day));
    }
    Path table = Files.write(temp.resolve("table.csv"), lines);
    Map<String, String> options = new LinkedHashMap<>();
    options.put("--data-source", table.toString());
    options.put("--training.pretrained_model", model.toString());
    options.put("--data.random_state", "3");
    options.put("--training.num_input_records_to_sample", "300");
    options.put("--training.lora_r", "4");
    options.put("--training.learning_rate", "0.01");
    LanguageCompletionTest test = new LanguageCompletionTest();
    assertEquals(
        0, test.runs.command("run train", "run", CommandRuns.options(options)), test.runs.said());
  }

  private static Path given(String name, String... lines) throws IOException {
    return Files.write(temp.resolve(name), Arrays.asList(lines));
  }

  private int generate(Path conditions, Path output) {
    return runs.command(
        "run generate",
        "run",
        "--generation.conditions",
        conditions.toString(),
        "--output-file",
        output.toString());
  }

  @Test
  void anySubsetOfTheCellsIsKeptInTheGivenOrder() throws IOException {
    List<String> begun = new ArrayList<>(List.of("day,size,code"));
    for (int i = 0; i < 70; i++) {
      begun.add(
          "%s,%s,%s"
              .formatted(
                  i % 2 == 0 ? "2020-01-15" : "",
                  i % 3 == 0 ? "" : 1_000 - i,
                  i % 5 == 0 ? "" : "mine" + i));
    }
    Path conditions = given("begun.csv", begun.toArray(String[]::new));
    Path output = temp.resolve("done.csv");
    assertEquals(0, generate(conditions, output), runs.said());
    assertTrue(
        runs.said().contains("given values are rare, or outside what the model learned"),
        runs.said());
    List<String> done = Files.readAllLines(output);
    assertEquals("code,colour,size,day", done.get(0));
    assertEquals(71, done.size());
    for (int i = 0; i < 70; i++) {
      String[] cells = done.get(i + 1).split(",", -1);
      String[] wanted = begun.get(i + 1).split(",", -1);
      assertTrue(cells[1].equals("red") || cells[1].equals("blue"), done.get(i + 1));
      assertTrue(wanted[0].isEmpty() || wanted[0].equals(cells[3]), done.get(i + 1));
      assertTrue(
          wanted[1].isEmpty() ? Integer.parseInt(cells[2]) < 50 : wanted[1].equals(cells[2]),
          done.get(i + 1));
      assertTrue(
          wanted[2].isEmpty() ? cells[0].matches("K-\\d+") : wanted[2].equals(cells[0]),
          done.get(i + 1));
    }
    Path again = temp.resolve("again.csv");
    assertEquals(0, generate(conditions, again), runs.said());
    assertEquals(done, Files.readAllLines(again));
  }

  @Test
  void theSameRowsComeOutForAnyTasks() throws IOException {
    List<String> begun = new ArrayList<>(List.of("size"));
    for (int i = 0; i < 70; i++) {
      begun.add(i % 3 == 0 ? "\"\"" : String.valueOf(i % 50));
    }
    Path conditions = given("tasks.csv", begun.toArray(String[]::new));
    RunFolder folder =
        RunFolder.toGenerate(
            new Configuration(), new org.apache.hadoop.fs.Path(temp.resolve("run").toUri()));
    Map<String, String> wish = Map.of("generation.conditions", conditions.toString());
    RunContext context =
        new RunContext(
            LocalSpark.session(),
            ConfigReader.read(folder.read(RunFolder.CONFIG).orElseThrow(), "c", wish),
            folder,
            Console.plain(),
            3);
    List<String> expected = null;
    for (int tasks : new int[] {1, 3}) {
      try (CompletionStage completion = CompletionStage.of(context, SchemaStage.read(folder))) {
        List<String> rows =
            completion
                .table(tasks, LocalSpark.session().sparkContext().longAccumulator())
                .toJSON()
                .collectAsList();
        assertEquals(70, rows.size());
        expected = expected == null ? rows : expected;
        assertEquals(expected, rows);
      }
    }
  }

  @Test
  void sharesAreMetToTheRow() {
    String wish = "{colour: {red: 0.75, blue: 0.25}}";
    String[] arguments = {"--generation.rebalance", wish, "--generation.num_records", "80"};
    assertEquals(0, runs.command("run generate", "run", arguments), runs.said());
    Dataset<Row> rows =
        LocalSpark.session().read().parquet(temp.resolve("run/synthetic").toString());
    assertEquals(80, rows.count());
    assertEquals(60, rows.filter("colour = 'red'").count());
    assertEquals(20, rows.filter("colour = 'blue'").count());
    String[] rare = {"--generation.rebalance", "{colour: {mauve: 1.0}}"};
    assertEquals(2, runs.command("run generate", "run", rare), runs.said());
    assertTrue(runs.said().contains("'mauve' is no value that the model knows"), runs.said());
  }

  @Test
  void missingCellsAreFilledAndTheOthersStay() throws IOException {
    Path gaps =
        given("gaps.csv", "colour,size,code,day", "red,,K-0001,", ",7,,2020-01-03", ",,K-1,");
    Path output = temp.resolve("filled.csv");
    String[] arguments = {"--data-source", gaps.toString(), "--output-file", output.toString()};
    assertEquals(0, runs.command("run impute", "run", arguments), runs.said());
    List<Row> rows =
        LocalSpark.session()
            .read()
            .parquet(temp.resolve("run/imputed").toString())
            .select("code", "colour", "size", "day")
            .collectAsList();
    assertEquals(3, rows.size());
    for (Row row : rows) {
      for (int c = 0; c < 4; c++) {
        assertNotNull(row.get(c), row.toString());
      }
    }
    assertEquals(List.of("K-0001", "red"), List.of(rows.get(0).get(0), rows.get(0).get(1)));
    assertEquals("7", rows.get(1).get(2).toString());
    assertEquals("2020-01-03", rows.get(1).get(3).toString());
    assertEquals("K-1", rows.get(2).get(0));
  }

  @Test
  void whatTheModelCannotKnowIsRefused() throws IOException {
    Path output = temp.resolve("none.csv");
    assertEquals(2, generate(given("alien.csv", "shape", "round"), output), runs.said());
    assertTrue(
        runs.said().contains("has a column 'shape' that the model did not learn"), runs.said());
    assertEquals(2, generate(given("odd.csv", "size", "1", "big"), output), runs.said());
    assertTrue(runs.said().contains("1 of 2 rows give a value that is outside"), runs.said());
    assertTrue(runs.said().contains("(first: row 2)"), runs.said());
    assertEquals(2, generate(given("soon.csv", "day", "soon"), output), runs.said());
    assertFalse(Files.exists(output));
    Path longer = given("long.csv", "code", "x y ".repeat(3_000));
    assertEquals(2, generate(longer, output), runs.said());
    assertTrue(
        runs.said().contains("which the model's context of 2,048 does not hold"), runs.said());
  }
}
