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

/** Whole runs on series whose times are those of a day and go on over midnight. */
@Tag("spark")
final class TimesOfDayTest {
  private static final int DAY = 24 * 60;

  @TempDir private static Path temp;

  private final CommandRuns runs = new CommandRuns(temp);

  /** Nights of a bar, every ten minutes: guests are many before midnight and few after it. */
  private static List<String> nights() {
    SplittableRandom random = new SplittableRandom(4);
    List<String> lines = new ArrayList<>(List.of("night,time,guests"));
    for (int night = 0; night < 120; night++) {
      int start = DAY - 10 * random.nextInt(6, 24); // from 20:10 to 23:00
      int stop = DAY + 10 * random.nextInt(6, 24); // from 01:00 to 03:50
      for (int minute = start; minute <= stop; minute += 10) {
        int guests = (minute < DAY ? 80 : 20) + random.nextInt(10);
        lines.add("N%03d,%s,%d".formatted(night, time(minute), guests));
      }
    }
    return lines;
  }

  private static String time(int minute) {
    return "%02d:%02d".formatted(minute % DAY / 60, minute % 60);
  }

  private static int minute(Row row) {
    String[] parts = row.getString(1).split(":");
    assertEquals(2, parts.length, row.getString(1));
    return 60 * Integer.parseInt(parts[0]) + Integer.parseInt(parts[1]);
  }

  @BeforeAll
  static void learn() throws IOException {
    LocalSpark.session();
    TimesOfDayTest test = new TimesOfDayTest();
    Path table = Files.write(temp.resolve("nights.csv"), nights());
    assertEquals(
        0,
        test.runs.command(
            "run",
            "nights",
            series(
                table,
                "--time_series.timestamp_interval_seconds",
                "600",
                "--generation.num_groups",
                "60",
                "--evaluation.enabled",
                "true")),
        test.runs.said());
  }

  private static String[] series(Path table, String... more) {
    Map<String, String> usual = new LinkedHashMap<>();
    usual.put("--data-source", table.toString());
    usual.put("--data.random_state", "3");
    usual.put("--data.group_training_examples_by", "night");
    usual.put("--time_series.is_timeseries", "true");
    usual.put("--time_series.timestamp_column", "time");
    usual.put("--training.num_input_records_to_sample", "40000");
    usual.put("--evaluation.enabled", "false");
    return CommandRuns.options(usual, more);
  }

  @Test
  void aSeriesGoesOnOverMidnightAndASpanEndsOnTheNextDay() throws IOException {
    Map<String, List<Row>> learned = runs.groups("nights");
    assertEquals(60, learned.size());
    assertNights(learned);
    Set<Integer> starts = new HashSet<>();
    Set<Integer> stops = new HashSet<>();
    for (List<Row> rows : learned.values()) {
      starts.add(minute(rows.get(0)));
      stops.add(minute(rows.get(rows.size() - 1)));
      assertTrue(minute(rows.get(0)) >= 20 * 60, rows.get(0).toString());
    }
    assertTrue(starts.size() > 4 && stops.size() > 4, starts + " to " + stops);
    assertTrue(Files.readString(temp.resolve("nights/schema.json")).contains("\"HH:mm\""));
    String[] span = {
      "--generation.num_groups",
      "20",
      "--time_series.start_timestamp",
      "22:00",
      "--time_series.stop_timestamp",
      "05:30"
    };
    assertEquals(0, runs.command("run generate", "nights", span), runs.said());
    Map<String, List<Row>> asked = runs.groups("nights");
    assertEquals(20, asked.size());
    assertNights(asked);
    for (List<Row> rows : asked.values()) {
      assertEquals(22 * 60, minute(rows.get(0)));
      assertEquals(5 * 60 + 30, minute(rows.get(rows.size() - 1)));
      assertEquals(46, rows.size());
    }
    assertEquals(0, runs.command("run evaluate", "nights"), runs.said());
    assertEquals(
        2,
        runs.command("run generate", "nights", "--time_series.stop_timestamp", "02:00"),
        runs.said());
    assertTrue(runs.said().contains("give time_series.start_timestamp too"), runs.said());
  }

