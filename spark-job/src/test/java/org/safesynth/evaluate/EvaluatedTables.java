package org.safesynth.evaluate;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;
import org.safesynth.config.ConfigReader;
import org.safesynth.config.EvaluationConfig;
import org.safesynth.job.LocalSpark;
import org.safesynth.schema.InferenceOptions;
import org.safesynth.schema.SchemaInference;

/** Tables for the evaluation's tests. */
final class EvaluatedTables {
  private EvaluatedTables() {}

  /** A CSV file with inferred types; an empty field is missing. */
  static TypedTable csv(Path file) {
    Dataset<Row> rows = LocalSpark.session().read().option("header", "true").csv(file.toString());
    return typed(file.getFileName().toString(), rows, true);
  }

  /** A table of typed rows. */
  static TypedTable of(String name, String ddl, List<Row> rows, int partitions) {
    Dataset<Row> table =
        LocalSpark.session()
            .createDataFrame(rows, (StructType) DataType.fromDDL(ddl))
            .repartition(partitions);
    return typed(name, table, false);
  }

  private static TypedTable typed(String name, Dataset<Row> rows, boolean untyped) {
    Set<String> missing = untyped ? Set.of("") : Set.of();
    InferenceOptions options = new InferenceOptions(untyped, missing, 1, Map.of());
    return TypedTable.of(name, rows, SchemaInference.infer(rows, options).schema(), missing);
  }

  /** The default parameters with others over them. */
  static EvaluationConfig config(Map<String, String> overrides) {
    return ConfigReader.read("", "test", overrides).evaluation();
  }

  static EvaluationInput input(TypedTable reference, TypedTable synthetic, TypedTable holdout) {
    return new EvaluationInput(
        reference, synthetic, Optional.ofNullable(holdout), Optional.empty(), Optional.empty());
  }

  static Evidence evidence(TypedTable reference, TypedTable synthetic, TypedTable holdout) {
    return Evidence.gather(input(reference, synthetic, holdout), config(Map.of()), 1);
  }

  /** Rows of the numbers 0 … n − 1, a word and a fraction with some missing. */
  static List<Row> simpleRows(int from, int to) {
    List<Row> rows = new ArrayList<>();
    for (int i = from; i < to; i++) {
      rows.add(RowFactory.create(i, "w" + i % 5, i % 7 == 0 ? null : i / 8.0));
    }
    return rows;
  }

  static final String SIMPLE = "a int, b string, c double";
}
