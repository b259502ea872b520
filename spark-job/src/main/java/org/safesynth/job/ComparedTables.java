package org.safesynth.job;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.SparkSession;
import org.safesynth.config.DataConfig;
import org.safesynth.evaluate.EvaluationInput;
import org.safesynth.evaluate.TypedTable;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.InferredTable;

/**
 * Reads tables that no run made: each is typed by what it holds, and where kinds differ the values
 * are compared as texts.
 */
final class ComparedTables {
  private ComparedTables() {}

  /**
   * Reads the tables.
   *
   * @param holdout or null
   */
  static EvaluationInput read(
      RunContext context, String reference, String synthetic, String holdout) {
    TableSource real = open(context, reference, "--reference");
    InferredTable inferred =
        real.reading(() -> SchemaStage.infer(context, real, SchemaStage.declared(context, real)));
    return new EvaluationInput(
        typed(context, real, inferred.schema()),
        aligned(context, synthetic, "--synthetic", inferred.schema()),
        holdout == null
            ? Optional.empty()
            : Optional.of(aligned(context, holdout, "--holdout", inferred.schema())),
        EvaluateStage.groups(context.config()),
        Optional.empty());
  }

  /** Options are those of the reference's format: a synthetic Parquet folder needs none. */
  private static TableSource open(RunContext context, String source, String parameter) {
    DataConfig data = context.config().data();
    SparkSession spark = context.spark();
    TableSource table =
        TableSource.open(
            spark,
            new TableSource.Address(source, data.format(), data.options(), parameter, "compare"));
    return NumberedRows.ofCompared(context.config(), table);
  }

  private static TypedTable aligned(
      RunContext context, String source, String parameter, FrozenSchema reference) {
    TableSource table = open(context, source, parameter);
    InferredTable inferred = table.reading(() -> SchemaStage.infer(context, table, Map.of()));
    return typed(context, table, aligned(reference, inferred));
  }

  private static TypedTable typed(RunContext context, TableSource table, FrozenSchema schema) {
    return TypedTable.of(
        table.name(), table.rows(), schema, SchemaStage.missing(context.config().data(), table));
  }

  /** The other table's schema with texts where its kind is another than the reference's. */
  static FrozenSchema aligned(FrozenSchema reference, InferredTable other) {
    Map<String, ColumnSchema> known = new HashMap<>();
    reference.columns().forEach(column -> known.put(column.name(), column));
    List<ColumnSchema> columns = new ArrayList<>();
    for (int c = 0; c < other.schema().columns().size(); c++) {
      ColumnSchema column = other.schema().columns().get(c);
      ColumnSchema real = known.get(column.name());
      boolean isEmpty = other.profile().columns().get(c).missing() == other.profile().rows();
      if (real == null || form(real) == form(column)) {
        columns.add(column);
      } else {
        columns.add(isEmpty ? real : text(column.name()));
      }
    }
    return new FrozenSchema(columns);
  }

  private enum Form {
    NUMBER,
    TIME,
    TEXT
  }

  private static Form form(ColumnSchema column) {
    if (column.kind() == ColumnKind.DATE || column.kind() == ColumnKind.TIMESTAMP) {
      return Form.TIME;
    }
    return column.kind().isNumeric() || column.isNumericIdentifier() ? Form.NUMBER : Form.TEXT;
  }

  private static ColumnSchema text(String name) {
    return new ColumnSchema(
        name, "string", ColumnKind.CATEGORICAL, true, 0, 0, null, null, null, null, 0);
  }
}
