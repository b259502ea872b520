package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DayOfWeek;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
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

/** Whole runs on tables of time series, through the command line. */
@Tag("spark")
final class TimeSeriesTest {
  private static final LocalDate START = LocalDate.of(2021, 3, 1);

  private static final int SHORTEST = 22;

  @TempDir private static Path temp;

  private final CommandRuns runs = new CommandRuns(temp);

  /** Daily sales of shops with starts and stops of their own; weekends sell twice as much. */
  private static List<String> daily() {
    SplittableRandom random = new SplittableRandom(4);
    List<String> lines = new ArrayList<>(List.of("shop,day,sales"));
    for (int shop = 0; shop < 100; shop++) {
      LocalDate day = START.plusDays(random.nextInt(25));
      LocalDate stop = day.plusDays(SHORTEST - 1 + random.nextInt(25));
      int level = random.nextInt(1, 4);
      for (; !day.isAfter(stop); day = day.plusDays(1)) {
        int sales = 100 * level * (isWeekend(day) ? 2 : 1) + random.nextInt(20);
        lines.add("S%04d,%s,%d".formatted(7 * shop, written(day), sales));
      }
    }
    return lines;
  }

  private static String written(LocalDate day) {
    return "%02d/%02d/%d".formatted(day.getDayOfMonth(), day.getMonthValue(), day.getYear());
  }

  private static LocalDate day(List<Row> rows, int index) {
    return rows.get(index).getDate(1).toLocalDate();
  }

  private static boolean isWeekend(LocalDate day) {
    return day.getDayOfWeek().getValue() >= DayOfWeek.SATURDAY.getValue();
  }

  @BeforeAll
  static void learn() throws IOException {
    LocalSpark.session();
    TimeSeriesTest test = new TimeSeriesTest();
    Path table = Files.write(temp.resolve("daily.csv"), daily());
    assertEquals(
        0,
        test.run(
            "run",
            "daily",
            series(table, "--time_series.timestamp_format", "%d/%m/%Y"),
            "--time_series.timestamp_interval_seconds",
            "86400",
            "--training.num_input_records_to_sample",
            "40000",
            "--generation.num_groups",
            "60"),
        test.runs.said());
  }

