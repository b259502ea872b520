package org.safesynth.job;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.ColumnProfile;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.OrderForms;

/** Refuses columns that cannot make groups or a series, or cannot order their rows. */
final class GroupColumns {
  private final SafeSynthesizerConfig config;
  private final SeriesTimes times;

  GroupColumns(SafeSynthesizerConfig config) {
    this.config = config;
    this.times = new SeriesTimes(config.timeSeries());
  }

  /** Refuses names that are no columns of the table. */
  static void requireNames(SafeSynthesizerConfig config, TableSource table) {
    List<String> names = Arrays.asList(table.rows().columns());
    String group = config.data().groupColumn();
    String order = config.orderColumn();
    if (config.isSingleSeries()) {
      requireColumn(table, names, "time_series.timestamp_column", order);
      requireNoSegments(table, names);
      return;
    }
    String parameter =
        config.timeSeries().isTimeseries()
            ? "time_series.timestamp_column"
            : "data.order_training_examples_by";
    requireColumn(
        table,
        names,
        config.data().groupTrainingExamplesBy() == null
            ? "data.parent.foreign_key"
            : "data.group_training_examples_by",
        group);
    if (order != null) {
      requireColumn(table, names, parameter, order);
    }
    if (group.equals(order)) {
      throw new BadInputException(
          "%s is '%s', the column of the groups itself: name the column that orders the rows of a group"
              .formatted(parameter, order));
    }
  }

  private static void requireNoSegments(TableSource table, List<String> names) {
    if (names.contains(SingleSeries.COLUMN)) {
      throw new BadInputException(
          "%s has a column '%s', which is the name of a series' own; name it as data.group_training_examples_by if it tells series apart, else rename or drop it"
              .formatted(table.name(), SingleSeries.COLUMN));
    }
  }

  private static void requireColumn(
      TableSource table, List<String> names, String parameter, String name) {
    if (!names.contains(name)) {
      throw new BadInputException(
          "%s is '%s', but %s has no such column (it has %s)"
              .formatted(parameter, name, table.name(), String.join(", ", names)));
    }
  }

  /** Refuses columns that cannot make groups or order their rows. */
  void check(TableSource table, SchemaStage.Inferred inferred, int group, int order) {
    List<ColumnProfile> profiles = inferred.profile().columns();
    if (profiles.get(group).missing() > 0) {
      throw new BadInputException(
          "column '%s': %,d of %,d rows have no value, so that no group is theirs; drop them or give them one"
              .formatted(
                  config.data().groupColumn(),
                  profiles.get(group).missing(),
                  inferred.profile().rows()));
    }
    if (order >= 0) {
      checkOrder(table, inferred, order, "a group");
    }
  }

  /**
   * Refuses a column that cannot order rows.
   *
   * @param whole what the rows make up
   */
  void checkOrder(TableSource table, SchemaStage.Inferred inferred, int order, String whole) {
    ColumnSchema column = inferred.schema().columns().get(order);
    if (!column.kind().isNumeric()) {
      Dataset<Row> values = table.rows().select(TableSource.column(column.name()));
      Set<String> missing = SchemaStage.missing(config.data(), table);
      boolean isHidden = config.replacePii() != null;
      String fault = table.reading(() -> OrderForms.fault(values, missing, isHidden));
      throw unordered(column, whole, fault);
    }
    long missing = inferred.profile().columns().get(order).missing();
    if (missing > 0) {
      throw new BadInputException(
          "column '%s' orders the rows of %s, but %,d of %,d rows have no value there; drop them or give them one"
              .formatted(column.name(), whole, missing, inferred.profile().rows()));
    }
    times.check(column);
    if (config.isSingleSeries()) {
      SeriesTimes.requireDates(
          column,
          "without data.group_training_examples_by, the column that tells several series apart");
    }
  }

  /** Refuses a column that cannot order the rows of groups, whatever its values are. */
  static void requireNumeric(ColumnSchema column) {
    if (!column.kind().isNumeric()) {
      throw unordered(column, "a group", "only numbers, dates and times have an order");
    }
  }

  private static BadInputException unordered(ColumnSchema column, String whole, String fault) {
    return new BadInputException(
        "column '%s' orders the rows of %s, but is read as %s: %s; mend them, or declare the column's kind and format in data.schema_file"
            .formatted(column.name(), whole, SchemaStage.word(column.kind()), fault));
  }
}
