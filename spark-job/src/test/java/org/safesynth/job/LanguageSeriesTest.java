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
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.model.TinyLlama;

/** Time series longer than the context of a pretrained model, through the command line. */
@Tag("spark")
final class LanguageSeriesTest {
  private static final LocalDate START = LocalDate.of(2021, 3, 1);
  private static final int CONTEXT = 400;

  @TempDir private static Path temp;
  private static Path model;

  private final CommandRuns runs = new CommandRuns(temp);

  private static List<String> daily() {
    SplittableRandom random = new SplittableRandom(4);
    List<String> lines = new ArrayList<>(List.of("shop,day,sales"));
    for (int shop = 0; shop < 20; shop++) {
      LocalDate day = START.plusDays(random.nextInt(5));
      for (int rows = 4 + random.nextInt(14); rows > 0; rows--) {
        lines.add("S%04d,%s,%d".formatted(7 * shop, day, random.nextInt(20)));
        day = day.plusDays(1);
      }
    }
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
            .replace(
                "\"max_position_embeddings\": 2048", "\"max_position_embeddings\": " + CONTEXT));
    LanguageSeriesTest test = new LanguageSeriesTest();
    Path table = Files.write(temp.resolve("daily.csv"), daily());
    assertEquals(0, test.runs.command("run", "daily", series(table)), test.runs.said());
  }

  private static String[] series(Path table, String... more) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("--data-source", table.toString());
    options.put("--training.pretrained_model", model.toString());
    options.put("--training.rope_scaling_factor", "1");
    options.put("--data.random_state", "3");
    options.put("--data.group_training_examples_by", "shop");
    options.put("--time_series.is_timeseries", "true");
    options.put("--time_series.timestamp_column", "day");
    options.put("--training.num_input_records_to_sample", "300");
    options.put("--training.validation_ratio", "0.1");
    options.put("--training.lora_r", "4");
    options.put("--training.learning_rate", "0.01");
    options.put("--generation.num_groups", "8");
    options.put("--generation.use_structured_generation", "true");
    options.put("--evaluation.enabled", "false");
    return CommandRuns.options(options, more);
  }

  private static Map<String, List<LocalDate>> written(String id) {
    Map<String, List<LocalDate>> days = new LinkedHashMap<>();
    for (Row row :
        LocalSpark.session()
            .read()
            .parquet(temp.resolve(id).resolve("synthetic").toString())
            .collectAsList()) {
      days.computeIfAbsent(row.getString(0), key -> new ArrayList<>())
          .add(row.getDate(1).toLocalDate());
    }
    return days;
  }

  private static void assertDaily(List<LocalDate> days) {
    for (int i = 1; i < days.size(); i++) {
      assertEquals(days.get(i - 1).plusDays(1), days.get(i));
    }
  }

  @Test
  void theIntervalIsExactAndTheSpanAskedForIsWrittenBeyondTheContext() throws IOException {
    JsonNode grouping =
        new ObjectMapper()
            .readTree(Files.readAllBytes(temp.resolve("daily/adapter/context.json")))
            .path("groups");
    assertTrue(grouping.path("units").asInt() > 20, "series were cut into windows: " + grouping);
    assertEquals(17, grouping.path("most_rows").asInt(), grouping.toString());
    Set<String> real = new HashSet<>();
    daily().forEach(line -> real.add(line.split(",")[0]));
    Map<String, List<LocalDate>> learned = written("daily");
    assertEquals(8, learned.size());
    learned.forEach(
        (shop, days) -> {
          assertDaily(days);
          assertFalse(real.contains(shop), shop);
        });
    String[] asked = {
      "--generation.num_groups", "5",
      "--time_series.start_timestamp", "2021-02-20",
      "--time_series.stop_timestamp", "2021-04-05"
    };
    assertEquals(0, runs.command("run generate", "daily", asked), runs.said());
    Map<String, List<LocalDate>> span = written("daily");
    assertEquals(5, span.size());
    for (List<LocalDate> days : span.values()) {
      assertDaily(days);
      assertEquals(LocalDate.of(2021, 2, 20), days.get(0));
      assertEquals(LocalDate.of(2021, 4, 5), days.get(days.size() - 1));
    }
    assertEquals(0, runs.command("run generate", "daily", asked), runs.said());
    assertEquals(span, written("daily"));
  }

  @Test
  void withoutAGrammarTheSpanNeedsFidelity() throws IOException {
    String[] free = {
      "--generation.use_structured_generation", "false",
      "--time_series.stop_timestamp", "2021-04-05"
    };
    Path table = temp.resolve("daily.csv");
    assertEquals(2, runs.command("run", "unbound", series(table, free)), runs.said());
    assertTrue(runs.said().contains("bind a pretrained model only with"), runs.said());
    assertFalse(Files.exists(temp.resolve("unbound").resolve("adapter")));
    String[] early = {"--time_series.start_timestamp", "2031-04-05"};
    assertEquals(2, runs.command("run", "late", series(table, early)), runs.said());
    assertTrue(runs.said().contains("lies after the end of the learned series"), runs.said());
    String[] interval = {"--time_series.timestamp_interval_seconds", "172800"};
    assertEquals(2, runs.command("run", "steps", series(table, interval)), runs.said());
    assertTrue(runs.said().contains("are all of another length"), runs.said());
  }

  @Test
  void irregularSeriesStayInOrderAndInTheirSpan() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    List<String> lines = new ArrayList<>(List.of("shop,day,sales"));
    for (int shop = 0; shop < 12; shop++) {
      LocalDate day = START;
      for (int i = 0; i < 6; i++) {
        lines.add("S%04d,%s,%d".formatted(shop, day, i % 2));
        day = day.plusDays(1 + random.nextInt(3));
      }
    }
    Path table = Files.write(temp.resolve("irregular.csv"), lines);
    String[] stop = {"--time_series.stop_timestamp", "2021-03-15"};
    assertEquals(0, runs.command("run", "irregular", series(table, stop)), runs.said());
    for (List<LocalDate> days : written("irregular").values()) {
      assertEquals(START, days.get(0));
      assertEquals(days.stream().sorted().toList(), days);
      assertFalse(days.get(days.size() - 1).isAfter(LocalDate.of(2021, 3, 15)), days.toString());
    }
  }
}
