package org.safesynth.evaluate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Personal data of the real table that occurs in the synthetic one: cells that are wholly an
 * address, a number or the like, found by their form. Counted over the whole tables.
 *
 * @param detection how personal data was found
 * @param columns columns with at least one find
 */
public record PiiReplay(String detection, List<Column> columns) implements Finding {
  /**
   * One kind of personal data in a column.
   *
   * @param totalRefData real cells that hold it
   * @param uniqueRefData distinct real values
   * @param totalSynthData synthetic cells that equal a real value
   * @param uniqueSynthData distinct real values that the synthetic table holds
   * @param uniqueSynthDataPercentage of the distinct real values, rounded up
   */
  public record Column(
      String column,
      String entity,
      long totalRefData,
      long uniqueRefData,
      long totalSynthData,
      long uniqueSynthData,
      int uniqueSynthDataPercentage) {}

  static Finding of(Evidence evidence) {
    if (!evidence.config().piiReplayEnabled()) {
      return Unavailable.because("switched off by evaluation.pii_replay_enabled");
    }
    List<String> entities = evidence.config().piiReplayEntities();
    List<String> wanted = evidence.config().piiReplayColumns();
    List<Integer> columns = new ArrayList<>();
    for (int c = 0; c < evidence.columns(); c++) {
      boolean isText = !evidence.reference().column(c).isNumber();
      if (isText && (wanted == null || wanted.contains(evidence.name(c)))) {
        columns.add(c);
      }
    }
    List<Column> found = columns.isEmpty() ? List.of() : replayed(evidence, columns, entities);
    return new PiiReplay(
        "by the form of whole cells: " + String.join(", ", PiiForm.names()), found);
  }

  private static List<Column> replayed(
      Evidence evidence, List<Integer> columns, List<String> entities) {
    int[] realFields = evidence.contents().fields(Side.REFERENCE);
    int[] syntheticFields = evidence.contents().fields(Side.SYNTHETIC);
    List<Integer> places = List.copyOf(columns);
    FlatMapFunction<Row, Row> cells =
        row -> {
          List<Row> found = new ArrayList<>();
          for (int c : places) {
            add(found, c, row.get(realFields[c]), row.getLong(0), 0);
            add(found, c, row.get(syntheticFields[c]), 0, row.getLong(1));
          }
          return found.iterator();
        };
    StructType type =
        new StructType()
            .add("column", DataTypes.IntegerType)
            .add("entity", DataTypes.StringType)
            .add("value", DataTypes.StringType)
            .add("real", DataTypes.LongType)
            .add("synthetic", DataTypes.LongType);
    Dataset<Row> values =
        evidence
            .contents()
            .rows()
            .flatMap(cells, Encoders.row(type))
            .groupBy("column", "entity", "value")
            .agg(sum("real").as("real"), sum("synthetic").as("synthetic"))
            .where(col("real").gt(0));
    List<Column> found = new ArrayList<>();
    for (Row row :
        values
            .groupBy("column", "entity")
            .agg(
                sum("real"),
                count(lit(1)),
                sum("synthetic"),
                sum(when(col("synthetic").gt(0), 1L).otherwise(0L)))
            .orderBy("column", "entity")
            .collectAsList()) {
      if (entities == null || entities.contains(row.getString(1))) {
        found.add(
            new Column(
                evidence.name(row.getInt(0)),
                row.getString(1),
                row.getLong(2),
                row.getLong(3),
                row.getLong(4),
                row.getLong(5),
                (int) Math.ceil(100.0 * row.getLong(5) / row.getLong(3))));
      }
    }
    return found;
  }

  private static void add(List<Row> found, int column, Object cell, long real, long synthetic) {
    if (real + synthetic > 0 && cell instanceof String text) {
      PiiForm.of(text)
          .ifPresent(
              form -> found.add(RowFactory.create(column, form.entity(), text, real, synthetic)));
    }
  }
}
