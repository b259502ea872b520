package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.model.TinyLlama;

/** Tables that are one time series, on the road of pretrained models, through the command line. */
@Tag("spark")
final class LanguageSingleSeriesTest {
  private static final LocalDate START = LocalDate.of(2022, 1, 1);
  private static final int DAYS = 200;

  @TempDir private static Path temp;
  private static Path model;

  private final CommandRuns runs = new CommandRuns(temp);

  private static List<String> daily() {
    SplittableRandom random = new SplittableRandom(4);
    List<String> lines = new ArrayList<>();
    for (int d = 0; d < DAYS; d++) {
      lines.add("%s,%d".formatted(START.plusDays(d), 10 * (d % 7) + random.nextInt(5)));
    }
    Collections.shuffle(lines, new Random(7)); // the times order the rows, not the file
    lines.add(0, "day,sales");
    return lines;
  }

  @BeforeAll
  static void learn() throws IOException {
    LocalSpark.session();
    model = Files.createDirectories(temp.resolve("tinyllama-random"));
    TinyLlama.write(model);
    Path config = model.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replace("\"max_position_embeddings\": 2048", "\"max_position_embeddings\": 700"));
    LanguageSingleSeriesTest test = new LanguageSingleSeriesTest();
    Path table = Files.write(temp.resolve("daily.csv"), daily());
    String[] options =
        series(table, "--evaluation.enabled", "true", "--data.keep_intermediate", "true");
    assertEquals(0, test.runs.command("run", "daily", options), test.runs.said());
    assertTrue(test.runs.said().contains("one series of 200 rows, learned in 12 segments"));
  }

  private static String[] series(Path table, String... more) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("--data-source", table.toString());
    options.put("--training.pretrained_model", model.toString());
    options.put("--data.random_state", "3");
    options.put("--data.holdout", "0.15");
    options.put("--time_series.is_timeseries", "true");
    options.put("--time_series.timestamp_column", "day");
    options.put("--training.num_input_records_to_sample", "600");
    options.put("--training.validation_ratio", "0.1");
    options.put("--training.lora_r", "4");
    options.put("--training.learning_rate", "0.01");
    options.put("--generation.use_structured_generation", "true");
    options.put("--evaluation.enabled", "false");
    return CommandRuns.options(options, more);
  }

  private static JsonNode json(String file) throws IOException {
    return new ObjectMapper().readTree(Files.readAllBytes(temp.resolve("daily").resolve(file)));
  }

  private static List<LocalDate> written(String id) {
    List<LocalDate> days = new ArrayList<>();
    Dataset<Row> rows =
        LocalSpark.session().read().parquet(temp.resolve(id).resolve("synthetic").toString());
    assertEquals(List.of("day", "sales"), List.of(rows.columns()));
    rows.collectAsList().forEach(row -> days.add(row.getDate(0).toLocalDate()));
    return days;
  }

  private static void assertDaily(LocalDate first, LocalDate last, List<LocalDate> days) {
    assertEquals(first.datesUntil(last.plusDays(1)).toList(), days);
  }

  @Test
  void oneSeriesIsWrittenOverTheSpanAskedForBeyondTheContext() throws IOException {
    JsonNode counts = json("result.json").path("counts");
    assertEquals(12, counts.path("segments").asInt());
    Dataset<Row> windows =
        LocalSpark.session().read().parquet(temp.resolve("daily/work/examples").toString());
    List<Row> rows = windows.orderBy("id_high", "id_low").select("rows").collectAsList();
    long sum = rows.stream().mapToInt(row -> row.getInt(0)).sum();
    assertEquals(DAYS, sum, "every row is new in one window");
    assertEquals(rows.size(), json("adapter/context.json").path("groups").path("units").asInt());
    assertTrue(rows.stream().noneMatch(row -> row.getInt(0) > 25), "windows fit the context");
    long holdout = counts.path("holdout").asLong();
    assertTrue(holdout >= 30 && holdout < 30 + 17, "whole segments: " + holdout);
    assertTrue(sums(rows).contains(holdout), "held out are the rows of whole windows");
    assertTrue(sums(rows).contains(holdout + counts.path("validation").asLong()));
    assertTrue(json("metrics.json").toString().contains("synthetic_data_quality_score"));

    List<LocalDate> learned = written("daily");
    LocalDate first = learned.get(0);
    LocalDate last = learned.get(learned.size() - 1);
    assertDaily(first, last, learned);
    assertTrue(first.isAfter(START) && first.isBefore(START.plusDays(9)), "protected: " + first);
    assertTrue(last.isBefore(START.plusDays(DAYS - 1)), "protected: " + last);

    String[] asked = {
      "--time_series.start_timestamp", "2021-12-20",
      "--time_series.stop_timestamp", "2022-09-30",
      "--generation.num_records", "7"
    };
    assertEquals(0, runs.command("run generate", "daily", asked), runs.said());
    assertTrue(runs.said().contains("generation.num_records is not used"), runs.said());
    assertDaily(LocalDate.of(2021, 12, 20), LocalDate.of(2022, 9, 30), written("daily"));
    assertEquals(0, runs.command("run evaluate", "daily"), runs.said());
  }

  /** The sums of rows up to each window. */
  private static List<Long> sums(List<Row> windows) {
    List<Long> sums = new ArrayList<>();
    long sum = 0;
    for (Row row : windows) {
      sum += row.getInt(0);
      sums.add(sum);
    }
    return sums;
  }

  @Test
  void whatCannotBeIsRefusedBeforeAnyWork() throws IOException {
    Path table = temp.resolve("daily.csv");
    refuses(
        "which a pretrained model keeps only with generation.use_structured_generation",
        series(table, "--generation.use_structured_generation", "false"));
    refuses(
        "lies after time_series.stop_timestamp",
        series(
            table,
            "--time_series.start_timestamp",
            "2023-01-02",
            "--time_series.stop_timestamp",
            "2023-01-01"));
    refuses(
        "are all of another length",
        series(table, "--time_series.timestamp_interval_seconds", "172800"));
    refuses("is 'when', but", series(table, "--time_series.timestamp_column", "when"));
    refuses(
        "which privacy.dp_enabled: true would hide altogether",
        series(table, "--privacy.dp_enabled", "true", "--training.validation_ratio", "0"));
    String[] grouped = {"--data.group_training_examples_by", "sales"};
    assertEquals(2, runs.command("run generate", "daily", grouped), runs.said());
  }

  @Test
  void irregularStepsStayInTheSpan() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    List<String> lines = new ArrayList<>(List.of("day,sales"));
    LocalDate day = START;
    for (int i = 0; i < 80; i++) {
      lines.add("%s,%d".formatted(day, i % 2));
      day = day.plusDays(1 + random.nextInt(3));
    }
    Path table = Files.write(temp.resolve("irregular.csv"), lines);
    String[] span = {
      "--time_series.start_timestamp", "2022-02-01",
      "--time_series.stop_timestamp", "2022-03-01"
    };
    assertEquals(0, runs.command("run", "irregular", series(table, span)), runs.said());
    List<LocalDate> days = written("irregular");
    assertEquals(LocalDate.of(2022, 2, 1), days.get(0));
    assertEquals(days.stream().sorted().toList(), days);
    assertFalse(days.get(days.size() - 1).isAfter(LocalDate.of(2022, 3, 1)), days.toString());
  }

  private void refuses(String expected, String... arguments) {
    String id = "bad" + expected.hashCode();
    assertEquals(2, runs.command("run", id, arguments), runs.said());
    assertTrue(runs.said().contains(expected), runs.said());
    assertFalse(Files.exists(temp.resolve(id).resolve("adapter")));
  }
}
