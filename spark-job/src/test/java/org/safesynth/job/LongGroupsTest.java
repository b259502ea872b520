package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs on groups that are far longer than a window of training. */
@Tag("spark")
final class LongGroupsTest {
  private static final LocalDateTime START = LocalDateTime.of(2021, 3, 1, 0, 0);
  private static final int HOURS = 2_600;

  @TempDir private static Path temp;

  private final CommandRuns runs = new CommandRuns(temp);

  /** Machines that are on and off by turns: no hour of the day tells which, only the row before. */
  private static List<String> machines() {
    List<String> lines = new ArrayList<>(List.of("machine,hour,state"));
    for (int machine = 0; machine < 4; machine++) {
      for (int hour = 0; hour < HOURS; hour++) {
        boolean isOn = (hour + hour / 1_000 + machine) % 2 == 0;
        lines.add("M%d,%s,%s".formatted(machine, START.plusHours(hour), isOn ? "on" : "off"));
      }
    }
    return lines;
  }

  @Test
  void longGroupsAreLearnedToTheirEnd() throws IOException {
    LocalSpark.session();
    Path table = Files.write(temp.resolve("machines.csv"), machines());
    assertEquals(
        0,
        runs.command(
            "run",
            "long",
            "--data-source",
            table.toString(),
            "--data.random_state",
            "3",
            "--data.holdout",
            "0",
            "--training.validation_ratio",
            "0",
            "--data.group_training_examples_by",
            "machine",
            "--time_series.is_timeseries",
            "true",
            "--time_series.timestamp_column",
            "hour",
            "--time_series.timestamp_interval_seconds",
            "3600",
            "--training.num_input_records_to_sample",
            "100000",
            "--evaluation.enabled",
            "false",
            "--generation.num_groups",
            "3"),
        runs.said());
    Map<String, List<Row>> groups = runs.groups("long");
    assertEquals(3, groups.size());
    for (List<Row> rows : groups.values()) {
      assertEquals(HOURS, rows.size());
      int changes = 0;
      for (int r = HOURS - 500; r < HOURS; r++) {
        changes += rows.get(r).getString(2).equals(rows.get(r - 1).getString(2)) ? 0 : 1;
      }
      assertTrue(changes > 350, changes + " changes in 500 hours");
    }
  }
}
