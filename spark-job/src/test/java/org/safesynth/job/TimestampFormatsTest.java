package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs on series whose times are written in forms that strftime's codes name. */
@Tag("spark")
final class TimestampFormatsTest {
  private static final LocalDateTime START = LocalDateTime.of(2021, 12, 25, 9, 30);

  @TempDir private static Path temp;

  private final CommandRuns runs = new CommandRuns(temp);

  @BeforeAll
  static void session() {
    LocalSpark.session();
  }

  private static DateTimeFormatter pattern(String pattern) {
    return new DateTimeFormatterBuilder()
        .parseCaseInsensitive()
        .appendPattern(pattern)
        .toFormatter(Locale.ENGLISH);
  }

  /** Forty shops of 15 rows, twelve hours apart, in a form. */
  private static Path table(String name, java.util.function.Function<LocalDateTime, String> form)
      throws IOException {
    SplittableRandom random = new SplittableRandom(4);
    List<String> lines = new ArrayList<>(List.of("shop,at,sales"));
    for (int shop = 0; shop < 40; shop++) {
      LocalDateTime time = START.plusHours(12L * random.nextInt(20));
      for (int i = 0; i < 15; i++) {
        lines.add("S%03d,%s,%d".formatted(shop, form.apply(time.plusHours(12L * i)), i % 4));
      }
    }
    return Files.write(temp.resolve(name), lines);
  }

  private int run(String id, Path table, String format, String... more) {
    return runs.command(
        "run",
        id,
        CommandRuns.options(
            Map.of(
                "--data-source", table.toString(),
                "--data.random_state", "3",
                "--data.group_training_examples_by", "shop",
                "--time_series.is_timeseries", "true",
                "--time_series.timestamp_column", "at",
                "--time_series.timestamp_format", format,
                "--training.num_input_records_to_sample", "2000",
                "--generation.num_groups", "10",
                "--evaluation.enabled", "false"),
            more));
  }

  @Test
  void monthsByNameAndHoursOfTheHalfDayAreWrittenAsTheyAreRead() throws IOException {
    DateTimeFormatter form = pattern("dd-MMM-yy hh:mm a");
    Path table = table("names.csv", time -> form.format(time).toUpperCase(Locale.ROOT));
    assertEquals(
        0,
        run(
            "names",
            table,
            "%d-%^b-%y %I:%M %p",
            "--time_series.start_timestamp",
            "31-DEC-21 09:30 AM",
            "--time_series.stop_timestamp",
            "02-JAN-22 09:30 PM"),
        runs.said());
    Map<String, List<Row>> series = runs.groups("names");
    assertEquals(10, series.size());
    List<String> expected =
        List.of(
            "31-DEC-21 09:30 AM",
            "31-DEC-21 09:30 PM",
            "01-JAN-22 09:30 AM",
            "01-JAN-22 09:30 PM",
            "02-JAN-22 09:30 AM",
            "02-JAN-22 09:30 PM");
    for (List<Row> rows : series.values()) {
      assertEquals(expected, rows.stream().map(row -> row.getString(1)).toList());
    }
    assertEquals(
        0, runs.command("run evaluate", "names", "--evaluation.enabled", "true"), runs.said());
  }

  @Test
  void digitsWithoutSeparatorsStayNumbers() throws IOException {
    DateTimeFormatter form = pattern("yyyyMMddHHmmss");
    assertEquals(0, run("digits", table("digits.csv", form::format), "%Y%m%d%H%M%S"), runs.said());
    for (List<Row> rows : runs.groups("digits").values()) {
      LocalDateTime before = null;
      for (Row row : rows) {
        LocalDateTime time = LocalDateTime.parse(Long.toString(row.getLong(1)), form);
        assertTrue(before == null || time.equals(before.plusHours(12)), before + ", " + time);
        before = time;
      }
    }
  }

  @Test
  void aSchemaFileAndTheFormatAgree() throws IOException {
    Path table = table("declared.csv", pattern("dd/MM/yyyy HH:mm")::format);
    Path schema = temp.resolve("times.json");
    String format = "%d/%m/%Y %H:%M";
    String[] declared = {"--data.schema_file", schema.toString()};
    Files.writeString(schema, "{\"columns\": [{\"name\": \"at\", \"missing\": false}]}");
    assertEquals(0, run("declared", table, format, declared), runs.said());
    assertTrue(Files.readString(temp.resolve("declared/schema.json")).contains("\"dd/MM/yyyy\""));
    refuses(schema, "\"kind\": \"text\"", table, "declares column 'at' as text");
    refuses(schema, "\"kind\": \"date\"", table, "declares column 'at' as date");
    refuses(
        schema,
        "\"kind\": \"timestamp\", \"format\": \"MM/dd/yyyy\"",
        table,
        "declares column 'at' with the format MM/dd/yyyy; correct one of them");
  }

  private void refuses(Path schema, String declaration, Path table, String expected)
      throws IOException {
    Files.writeString(schema, "{\"columns\": [{\"name\": \"at\", " + declaration + "}]}");
    assertEquals(
        2, run("refused", table, "%d/%m/%Y %H:%M", "--data.schema_file", schema.toString()));
    assertTrue(
        runs.said()
            .contains(
                "time_series.timestamp_format is '%d/%m/%Y %H:%M', but data.schema_file "
                    + expected),
        runs.said());
  }
}
