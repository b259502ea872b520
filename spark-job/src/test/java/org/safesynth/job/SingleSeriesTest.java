package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DayOfWeek;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.fault.BadInputException;

/** Whole runs on tables that are one time series, through the command line. */
@Tag("spark")
final class SingleSeriesTest {
  private static final LocalDate START = LocalDate.of(2022, 1, 1);
  private static final int DAYS = 730;
  private static final int QUARTERS = 8;

  @TempDir private static Path temp;

  private static List<Row> learned; // what the run wrote before any other command
  private static String said;

  private final CommandRuns runs = new CommandRuns(temp);

  /** Daily sales of two years; weekends sell twice as much and each quarter more than the last. */
  private static List<String> daily() {
    SplittableRandom random = new SplittableRandom(4);
    List<String> lines = new ArrayList<>();
    for (int d = 0; d < DAYS; d++) {
      LocalDate day = START.plusDays(d);
      double sales = level(day) * (isWeekend(day) ? 2 : 1) + random.nextInt(20);
      lines.add("%s,%.0f,%s".formatted(day, sales, isWeekend(day) ? "open" : "busy"));
    }
    Collections.shuffle(lines, new Random(7)); // the times order the rows, not the file
    lines.add(0, "day,sales,till");
    return lines;
  }

  private static double level(LocalDate day) {
    return 100 + 50 * quarter(day);
  }

  private static int quarter(LocalDate day) {
    int quarter = 4 * (day.getYear() - START.getYear()) + (day.getMonthValue() - 1) / 3;
    return Math.min(QUARTERS - 1, quarter);
  }

  private static boolean isWeekend(LocalDate day) {
    return day.getDayOfWeek().getValue() >= DayOfWeek.SATURDAY.getValue();
  }

  @BeforeAll
  static void learn() throws IOException {
    LocalSpark.session();
    SingleSeriesTest test = new SingleSeriesTest();
    Path table = Files.write(temp.resolve("daily.csv"), daily());
    int code =
        test.runs.command(
            "run",
            "daily",
            series(table, "--evaluation.enabled", "true", "--generation.num_records", "50"));
    said = test.runs.said();
    assertEquals(0, code, said);
    learned = written("daily");
  }

  private static String[] series(Path table, String... more) {
    return CommandRuns.options(
        Map.of(
            "--data-source",
            table.toString(),
            "--data.random_state",
            "3",
            "--time_series.is_timeseries",
            "true",
            "--time_series.timestamp_column",
            "day",
            "--training.num_input_records_to_sample",
            "40000",
            "--evaluation.enabled",
            "false"),
        more);
  }

  private static List<Row> written(String id) {
    String table = temp.resolve(id).resolve("synthetic").toString();
    List<Row> rows = LocalSpark.session().read().parquet(table).collectAsList();
    assertEquals(List.of("day", "sales", "till"), List.of(rows.get(0).schema().fieldNames()));
    return rows;
  }

  private static LocalDate day(Row row) {
    return row.getDate(0).toLocalDate();
  }

  private static void assertDaily(List<Row> rows, LocalDate first, LocalDate last) {
    for (int i = 1; i < rows.size(); i++) {
      assertEquals(day(rows.get(i - 1)).plusDays(1), day(rows.get(i)));
    }
    assertEquals(first, day(rows.get(0)));
    assertEquals(last, day(rows.get(rows.size() - 1)));
  }

  /** Mean sales of a weekday, in each quarter. */
  private static double[] levels(List<Row> rows) {
    double[] sums = new double[QUARTERS];
    int[] days = new int[QUARTERS];
    for (Row row : rows) {
      LocalDate day = day(row);
      sums[quarter(day)] += ((Number) row.get(1)).doubleValue() / (isWeekend(day) ? 2 : 1);
      days[quarter(day)]++;
    }
    double[] levels = new double[QUARTERS];
    for (int q = 0; q < QUARTERS; q++) {
      levels[q] = sums[q] / days[q];
    }
    return levels;
  }

  private static double weekendRatio(List<Row> rows) {
    double[] sums = new double[2];
    int[] days = new int[2];
    for (Row row : rows) {
      int part = isWeekend(day(row)) ? 1 : 0;
      sums[part] += ((Number) row.get(1)).doubleValue() / level(day(row));
      days[part]++;
    }
    return sums[1] / days[1] / (sums[0] / days[0]);
  }

  private static double mean(double[] values, int from, int to) {
    return Arrays.stream(values, from, to).average().orElseThrow();
  }

