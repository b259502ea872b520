package org.safesynth.job;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;

/** Runs the command line in the tests' process, as its users do, and keeps what it said. */
final class CommandRuns {
  private final Path artifacts;
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  /**
   * @param artifacts folder of the run folders
   */
  CommandRuns(Path artifacts) {
    this.artifacts = artifacts;
  }

  /**
   * One command on a run folder.
   *
   * @param command its words, such as {@code run train}
   * @param id name of the run folder
   * @return the exit code
   */
  int command(String command, String id, String... arguments) {
    err.reset();
    List<String> all = new ArrayList<>(List.of(command.split(" ")));
    all.addAll(List.of("--run-path", artifacts.resolve(id).toString()));
    all.addAll(List.of(arguments));
    return Main.execute(
        all.toArray(String[]::new),
        new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        Map.of());
  }

  /** The rows of a run's table by the groups of its first column, in the order as written. */
  Map<String, List<Row>> groups(String id) {
    return groups(id, 0);
  }

  /** The same by those of another column. */
  Map<String, List<Row>> groups(String id, int column) {
    Map<String, List<Row>> groups = new LinkedHashMap<>();
    String table = artifacts.resolve(id).resolve("synthetic").toString();
    for (Row row : LocalSpark.session().read().parquet(table).collectAsList()) {
      groups.computeIfAbsent(row.getString(column), key -> new ArrayList<>()).add(row);
    }
    return groups;
  }

  /** What the last command wrote to the error stream. */
  String said() {
    return err.toString(StandardCharsets.UTF_8);
  }

  /**
   * Options with other values for some.
   *
   * @param usual values by option
   * @param more options and their values in turn, which go before the usual ones
   */
  static String[] options(Map<String, String> usual, String... more) {
    Map<String, String> options = new LinkedHashMap<>(usual);
    for (int i = 0; i < more.length; i += 2) {
      options.put(more[i], more[i + 1]);
    }
    List<String> all = new ArrayList<>();
    options.forEach((name, value) -> all.addAll(List.of(name, value)));
    return all.toArray(String[]::new);
  }
}
