package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

/** Series of times of day that go on over midnight, on the road of pretrained models. */
@Tag("spark")
final class LanguageTimesOfDayTest {
  private static final int DAY = 24 * 60;

  @TempDir private static Path temp;
  private static Path model;

  private final CommandRuns runs = new CommandRuns(temp);

  /** Nights of a bar, every ten minutes. */
  private static List<String> nights() {
    SplittableRandom random = new SplittableRandom(4);
    List<String> lines = new ArrayList<>(List.of("night,time,guests"));
    for (int night = 0; night < 40; night++) {
      int start = DAY - 10 * random.nextInt(2, 8); // from 22:50 to 23:40
      int stop = DAY + 10 * random.nextInt(2, 8);
      for (int minute = start; minute <= stop; minute += 10) {
        String time = "%02d:%02d".formatted(minute % DAY / 60, minute % 60);
        lines.add("N%03d,%s,%d".formatted(night, time, random.nextInt(10)));
      }
    }
    return lines;
  }

  private static int minute(Row row) {
    String[] parts = row.getString(1).split(":");
    assertEquals(2, parts.length, row.getString(1));
    return 60 * Integer.parseInt(parts[0]) + Integer.parseInt(parts[1]);
  }

  @BeforeAll
  static void learn() throws IOException {
    LocalSpark.session();
    model = Files.createDirectories(temp.resolve("tinyllama-random"));
    TinyLlama.write(model);
    LanguageTimesOfDayTest test = new LanguageTimesOfDayTest();
    Path table = Files.write(temp.resolve("nights.csv"), nights());
    String[] options = series(table, "--evaluation.enabled", "true");
    assertEquals(0, test.runs.command("run", "nights", options), test.runs.said());
  }

  private static String[] series(Path table, String... more) {
    Map<String, String> usual = new LinkedHashMap<>();
    usual.put("--data-source", table.toString());
    usual.put("--training.pretrained_model", model.toString());
    usual.put("--training.rope_scaling_factor", "1");
    usual.put("--data.random_state", "3");
    usual.put("--data.group_training_examples_by", "night");
    usual.put("--time_series.is_timeseries", "true");
    usual.put("--time_series.timestamp_column", "time");
    usual.put("--training.num_input_records_to_sample", "300");
    usual.put("--training.lora_r", "4");
    usual.put("--training.learning_rate", "0.01");
    usual.put("--generation.num_groups", "12");
    usual.put("--generation.use_structured_generation", "true");
    usual.put("--evaluation.enabled", "false");
    return CommandRuns.options(usual, more);
  }

  private static void assertEveryTenMinutes(List<Row> rows) {
    for (int i = 1; i < rows.size(); i++) {
      assertEquals((minute(rows.get(i - 1)) + 10) % DAY, minute(rows.get(i)));
    }
  }

  @Test
  void aSeriesGoesOnOverMidnightAndASpanEndsOnTheNextDay() throws IOException {
    Map<String, List<Row>> learned = runs.groups("nights");
    assertEquals(12, learned.size());
    Set<Integer> starts = new HashSet<>();
    for (List<Row> rows : learned.values()) {
      assertEveryTenMinutes(rows);
      starts.add(minute(rows.get(0)));
      assertTrue(minute(rows.get(0)) >= DAY - 70, rows.get(0).toString());
    }
    assertTrue(starts.size() > 2, starts.toString());
    String[] span = {
      "--generation.num_groups", "5",
      "--time_series.start_timestamp", "22:00",
      "--time_series.stop_timestamp", "05:30"
    };
    assertEquals(0, runs.command("run generate", "nights", span), runs.said());
    Map<String, List<Row>> asked = runs.groups("nights");
    assertEquals(5, asked.size());
    for (List<Row> rows : asked.values()) {
      assertEveryTenMinutes(rows);
      assertEquals(22 * 60, minute(rows.get(0)));
      assertEquals(5 * 60 + 30, minute(rows.get(rows.size() - 1)));
      assertEquals(46, rows.size());
    }
    assertEquals(0, runs.command("run evaluate", "nights"), runs.said());
    String[] stop = {"--time_series.stop_timestamp", "02:00"};
    assertEquals(2, runs.command("run generate", "nights", stop), runs.said());
    assertTrue(runs.said().contains("give time_series.start_timestamp too"), runs.said());
  }

  @Test
  void unevenStepsAreNoLongerThanTheLearnedOnes() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    List<String> lines = new ArrayList<>(List.of("night,time,guests"));
    for (int night = 0; night < 40; night++) {
      int second = 86_400 - 60;
      for (int i = 0; i < 12; i++) {
        int shown = second % 86_400;
        String time = "%02d:%02d:%02d".formatted(shown / 3_600, shown / 60 % 60, shown % 60);
        lines.add("N%03d,%s,%d".formatted(night, time, i % 2));
        second += random.nextBoolean() ? 7 : 15;
      }
    }
    Path table = Files.write(temp.resolve("seconds.csv"), lines);
    String[] options =
        series(
            table,
            "--time_series.timestamp_format",
            "%H:%M:%S",
            "--time_series.stop_timestamp",
            "00:03:00");
    assertEquals(0, runs.command("run", "seconds", options), runs.said());
    for (List<Row> rows : runs.groups("seconds").values()) {
      assertEquals("23:59:00", rows.get(0).getString(1));
      int before = 86_400 - 60;
      int sum = 0;
      for (Row row : rows) {
        String[] parts = row.getString(1).split(":");
        int shown =
            3_600 * Integer.parseInt(parts[0])
                + 60 * Integer.parseInt(parts[1])
                + Integer.parseInt(parts[2]);
        int step = Math.floorMod(shown - before, 86_400);
        assertTrue(step <= 15, rows.toString());
        sum += step;
        before = shown;
      }
      assertTrue(sum <= 240, "beyond the stop: " + rows);
    }
  }

  @Test
  void badTimesAreNamed() throws IOException {
    Path table = temp.resolve("nights.csv");
    refuses(
        "values are not times of day of the form HH:mm:ss",
        series(table, "--time_series.timestamp_format", "%H:%M:%S"));
    refuses(
        "give time_series.start_timestamp too",
        series(table, "--time_series.stop_timestamp", "02:00"));
    List<String> options = new ArrayList<>(List.of(series(table)));
    int group = options.indexOf("--data.group_training_examples_by");
    options.subList(group, group + 2).clear();
    options.removeAll(List.of("--generation.num_groups", "12"));
    refuses(
        "which are not learned without data.group_training_examples_by",
        options.toArray(String[]::new));
  }

  private void refuses(String expected, String... arguments) {
    assertEquals(2, runs.command("run", "bad" + expected.hashCode(), arguments), runs.said());
    assertTrue(runs.said().contains(expected), runs.said());
  }
}