  private String metrics(String id) throws IOException {
    return Files.readString(temp.resolve(id).resolve("metrics.json"));
  }

  @Test
  void oneSeriesIsLearnedInSegmentsAndItsEndsAreProtected() throws IOException {
    assertTrue(said.contains("one series of 730 rows, learned in 45 segments"), said);
    assertTrue(said.contains("one series is one unit"), said);
    assertTrue(said.contains("generation.num_records is not used"), said);
    LocalDate first = day(learned.get(0));
    LocalDate last = day(learned.get(learned.size() - 1));
    assertDaily(learned, first, last);
    assertTrue(first.isAfter(START.plusDays(3)) && first.isBefore(START.plusDays(7)), "" + first);
    LocalDate end = START.plusDays(DAYS - 1);
    assertTrue(last.isBefore(end.minusDays(3)) && last.isAfter(end.minusDays(7)), "" + last);
    String schema = Files.readString(temp.resolve("daily").resolve("schema.json"));
    assertFalse(schema.contains(SingleSeries.COLUMN), schema);
  }

  @Test
  void theSpanAskedForIsWrittenAndFollowsTheCourse() throws IOException {
    String first = metrics("daily");
    assertFalse(first.contains(SingleSeries.COLUMN), first);
    assertTrue(first.contains("the table is not one of groups"), first);
    int code =
        runs.command(
            "run generate",
            "daily",
            "--time_series.start_timestamp",
            "2022-01-01",
            "--time_series.stop_timestamp",
            "2024-03-31");
    assertEquals(0, code, runs.said());
    List<Row> rows = written("daily");
    assertDaily(rows, START, LocalDate.of(2024, 3, 31));
    double ratio = weekendRatio(rows);
    assertTrue(ratio > 1.5 && ratio < 2.4, "weekends sell " + ratio + " times as much");
    double[] levels = levels(rows);
    double growth = mean(levels, 4, 8) / mean(levels, 0, 4);
    assertTrue(growth > 1.5 && growth < 2.6, Arrays.toString(levels));
    assertTrue(levels[7] > levels[0] + 150, Arrays.toString(levels));
    assertEquals(0, runs.command("run evaluate", "daily"), runs.said());
    assertTrue(metrics("daily").contains("\"synthetic_data_quality_score\""), metrics("daily"));
    BadInputException e =
        assertThrows(
            BadInputException.class,
            () ->
                LocalSpark.session()
                    .read()
                    .format("safesynth")
                    .load(temp.resolve("daily").toString()));
    assertTrue(e.getMessage().contains("this model writes one time series"), e.getMessage());
    // The model is whole and the result is not: what a run leaves that dies in generation.
    Files.delete(temp.resolve("daily").resolve("result.json"));
    String table = temp.resolve("daily.csv").toString();
    assertEquals(
        0, runs.command("run train", "daily", "--resume", "--data-source", table), runs.said());
    assertTrue(runs.said().contains("training is skipped"), runs.said());
  }

