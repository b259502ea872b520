package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.config.ConfigReader;
import org.safesynth.config.SafeSynthesizerConfig;

/** Runs on time series whose rows stand in order but tell no times. */
@Tag("spark")
final class NumberedSeriesTest {
  private static final int MACHINES = 60;

  @TempDir private static Path temp;

  private final CommandRuns runs = new CommandRuns(temp);

  /** Readings of machines in turn, as a log has them; every third one is high. */
  private static List<String> readings() {
    SplittableRandom random = new SplittableRandom(6);
    List<String> lines = new ArrayList<>(List.of("machine,reading"));
    int[] lengths = random.ints(MACHINES, 25, 45).toArray();
    for (int i = 0; i < 45; i++) {
      for (int machine = 0; machine < MACHINES; machine++) {
        if (i < lengths[machine]) {
          int level = i % 3 == 2 ? 500 : 100;
          lines.add("M%03d,%d".formatted(machine, level + random.nextInt(30)));
        }
      }
    }
    return lines;
  }

  private static String[] series(Path table, String... more) {
    return CommandRuns.options(
        Map.of(
            "--data-source",
            table.toString(),
            "--data.random_state",
            "3",
            "--data.group_training_examples_by",
            "machine",
            "--time_series.is_timeseries",
            "true",
            "--time_series.timestamp_interval_seconds",
            "60",
            "--training.num_input_records_to_sample",
            "25000",
            "--evaluation.enabled",
            "false"),
        more);
  }

  @BeforeAll
  static void session() {
    LocalSpark.session();
  }

  @Test
  void positionsBecomeTheTimesOfEachSeries() throws IOException {
    Path table = Files.write(temp.resolve("readings.csv"), readings());
    String[] options =
        series(table, "--generation.num_groups", "40", "--evaluation.enabled", "true");
    int code = runs.command("run", "numbered", options);
    assertEquals(0, code, runs.said());
    assertTrue(Files.readString(temp.resolve("numbered/metrics.json")).contains("elapsed_seconds"));
    Dataset<Row> written =
        LocalSpark.session().read().parquet(temp.resolve("numbered/synthetic").toString());
    assertEquals(List.of("elapsed_seconds", "machine", "reading"), List.of(written.columns()));
    double[] sums = new double[2];
    int[] rows = new int[2];
    Map<String, List<Row>> machines = runs.groups("numbered", 1);
    assertEquals(40, machines.size());
    for (List<Row> machine : machines.values()) {
      for (int i = 0; i < machine.size(); i++) {
        assertEquals(60L * i, ((Number) machine.get(i).get(0)).longValue());
        int part = i % 3 == 2 ? 1 : 0;
        sums[part] += ((Number) machine.get(i).get(2)).doubleValue();
        rows[part]++;
      }
    }
    double high = sums[1] / rows[1];
    double low = sums[0] / rows[0];
    assertTrue(high > 400 && low < 220, "every third reading " + high + ", others " + low);
    String[] longer = {"--generation.num_groups", "5", "--time_series.stop_timestamp", "6000"};
    assertEquals(0, runs.command("run generate", "numbered", longer), runs.said());
    runs.groups("numbered", 1).values().forEach(machine -> assertEquals(101, machine.size()));
  }

  @Test
  void oneSeriesIsNumberedThrough() {
    SafeSynthesizerConfig config = config("");
    Dataset<Row> rows =
        LocalSpark.session()
            .range(0, 1_000, 1, 7)
            .selectExpr("cast(id * 37 % 1000 as string) as `a.b`", "id");
    List<Row> numbered = numbered(config, rows).orderBy("id").collectAsList();
    for (int i = 0; i < 1_000; i++) {
      assertEquals(60L * i, numbered.get(i).getLong(0));
      assertEquals(String.valueOf(i * 37 % 1_000), numbered.get(i).getString(1));
    }
  }

  @Test
  void rowsOfSeveralSeriesAreCountedInTheSourcesOrder() {
    SafeSynthesizerConfig config = config("data: {group_training_examples_by: g}\n");
    Dataset<Row> rows = LocalSpark.session().range(0, 1_000, 1, 7).selectExpr("id % 4 as g", "id");
    for (Row row : numbered(config, rows).collectAsList()) {
      assertEquals(60 * (row.getLong(2) / 4), row.getLong(0));
    }
  }

  @Test
  void aTableThatHasTheColumnIsToldSo() throws IOException {
    Path table =
        Files.write(
            temp.resolve("timed.csv"), List.of("machine,elapsed_seconds", "a,0", "a,60", "b,0"));
    assertEquals(2, runs.command("run", "timed", series(table)));
    assertTrue(
        runs.said().contains("timed.csv has a column 'elapsed_seconds', the name of the times"),
        runs.said());
  }

  private static SafeSynthesizerConfig config(String yaml) {
    return ConfigReader.read(
        yaml + "time_series: {is_timeseries: true, timestamp_interval_seconds: 60}\n",
        "run.yaml",
        Map.of());
  }

  private static Dataset<Row> numbered(SafeSynthesizerConfig config, Dataset<Row> rows) {
    rows.createOrReplaceTempView("unnumbered");
    TableSource table =
        TableSource.open(
            LocalSpark.session(), new TableSource.Address("table:unnumbered", null, Map.of()));
    return NumberedRows.of(config, table).rows();
  }
}
