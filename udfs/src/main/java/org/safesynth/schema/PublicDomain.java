package org.safesynth.schema;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Schemas for private training: from what is declared, or from what the user calls public. */
public final class PublicDomain {
  private PublicDomain() {}

  /**
   * The schema of a table whose columns are described by a schema file and by their types alone; no
   * row is read. What is not declared stays open: no range, no values.
   */
  public static FrozenSchema declared(StructType table, Map<String, DeclaredColumn> declared) {
    SchemaInference.checkColumns(table);
    List<ColumnSchema> columns = new ArrayList<>();
    for (StructField field : table.fields()) {
      ColumnSchema byType = byType(field.name(), field.dataType());
      DeclaredColumn of = declared.get(field.name());
      ColumnSchema column = of == null ? byType : SchemaFile.apply(of, byType, null);
      boolean mayMiss = of == null || of.missing() == null || of.missing();
      columns.add(column.withMissing(mayMiss));
    }
    return new FrozenSchema(columns);
  }

  private static ColumnSchema byType(String name, DataType type) {
    String ddl = type.sql().toLowerCase(Locale.ROOT);
    ColumnKind kind =
        switch (CellType.of(type)) {
          case BYTE, SHORT, INT, LONG -> ColumnKind.INTEGER;
          case FLOAT, DOUBLE, DECIMAL, WIDE_DECIMAL -> ColumnKind.DECIMAL;
          case BOOLEAN -> ColumnKind.BOOLEAN;
          case DATE -> ColumnKind.DATE;
          case TIMESTAMP, TIMESTAMP_NTZ -> ColumnKind.TIMESTAMP;
          default -> ColumnKind.CATEGORICAL;
        };
    int scale =
        type instanceof org.apache.spark.sql.types.DecimalType decimal ? decimal.scale() : 0;
    long micros = kind == ColumnKind.TIMESTAMP ? 1_000_000L : 0;
    return new ColumnSchema(name, ddl, kind, true, scale, micros, null, null, null, null, 0);
  }

  /** An inferred schema with the ranges and values that were found, as if they were declared. */
  public static FrozenSchema found(InferredTable table) {
    List<ColumnSchema> columns = new ArrayList<>();
    for (int c = 0; c < table.schema().columns().size(); c++) {
      columns.add(found(table.schema().columns().get(c), table.profile().columns().get(c)));
    }
    return new FrozenSchema(columns);
  }

  private static ColumnSchema found(ColumnSchema column, ColumnProfile profile) {
    if (column.kind().isNumeric() && profile.lowTicks().length > 0) {
      long low = profile.lowTicks()[0];
      long high = profile.highTicks()[profile.highTicks().length - 1];
      return column.withDomain(
          column.min() == null ? Long.valueOf(low) : column.min(),
          column.max() == null ? Long.valueOf(high) : column.max(),
          null);
    }
    if (column.kind().isNumeric()) {
      return column.withDomain(0L, 0L, null); // a column without any value
    }
    if (column.kind() == ColumnKind.CATEGORICAL && column.values() == null) {
      return profile.complete()
          ? column.withDomain(null, null, Arrays.asList(profile.texts()))
          : column.withKind(ColumnKind.TEXT).withMaxLength(longest(profile));
    }
    if (column.isNumericIdentifier() && profile.highTicks().length > 0) {
      long high = profile.highTicks()[profile.highTicks().length - 1];
      return column.withDomain(null, high, null);
    }
    return column;
  }

  private static int longest(ColumnProfile profile) {
    return Arrays.stream(profile.texts()).mapToInt(String::length).max().orElse(1);
  }
}