  /** Whole seconds that never repeat are times here, although they look like keys. */
  @Test
  void irregularStepsAreLearnedBeyondTheEnd() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    List<String> lines = new ArrayList<>(List.of("load,second"));
    int second = 0;
    for (int i = 0; i < 400; i++) {
      lines.add("%d,%d".formatted(i % 2 == 0 ? 1 : 5, second));
      second += random.nextBoolean() ? 1 : 2;
    }
    Path table = Files.write(temp.resolve("irregular.csv"), lines);
    String[] options =
        series(
            table,
            "--time_series.timestamp_column",
            "second",
            "--time_series.timestamp_format",
            "elapsed_seconds",
            "--training.num_input_records_to_sample",
            "8000",
            "--time_series.start_timestamp",
            "0",
            "--time_series.stop_timestamp",
            "900");
    String[] longer = options.clone();
    longer[Arrays.asList(options).indexOf("900")] = "90000000";
    refuses("but one series, whose rows are written one after the other", longer);
    assertEquals(0, runs.command("run", "irregular", options), runs.said());
    String folder = temp.resolve("irregular").resolve("synthetic").toString();
    List<Row> rows = LocalSpark.session().read().parquet(folder).collectAsList();
    assertEquals(0, seconds(rows.get(0)));
    assertTrue(seconds(rows.get(rows.size() - 1)) > 898, "" + rows.get(rows.size() - 1));
    int alternate = 0;
    for (int i = 1; i < rows.size(); i++) {
      long step = seconds(rows.get(i)) - seconds(rows.get(i - 1));
      assertTrue(step == 1 || step == 2, "step " + step);
      alternate += rows.get(i).get(0).equals(rows.get(i - 1).get(0)) ? 0 : 1;
    }
    assertTrue(rows.size() > 500 && rows.size() < 700, rows.size() + " rows");
    assertTrue(alternate > 0.9 * rows.size(), alternate + " of " + rows.size());
  }

  private static long seconds(Row row) {
    return ((Number) row.get(1)).longValue();
  }

  @Test
  void segmentsAreOfLikeLengthAndATimeTellsItsOwn() {
    for (long rows : new long[] {1, 15, 16, 31, 32, 730, 1_024, 40_000, 1_000_003}) {
      long starts = 0;
      long length = 0;
      for (long row = 0; row < rows; row++) {
        boolean isStart = SingleSeries.isStart(row, rows);
        assertTrue(row > 0 || isStart);
        assertTrue(!isStart || row == 0 || length >= 16, rows + " rows, row " + row);
        starts += isStart ? 1 : 0;
        length = isStart ? 1 : length + 1;
        assertTrue(length < 2 * 500 && (rows > 10_000 || length < 2 * 64), rows + " rows");
      }
      assertEquals(SingleSeries.segments(rows), starts);
    }
    long[] begins = {-5, 10, 11};
    assertEquals(0, SingleSeries.segment(begins, -5));
    assertEquals(0, SingleSeries.segment(begins, 9));
    assertEquals(1, SingleSeries.segment(begins, 10));
    assertEquals(2, SingleSeries.segment(begins, Long.MAX_VALUE));
    assertEquals(0, SingleSeries.segment(begins, Long.MIN_VALUE)); // a table that has changed
  }

  @Test
  void aRunHoldsNeighboursOfOnePartOfTheSplit() {
    int[] parts = {0, 0, 2, 2, 2, 0, 1, 0, 0};
    assertArrayEquals(new long[] {0, 0, 2, 2, 4, 5, 6, 7, 7}, SingleSeries.runs(parts, 2));
    assertArrayEquals(new long[] {0, 0, 2, 2, 2, 5, 6, 7, 7}, SingleSeries.runs(parts, 9));
  }

  @Test
  void badTimesAreNamed() throws IOException {
    Path table = temp.resolve("daily.csv");
    refuses("is 'when', but", series(table, "--time_series.timestamp_column", "when"));
    refuses(
        "orders the rows of the series, but is read as categorical",
        series(table, "--time_series.timestamp_column", "till"));
    refuses(
        "lies after time_series.stop_timestamp",
        series(
            table,
            "--time_series.start_timestamp",
            "2023-01-02",
            "--time_series.stop_timestamp",
            "2023-01-01"));
    refuses(
        "lies after the end of the learned series",
        series(table, "--time_series.start_timestamp", "2024-01-02"));
    refuses(
        "which privacy.dp_enabled: true would hide altogether",
        series(table, "--privacy.dp_enabled", "true"));
    List<String> lines = daily();
    lines.set(9, lines.get(9).replaceFirst("[0-9-]+,", ","));
    refuses(
        "orders the rows of the series, but 1 of 730 rows have no value",
        series(Files.write(temp.resolve("missing.csv"), lines)));
    refuses(
        "has too few times for data.value_protection",
        series(Files.write(temp.resolve("short.csv"), daily().subList(0, 9))));
    List<String> named = daily();
    named.set(0, "day,sales," + SingleSeries.COLUMN);
    refuses(
        "has a column '__nss_sequence_id'", series(Files.write(temp.resolve("named.csv"), named)));
  }

  /** Ten days that no segment knows of: they lie between two of them. */
  @Test
  void aGapBetweenTwoSegmentsIsNoStepOfTheGivenInterval() throws IOException {
    List<String> lines = new ArrayList<>(List.of("day,sales"));
    for (int d = 0; d < 64; d++) {
      lines.add("%s,%d".formatted(START.plusDays(d < 32 ? d : d + 10), d % 5));
    }
    Path table = Files.write(temp.resolve("gap.csv"), lines);
    refuses(
        "but the times of column 'day' have gaps",
        series(table, "--time_series.timestamp_interval_seconds", "86400"));
  }

  private void refuses(String expected, String... arguments) {
    assertEquals(2, runs.command("run", "bad" + expected.hashCode(), arguments), runs.said());
    assertTrue(runs.said().contains(expected), runs.said());
  }
}
