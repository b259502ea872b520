package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.fault.BadInputException;

/** A trained model, read as a table. */
@Tag("spark")
final class SyntheticSourceTest {
  @TempDir private static Path temp;
  private static Path run;

  @BeforeAll
  static void trainSmallModel() throws IOException {
    LocalSpark.session();
    StringBuilder csv = new StringBuilder("a.b,town,\"pay `net`\"\n");
    for (int i = 0; i < 600; i++) {
      csv.append(i % 23).append(i % 3 == 0 ? ",ulm," : ",bonn,").append(i % 7 + 0.5).append('\n');
    }
    Path table = Files.writeString(temp.resolve("table.csv"), csv);
    execute(
        "run",
        "--data-source",
        table.toString(),
        "--artifact-path",
        temp.toString(),
        "--run-id",
        "r",
        "--data.random_state",
        "5",
        "--embedded.max_minutes",
        "0.1",
        "--evaluation.enabled",
        "false",
        "--generation.num_records",
        "1300");
    run = temp.resolve("r");
  }

  private static void execute(String... arguments) {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int exit =
        Main.execute(
            arguments,
            new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            Map.of());
    assertEquals(0, exit, err.toString(StandardCharsets.UTF_8));
  }

  private static SparkSession spark() {
    return LocalSpark.session();
  }

  private static DataFrameReader reader() {
    return spark().read().format("safesynth").option("model", run.toString());
  }

  private static Dataset<Row> written() {
    return spark().read().parquet(run.resolve("synthetic").toString());
  }

  private static void assertSameRows(Dataset<Row> expected, Dataset<Row> actual) {
    assertEquals(expected.count(), actual.count());
    assertEquals(0, expected.exceptAll(actual).count());
  }

  @Test
  void readsTheRowsThatTheRunWrote() {
    Dataset<Row> read = reader().load();
    assertEquals(written().schema(), read.schema());
    assertSameRows(written(), read);
    assertSameRows(written(), spark().read().format("safesynth").load(run.toString()));
  }

  @Test
  void readsTheRowsThatRunGenerateWritesForTheSameOptions() {
    Dataset<Row> read = reader().option("num_records", 700).option("seed", 11).load();
    List<Row> rows = read.collectAsList();
    execute(
        "run",
        "generate",
        "--run-path",
        run.toString(),
        "--generation.num_records",
        "700",
        "--generation.seed",
        "11");
    spark().catalog().refreshByPath(run.resolve("synthetic").toString());
    assertSameRows(written(), spark().createDataFrame(rows, read.schema()));
    execute("run", "generate", "--run-path", run.toString()); // as the other tests expect it
    spark().catalog().refreshByPath(run.resolve("synthetic").toString());
  }

  @Test
  void someColumnsAreThoseOfTheWholeRows() {
    Dataset<Row> some = reader().load().select("`pay ``net```", "`a.b`");
    assertSameRows(written().select("`pay ``net```", "`a.b`"), some);
  }

  @Test
  void isTableOfSql() {
    spark()
        .sql(
            "CREATE TABLE synthetic_pay USING safesynth OPTIONS (model '%s', num_records 50)"
                .formatted(run.resolve("model")));
    try {
      assertEquals(50, spark().sql("SELECT town FROM synthetic_pay").count());
      assertEquals(
          0, spark().sql("SELECT * FROM synthetic_pay WHERE town NOT IN ('ulm','bonn')").count());
    } finally {
      spark().sql("DROP TABLE synthetic_pay");
    }
  }

  private static String refusal(DataFrameReader reader) {
    return assertThrows(BadInputException.class, reader::load).getMessage();
  }

  @Test
  void badOptionsAreOneSentence() {
    assertTrue(refusal(spark().read().format("safesynth")).contains("needs option(\"model\""));
    assertTrue(
        refusal(spark().read().format("safesynth").option("model", temp.resolve("no").toString()))
            .contains("does not exist"));
    assertTrue(
        refusal(spark().read().format("safesynth").option("model", temp.toString()))
            .contains("is no run folder"));
    assertTrue(refusal(reader().option("num_record", 5)).contains("num_records"));
    assertTrue(refusal(reader().option("num_records", 0)).contains("num_records"));
    assertTrue(refusal(reader().option("constraints", "[\"`a.b` > 3\"]")).contains("run generate"));
  }

  @Test
  void givenRowsAreCompletedInTheirOrder() throws IOException {
    StringBuilder csv = new StringBuilder("town,a.b\n");
    for (int i = 0; i < 70; i++) {
      csv.append(i % 2 == 0 ? "ulm," : "bonn,").append(i % 23).append('\n');
    }
    Path given = Files.writeString(temp.resolve("given.csv"), csv);
    List<Row> rows = reader().option("conditions", given.toString()).load().collectAsList();
    assertEquals(70, rows.size());
    for (int i = 0; i < 70; i++) {
      assertEquals(i % 2 == 0 ? "ulm" : "bonn", rows.get(i).getString(1));
      assertEquals(i % 23, rows.get(i).getLong(0));
      assertFalse(rows.get(i).isNullAt(2));
    }
    Files.writeString(given, "town\nparis\n");
    String said = refusal(reader().option("conditions", given.toString()));
    assertTrue(said.contains("town"), said);
  }

  @Test
  void modelOfGroupsIsRefused() throws IOException {
    Path grouped = temp.resolve("grouped");
    Files.createDirectories(grouped.resolve("model"));
    Files.copy(run.resolve("schema.json"), grouped.resolve("schema.json"));
    Files.writeString(
        grouped.resolve("config.yaml"),
        "data: {group_training_examples_by: town, random_state: 5}\n");
    DataFrameReader reader = spark().read().format("safesynth").option("model", grouped.toString());
    assertTrue(refusal(reader).contains("groups"), refusal(reader));
  }
}
