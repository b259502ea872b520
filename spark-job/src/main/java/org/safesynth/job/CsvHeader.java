package org.safesynth.job;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.safesynth.fault.BadInputException;

/**
 * Reads a CSV file's first line, since Spark renames columns that it finds odd, and refuses what
 * would be read wrongly: no header, names given twice, another delimiter.
 *
 * @param names of the columns, exactly as written
 * @param allNamed whether no name is empty (an empty one becomes {@code _c0} and so on, as Spark
 *     calls it)
 */
record CsvHeader(List<String> names, boolean allNamed) {
  private static final int SAMPLE = 50;
  private static final Pattern NUMBER = Pattern.compile("\\s*[-+]?[0-9.]+([eE][-+]?[0-9]+)?\\s*");
  private static final Pattern YEAR_OR_INDEX =
      Pattern.compile("\\s*((19|20)[0-9]{2}|[0-9]{1,3})\\s*");
  private static final Map<String, String> OTHER_DELIMITERS =
      Map.of(";", "';'", "\t", "a tab", "|", "'|'");

  /**
   * @param options the reader's, without a header
   * @param hasHeader whether the first line holds names
   * @param checked whether to suspect that it does not: the user did not say
   */
  static CsvHeader read(
      SparkSession spark,
      Path file,
      Map<String, String> options,
      boolean hasHeader,
      boolean checked) {
    List<Row> sample =
        spark
            .read()
            .format("csv")
            .options(options)
            .option("header", "false")
            .option("nullValue", "")
            .load(file.toString())
            .takeAsList(SAMPLE);
    if (sample.isEmpty()) {
      throw new BadInputException(
          "%s is empty: no header and no rows".formatted(Credentials.masked(file.toString())));
    }
    List<String> first = cells(sample.get(0));
    requireDelimiter(file, sample);
    if (!hasHeader) {
      return named(first.stream().map(name -> "").toList());
    }
    if (checked && sample.size() > 1) {
      requireNames(file, first, cells(sample.get(1)));
    }
    requireDistinct(file, first);
    return named(first);
  }

  private static List<String> cells(Row row) {
    List<String> cells = new ArrayList<>();
    for (int i = 0; i < row.size(); i++) {
      cells.add(row.isNullAt(i) ? "" : row.getString(i));
    }
    return cells;
  }

  private static CsvHeader named(List<String> first) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < first.size(); i++) {
      names.add(first.get(i).isEmpty() ? "_c" + i : first.get(i));
    }
    return new CsvHeader(names, !first.contains(""));
  }

  private static void requireDelimiter(Path file, List<Row> sample) {
    if (sample.get(0).size() > 1) {
      return;
    }
    OTHER_DELIMITERS.forEach(
        (delimiter, spoken) -> {
          boolean everywhere =
              sample.stream()
                  .allMatch(row -> !row.isNullAt(0) && row.getString(0).contains(delimiter));
          if (everywhere) {
            throw new BadInputException(
                "%s has one column, and each of its first lines holds %s: if that is the delimiter set data.options to {sep: \"%s\"}"
                    .formatted(
                        Credentials.masked(file.toString()),
                        spoken,
                        delimiter.equals("\t") ? "\\t" : delimiter));
          }
        });
  }

  /**
   * A first line of the same look as the second, with numbers that are no years and no counting, is
   * a row.
   */
  private static void requireNames(Path file, List<String> first, List<String> second) {
    boolean alike = true;
    boolean strange = false;
    for (int i = 0; i < first.size(); i++) {
      boolean number = NUMBER.matcher(first.get(i)).matches();
      alike &= number == NUMBER.matcher(second.get(i)).matches();
      strange |= number && !YEAR_OR_INDEX.matcher(first.get(i)).matches();
    }
    boolean repeats = new HashSet<>(first).size() < first.size();
    if (alike
        && (strange || (repeats && first.stream().anyMatch(s -> NUMBER.matcher(s).matches())))) {
      throw new BadInputException(
          "%s seems to have no header: its first line looks like a row; add one, or set data.options to {header: \"false\"} (or to {header: \"true\"} if these are the names)"
              .formatted(Credentials.masked(file.toString())));
    }
  }

  private static void requireDistinct(Path file, List<String> names) {
    Set<String> seen = new HashSet<>();
    Set<String> twice = new LinkedHashSet<>();
    for (String name : names) {
      if (!name.isEmpty() && !seen.add(name)) {
        twice.add(name);
      }
    }
    if (!twice.isEmpty()) {
      throw new BadInputException(
          "%s: the header names %s more than once: every column needs a name of its own"
              .formatted(
                  Credentials.masked(file.toString()),
                  twice.stream().map(n -> "'" + n + "'").collect(Collectors.joining(", "))));
    }
  }
}