  /** Rows are ten minutes apart, and guests are many before midnight and few after it. */
  private static void assertNights(Map<String, List<Row>> groups) {
    double[] guests = new double[2];
    int[] rows = new int[2];
    int pastMidnight = 0;
    for (List<Row> group : groups.values()) {
      for (int i = 0; i < group.size(); i++) {
        int minute = minute(group.get(i));
        if (i > 0) {
          int before = minute(group.get(i - 1));
          assertEquals((before + 10) % DAY, minute);
          pastMidnight += minute < before ? 1 : 0;
        }
        int part = minute < DAY / 2 ? 1 : 0;
        guests[part] += ((Number) group.get(i).get(2)).doubleValue();
        rows[part]++;
      }
    }
    assertTrue(pastMidnight > 0.9 * groups.size(), pastMidnight + " go over midnight");
    assertTrue(guests[0] / rows[0] > 70, "before midnight " + guests[0] / rows[0]);
    assertTrue(guests[1] / rows[1] < 40, "after midnight " + guests[1] / rows[1]);
  }

  @Test
  void secondsOfUnevenStepsAreReadInAGivenFormat() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    List<String> lines = new ArrayList<>(List.of("night,time,guests"));
    for (int night = 0; night < 80; night++) {
      int second = 86_400 - 60;
      for (int i = 0; i < 12; i++) {
        int shown = second % 86_400;
        lines.add(
            "N%03d,%02d:%02d:%02d,%d"
                .formatted(night, shown / 3_600, shown / 60 % 60, shown % 60, i % 2));
        second += random.nextBoolean() ? 7 : 15;
      }
    }
    Path table = Files.write(temp.resolve("seconds.csv"), lines);
    String[] options =
        series(
            table,
            "--time_series.timestamp_format",
            "%H:%M:%S",
            "--training.num_input_records_to_sample",
            "12000",
            "--generation.num_groups",
            "30",
            "--time_series.stop_timestamp",
            "00:03:00");
    assertEquals(0, runs.command("run", "seconds", options), runs.said());
    for (List<Row> rows : runs.groups("seconds").values()) {
      assertEquals("23:59:00", rows.get(0).getString(1));
      int before = 86_400 - 60;
      for (Row row : rows.subList(1, rows.size())) {
        String[] parts = row.getString(1).split(":");
        int shown =
            3_600 * Integer.parseInt(parts[0])
                + 60 * Integer.parseInt(parts[1])
                + Integer.parseInt(parts[2]);
        int step = Math.floorMod(shown - before, 86_400);
        assertTrue(step == 7 || step == 15, rows.toString());
        before = shown;
      }
      assertTrue(before > 180 - 15 && before <= 180, "ends at " + before);
    }
  }

  @Test
  void badTimesAreNamed() throws IOException {
    Path table = temp.resolve("nights.csv");
    List<String> lines = nights();
    lines.set(9, "N000,25:10,80");
    lines.set(10, "N000,23.10,80");
    refuses(
        "column 'time': 2 of %,d values are not times of day of the form HH:mm"
            .formatted(lines.size() - 1),
        series(Files.write(temp.resolve("odd.csv"), lines)));
    refuses(
        "values are not times of day of the form HH:mm:ss",
        series(table, "--time_series.timestamp_format", "%H:%M:%S"));
    refuses(
        "but column 'time' holds times of day; remove the format",
        series(
            table,
            "--time_series.timestamp_format",
            "elapsed_seconds",
            "--data.schema_file",
            declared("string")));
    refuses(
        "declare both in the schema file", series(table, "--data.schema_file", declared("int")));
    refuses(
        "but column 'time' holds integer values of the form HH:mm",
        series(table, "--time_series.start_timestamp", "22:00:00"));
    refuses(
        "give time_series.start_timestamp too",
        series(table, "--time_series.stop_timestamp", "02:00"));
    refuses(
        "which are not learned without data.group_training_examples_by",
        CommandRuns.options(
            Map.of(
                "--data-source",
                table.toString(),
                "--time_series.is_timeseries",
                "true",
                "--time_series.timestamp_column",
                "time")));
    refuses(
        "which are not learned with privacy.dp_enabled: true",
        series(
            table,
            "--privacy.dp_enabled",
            "true",
            "--privacy.assume_public_domain",
            "true",
            "--data.schema_file",
            declared("string")));
  }

  private static String declared(String type) throws IOException {
    String json =
        "{\"columns\": [{\"name\": \"time\", \"kind\": \"integer\", \"type\": \"%s\", \"format\": \"HH:mm\"}]}"
            .formatted(type);
    return Files.writeString(temp.resolve(type + ".json"), json).toString();
  }

  private void refuses(String expected, String... arguments) {
    assertEquals(2, runs.command("run", "bad" + expected.hashCode(), arguments), runs.said());
    assertTrue(runs.said().contains(expected), runs.said());
  }
}
