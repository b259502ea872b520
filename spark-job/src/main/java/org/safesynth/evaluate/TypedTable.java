package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * A whole table as the evaluation takes it: every column a double or a text, null when missing.
 *
 * @param name what the user calls it, for errors
 * @param rows one Spark column for each of {@code columns}, in their order: a double where {@link
 *     Storage#isNumber}, else a string
 */
public record TypedTable(String name, Dataset<Row> rows, List<TypedColumn> columns) {
  public TypedTable {
    columns = List.copyOf(columns);
  }

  /**
   * Types a table by its schema.
   *
   * @param source its first columns are those of the schema, in this order
   * @param missing texts that stand for a missing value
   */
  public static TypedTable of(
      String name, Dataset<Row> source, FrozenSchema schema, Set<String> missing) {
    Set<String> absent = Set.copyOf(missing);
    Dataset<Row> rows =
        source.mapPartitions(
            (MapPartitionsFunction<Row, Row>) part -> new TypedRows(part, schema, absent),
            Encoders.row(type(schema)));
    return new TypedTable(name, rows, columns(schema));
  }

  /** The columns of a table with a schema. */
  public static List<TypedColumn> columns(FrozenSchema schema) {
    List<TypedColumn> columns = new ArrayList<>();
    for (ColumnSchema column : schema.columns()) {
      columns.add(new TypedColumn(column.name(), storage(column)));
    }
    return columns;
  }

  /** The Spark type of its rows. */
  public static StructType type(FrozenSchema schema) {
    StructType type = new StructType();
    for (TypedColumn column : columns(schema)) {
      type =
          type.add(
              column.name(),
              column.storage().isNumber() ? DataTypes.DoubleType : DataTypes.StringType);
    }
    return type;
  }

  private static Storage storage(ColumnSchema column) {
    return switch (column.kind()) {
      case INTEGER -> column.missing() ? Storage.FLOAT : Storage.INTEGER;
      case DECIMAL -> Storage.FLOAT;
      case DATE, TIMESTAMP -> Storage.DATE;
      case BOOLEAN -> Storage.BOOLEAN;
      case IDENTIFIER ->
          !column.isNumericIdentifier()
              ? Storage.TEXT
              : column.missing() ? Storage.FLOAT : Storage.INTEGER;
      case CATEGORICAL, TEXT -> Storage.TEXT;
    };
  }

  /** What a canonical value of {@link org.safesynth.schema.CellReader} is in a typed table. */
  public static Object cell(ColumnSchema column, Object canonical) {
    if (!(canonical instanceof Long tick)) {
      return canonical;
    }
    return switch (column.kind()) {
      case DECIMAL ->
          column.scale() >= 0
              ? tick / Math.pow(10, column.scale())
              : tick * Math.pow(10, -column.scale());
      case TIMESTAMP -> tick * (double) Math.max(1, column.resolutionMicros()) / MICROS_A_DAY;
      default -> (double) tick;
    };
  }

  private static final double MICROS_A_DAY = 86_400e6;

  /** The place of a column, or -1. */
  int indexOf(String column) {
    for (int c = 0; c < columns.size(); c++) {
      if (columns.get(c).name().equals(column)) {
        return c;
      }
    }
    return -1;
  }
}
