package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.model.TinyLlama;

/** Series of a small random pretrained model whose times are numbers. */
@Tag("spark")
final class LanguageNumberedSeriesTest {
  @TempDir private static Path temp;
  private static Path model;

  private final CommandRuns runs = new CommandRuns(temp);

  @BeforeAll
  static void model() throws IOException {
    LocalSpark.session();
    model = Files.createDirectories(temp.resolve("tinyllama-random"));
    TinyLlama.write(model);
  }

  private static String[] series(Path table, String... more) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("--data-source", table.toString());
    options.put("--training.pretrained_model", model.toString());
    options.put("--training.rope_scaling_factor", "1");
    options.put("--data.random_state", "3");
    options.put("--data.group_training_examples_by", "machine");
    options.put("--time_series.is_timeseries", "true");
    options.put("--training.num_input_records_to_sample", "200");
    options.put("--training.lora_r", "4");
    options.put("--training.learning_rate", "0.01");
    options.put("--generation.num_groups", "6");
    options.put("--generation.use_structured_generation", "true");
    options.put("--evaluation.enabled", "false");
    return CommandRuns.options(options, more);
  }

  @Test
  void positionsBecomeTheTimesOfEachSeries() throws IOException {
    List<String> lines = new ArrayList<>(List.of("machine,reading"));
    for (int i = 0; i < 8; i++) {
      for (int machine = 0; machine < 20; machine++) {
        lines.add("M%03d,%d".formatted(machine, i % 3));
      }
    }
    Path table = Files.write(temp.resolve("readings.csv"), lines);
    String[] asked = {
      "--time_series.timestamp_interval_seconds", "60", "--time_series.stop_timestamp", "300"
    };
    assertEquals(0, runs.command("run", "numbered", series(table, asked)), runs.said());
    Dataset<Row> written =
        LocalSpark.session().read().parquet(temp.resolve("numbered/synthetic").toString());
    assertEquals(List.of("elapsed_seconds", "machine", "reading"), List.of(written.columns()));
    Map<String, List<Row>> machines = runs.groups("numbered", 1);
    assertEquals(6, machines.size());
    for (List<Row> rows : machines.values()) {
      assertEquals(
          List.of(0L, 60L, 120L, 180L, 240L, 300L),
          rows.stream().map(row -> ((Number) row.get(0)).longValue()).toList());
    }
  }

  @Test
  void numbersAreTimesOfUnevenSteps() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    List<String> lines = new ArrayList<>(List.of("machine,second,reading"));
    for (int machine = 0; machine < 20; machine++) {
      int second = 0;
      for (int i = 0; i < 8; i++) {
        lines.add("M%03d,%d,%d".formatted(machine, second, i % 3));
        second += random.nextBoolean() ? 10 : 25;
      }
    }
    Path table = Files.write(temp.resolve("seconds.csv"), lines);
    String[] asked = {
      "--time_series.timestamp_column", "second",
      "--time_series.timestamp_format", "elapsed_seconds",
      "--time_series.stop_timestamp", "200"
    };
    assertEquals(0, runs.command("run", "seconds", series(table, asked)), runs.said());
    Map<String, List<Row>> machines = runs.groups("seconds");
    assertEquals(6, machines.size());
    for (List<Row> rows : machines.values()) {
      List<Long> seconds = rows.stream().map(row -> ((Number) row.get(1)).longValue()).toList();
      assertEquals(0L, seconds.get(0));
      assertEquals(seconds.stream().sorted().toList(), seconds);
      assertTrue(seconds.get(seconds.size() - 1) <= 200, seconds.toString());
    }
  }

  /** A table of one group tells nothing of others, but its rows can be learned. */
  @Test
  void theSmallestGroupsAreLearned() throws IOException {
    List<String> ones = new ArrayList<>(List.of("machine,day,reading"));
    List<String> lines = new ArrayList<>(List.of("machine,day,reading"));
    for (int i = 0; i < 20; i++) {
      lines.add("M1,2021-04-%02d,%d".formatted(i + 1, i % 3));
      ones.add("M%03d,2021-04-%02d,%d".formatted(i, i + 1, i % 3));
    }
    Path table = Files.write(temp.resolve("single.csv"), lines);
    String[] groups = {
      "--time_series.is_timeseries",
      "false",
      "--data.order_training_examples_by",
      "day",
      "--data.value_protection",
      "false",
      "--generation.num_groups",
      "3"
    };
    assertEquals(0, runs.command("run", "single", series(table, groups)), runs.said());
    Map<String, List<Row>> written = runs.groups("single");
    assertEquals(3, written.size());
    assertFalse(written.containsKey("M1"));
    for (List<Row> rows : written.values()) {
      List<String> days = rows.stream().map(row -> row.get(1).toString()).toList();
      assertEquals(days.stream().sorted().toList(), days);
    }
    table = Files.write(temp.resolve("ones.csv"), ones);
    assertEquals(0, runs.command("run", "ones", series(table, groups)), runs.said());
    runs.groups("ones").values().forEach(rows -> assertEquals(1, rows.size()));
  }

  /** A model that has learned little writes no series that begins as one: each is given up. */
  @Test
  void withoutAGrammarFidelityGivesSeriesUp() throws IOException {
    List<String> lines = new ArrayList<>(List.of("machine,day,reading"));
    for (int machine = 0; machine < 20; machine++) {
      for (int i = 0; i < 6; i++) {
        lines.add("M%03d,2021-04-%02d,%d".formatted(machine, i + 1, i % 3));
      }
    }
    Path table = Files.write(temp.resolve("fidelity.csv"), lines);
    String[] free = {
      "--time_series.timestamp_column",
      "day",
      "--generation.use_structured_generation",
      "false",
      "--generation.enforce_timeseries_fidelity",
      "true",
      "--generation.patience",
      "2"
    };
    assertEquals(1, runs.command("run", "fidelity", series(table, free)), runs.said());
    // Six series, of which each is begun twice.
    assertTrue(runs.said().contains("holds no valid record (TimeSeries: 12)"), runs.said());
  }
}
