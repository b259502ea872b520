package org.safesynth.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.monotonically_increasing_id;
import static org.apache.spark.sql.functions.row_number;

import java.util.Arrays;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.config.TimeSeriesConfig;
import org.safesynth.fault.BadInputException;

/**
 * Gives the rows of time series that have no column of times one, as their first: the seconds since
 * the first row, which are the row's position in its series, as the source gives it, times {@code
 * time_series.timestamp_interval_seconds}.
 */
final class NumberedRows {
  private static final String POSITION = "__position";

  private NumberedRows() {}

  /** The table, with times where the configuration says that it has none. */
  static TableSource of(SafeSynthesizerConfig config, TableSource table) {
    return config.timeSeries().isNumbered() ? numbered(config, table) : table;
  }

  /**
   * The same for a table that a run may have written: one with the column of times already is left
   * as it is.
   */
  static TableSource ofCompared(SafeSynthesizerConfig config, TableSource table) {
    return isTimed(table) ? table : of(config, table);
  }

  private static boolean isTimed(TableSource table) {
    return Arrays.asList(table.rows().columns()).contains(TimeSeriesConfig.ELAPSED_SECONDS);
  }

  private static TableSource numbered(SafeSynthesizerConfig config, TableSource table) {
    if (isTimed(table)) {
      throw new BadInputException(
          "%s has a column '%s', the name of the times that rows get without time_series.timestamp_column; name it there, or rename or drop it"
              .formatted(table.name(), TimeSeriesConfig.ELAPSED_SECONDS));
    }
    String group = config.data().groupColumn();
    List<String> names = Arrays.asList(table.rows().columns());
    if (group != null && !names.contains(group)) {
      return table; // which is refused for that
    }
    Dataset<Row> rows = GivenCells.inOrder(table.rows());
    Dataset<Row> placed =
        group == null
            ? table.reading(() -> ofAll(rows))
            : rows.withColumn(POSITION, monotonically_increasing_id())
                .withColumn(
                    POSITION,
                    row_number()
                        .over(Window.partitionBy(TableSource.column(group)).orderBy(col(POSITION)))
                        .minus(1));
    Column seconds = col(POSITION).multiply(lit(config.timeSeries().timestampIntervalSeconds()));
    Column[] all = new Column[names.size() + 1];
    all[0] =
        seconds
            .cast(table.isUntyped() ? DataTypes.StringType : DataTypes.LongType)
            .as(TimeSeriesConfig.ELAPSED_SECONDS);
    for (int c = 0; c < names.size(); c++) {
      all[c + 1] = TableSource.column(names.get(c));
    }
    return table.with(placed.select(all));
  }

  /** The rows with their numbers behind them. */
  private static Dataset<Row> ofAll(Dataset<Row> rows) {
    StructType schema = rows.schema().add(POSITION, DataTypes.LongType, false);
    JavaRDD<Row> placed =
        rows.javaRDD()
            .zipWithIndex()
            .map(
                row -> {
                  Object[] cells = new Object[row._1().size() + 1];
                  for (int c = 0; c < cells.length - 1; c++) {
                    cells[c] = row._1().get(c);
                  }
                  cells[cells.length - 1] = row._2();
                  return RowFactory.create(cells);
                });
    return rows.sparkSession().createDataFrame(placed, schema);
  }
}