  private static String[] series(Path table, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "--data-source",
                table.toString(),
                "--data.random_state",
                "3",
                "--data.group_training_examples_by",
                "shop",
                "--time_series.is_timeseries",
                "true",
                "--time_series.timestamp_column",
                "day",
                "--evaluation.enabled",
                "false"));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private int run(String command, String id, String[] options, String... more) {
    List<String> all = new ArrayList<>(List.of(options));
    all.addAll(List.of(more));
    return runs.command(command, id, all.toArray(String[]::new));
  }

  private static void assertDaily(List<Row> rows) {
    for (int i = 1; i < rows.size(); i++) {
      assertEquals(day(rows, i - 1).plusDays(1), day(rows, i));
    }
  }

  @Test
  void theIntervalIsExactAndTheSpanAskedForIsWritten() {
    assertLearned(runs.groups("daily"));
    assertEquals(
        0,
        run(
            "run generate",
            "daily",
            new String[0],
            "--generation.num_groups",
            "25",
            "--time_series.start_timestamp",
            "03/04/2021",
            "--time_series.stop_timestamp",
            "13/09/2021"),
        runs.said());
    Map<String, List<Row>> asked = runs.groups("daily");
    assertEquals(
        2,
        run(
            "run generate",
            "daily",
            new String[0],
            "--generation.num_groups",
            "512",
            "--time_series.stop_timestamp",
            "13/09/9021"));
    assertTrue(runs.said().contains("ask for a shorter span or fewer series"), runs.said());
    assertEquals(25, asked.size());
    for (List<Row> rows : asked.values()) {
      assertDaily(rows);
      assertEquals(LocalDate.of(2021, 4, 3), day(rows, 0));
      assertEquals(LocalDate.of(2021, 9, 13), day(rows, rows.size() - 1));
    }
  }

  /** Series start and stop at times of their own, and weekends sell twice as much. */
  private static void assertLearned(Map<String, List<Row>> series) {
    assertEquals(60, series.size());
    Set<LocalDate> starts = new HashSet<>();
    Set<LocalDate> stops = new HashSet<>();
    double[] sales = new double[2];
    int[] days = new int[2];
    for (List<Row> rows : series.values()) {
      assertDaily(rows);
      assertTrue(rows.size() >= SHORTEST, "a series of %d days".formatted(rows.size()));
      starts.add(day(rows, 0));
      stops.add(day(rows, rows.size() - 1));
      for (int i = 0; i < rows.size(); i++) {
        int part = isWeekend(day(rows, i)) ? 1 : 0;
        sales[part] += ((Number) rows.get(i).get(2)).doubleValue();
        days[part]++;
      }
    }
    assertTrue(starts.size() > 5 && stops.size() > 5, starts + " to " + stops);
    assertFalse(Collections.min(starts).isBefore(START), starts.toString());
    assertFalse(Collections.max(stops).isAfter(START.plusDays(24 + 45)), stops.toString());
    double ratio = sales[1] / days[1] / (sales[0] / days[0]);
    assertTrue(ratio > 1.5 && ratio < 2.5, "weekends sell " + ratio + " times as much");
  }

  @Test
  void irregularSeriesKeepTheirStepsAndStayInTheirSpan() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    List<String> lines = new ArrayList<>(List.of("shop,day,sales"));
    for (int shop = 0; shop < 100; shop++) {
      int second = 0;
      for (int i = 0; i < 20; i++) {
        lines.add("S%04d,%d,%d".formatted(shop, second, i % 2 == 0 ? 1 : 5));
        second += random.nextBoolean() ? 10 : 25;
      }
    }
    Path table = Files.write(temp.resolve("irregular.csv"), lines);
    assertEquals(
        0,
        run(
            "run",
            "irregular",
            series(table, "--time_series.timestamp_format", "elapsed_seconds"),
            "--training.num_input_records_to_sample",
            "15000",
            "--generation.num_groups",
            "40",
            "--time_series.stop_timestamp",
            "1000"),
        runs.said());
    int rows = 0;
    for (List<Row> group : runs.groups("irregular").values()) {
      assertEquals(0L, ((Number) group.get(0).get(1)).longValue());
      for (int i = 1; i < group.size(); i++) {
        long step =
            ((Number) group.get(i).get(1)).longValue()
                - ((Number) group.get(i - 1).get(1)).longValue();
        assertTrue(step == 10 || step == 25, "step " + step);
      }
      long end = ((Number) group.get(group.size() - 1).get(1)).longValue();
      assertTrue(end > 1_000 - 25 && end <= 1_000, "ends at " + end);
      rows += group.size();
    }
    assertTrue(rows > 40 * 45 && rows < 40 * 75, rows + " rows");
    String[] interval = series(table, "--time_series.timestamp_interval_seconds", "10");
    assertEquals(2, run("run", "steps", interval), runs.said());
    assertTrue(runs.said().contains("are of 2 different lengths"), runs.said());
  }

  @Test
  void badTimesAreNamed() throws IOException {
    Path table = temp.resolve("daily.csv");
    refuses("is 'when', but", series(table, "--time_series.timestamp_column", "when"));
    refuses(
        "the column of the groups itself", series(table, "--time_series.timestamp_column", "shop"));
    refuses(
        "values are not of kind date of the form %d %b %Y within its range (first: row 1, a date:",
        series(table, "--time_series.timestamp_format", "%d %b %Y"));
    refuses(
        "time_series.timestamp_format is '%b %Y', which has no whole date",
        series(table, "--time_series.timestamp_format", "%b %Y"));
    refuses(
        "time_series.timestamp_format is '%Y-%m-%d %Z', which has %Z, which is not read",
        series(table, "--time_series.timestamp_format", "%Y-%m-%d %Z"));
    refuses(
        "holds dates; remove the format",
        series(table, "--time_series.timestamp_format", "elapsed_seconds"));
    refuses(
        "but column 'day' holds date values of the form dd/MM/yyyy",
        series(table, "--time_series.start_timestamp", "soon"));
    refuses(
        "lies after time_series.stop_timestamp",
        series(
            table,
            "--time_series.start_timestamp",
            "02/05/2021",
            "--time_series.stop_timestamp",
            "01/05/2021"));
    refuses(
        "does not tell times that finely",
        series(table, "--time_series.timestamp_interval_seconds", "60"));
    refuses("remove the order", series(table, "--data.order_training_examples_by", "sales"));
    List<String> lines = daily();
    lines.set(9, lines.get(9).replaceFirst(",[0-9/]+,", ",31.12.2021,"));
    refuses(
        "1 of %,d values are not of kind date of the form dd/MM/yyyy within its range (first: row 9, a date: \"31.12.2021\")"
            .formatted(lines.size() - 1),
        series(
            Files.write(temp.resolve("odd.csv"), lines),
            "--time_series.timestamp_format",
            "%d/%m/%Y"));
  }

  private void refuses(String expected, String... arguments) {
    Map<String, String> last = new LinkedHashMap<>(); // a later option replaces an earlier one
    for (int i = 0; i < arguments.length; i += 2) {
      last.put(arguments[i], arguments[i + 1]);
    }
    List<String> all = new ArrayList<>();
    last.forEach((name, value) -> all.addAll(List.of(name, value)));
    assertEquals(
        2, run("run", "bad" + expected.hashCode(), all.toArray(String[]::new)), runs.said());
    assertTrue(runs.said().contains(expected), runs.said());
  }
}
