package org.safesynth.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.lit;

import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntUnaryOperator;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.safesynth.codec.FieldCodec;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * The SQL conditions of {@code generation.constraints}. A row meets one unless it is false for it:
 * a comparison with a missing value is neither, as in a CHECK of SQL.
 *
 * <p>What can be seen to be impossible is refused before anything is sampled, as {@link
 * ConstraintRanges} finds it.
 *
 * @param ranges what comparisons with constants leave of single columns, by the column's number
 */
record RowConstraints(List<String> texts, Map<Integer, Range> ranges) {
  /**
   * What may be written of a column.
   *
   * @param low least tick; null for any
   * @param high greatest tick; null for any
   * @param values of categories; null for any
   */
  record Range(Long low, Long high, List<String> values) {
    /** The same values of a column, as far as they are in the range. */
    ColumnSchema of(ColumnSchema column) {
      Long min = column.min();
      Long max = column.max();
      return column.withDomain(
          low == null || (min != null && min > low) ? min : low,
          high == null || (max != null && max < high) ? max : high,
          values == null ? column.values() : values);
    }
  }

  /** Reads the conditions against the table that will be written. */
  static RowConstraints of(
      SparkSession spark, FrozenSchema schema, FieldCodec codec, List<String> texts) {
    return of(spark, schema, codec, column -> column, texts);
  }

  /**
   * Reads the conditions.
   *
   * @param codec what the model writes; null where that is what the schema says
   * @param columns the codec's column of each of the table's; -1 for one that is coded otherwise
   */
  static RowConstraints of(
      SparkSession spark,
      FrozenSchema schema,
      FieldCodec codec,
      IntUnaryOperator columns,
      List<String> texts) {
    requireConditions(spark, GenerateStage.type(schema), texts);
    return new RowConstraints(
        List.copyOf(texts),
        new ConstraintRanges(
                schema, codec, columns, new SqlTimes(zone(spark)), isCaseSensitive(spark))
            .checked(texts));
  }

  private static boolean isCaseSensitive(SparkSession spark) {
    return Boolean.parseBoolean(spark.conf().get("spark.sql.caseSensitive"));
  }

  private static ZoneId zone(SparkSession spark) {
    return ZoneId.of(spark.conf().get("spark.sql.session.timeZone"), ZoneId.SHORT_IDS);
  }

  private static void requireConditions(SparkSession spark, StructType type, List<String> texts) {
    JavaSparkContext context = new JavaSparkContext(spark.sparkContext());
    Dataset<Row> rows = spark.createDataFrame(context.<Row>emptyRDD(), type);
    Column all = lit(true);
    for (String text : texts) {
      requireCondition(rows, text);
      all = all.and(met(text));
      if (isNeverTrue(rows, all)) {
        throw new BadInputException(
            "generation.constraints: '%s' can be true for no row%s; correct it (columns are written plainly or in backticks: double quotes make a text)"
                .formatted(text, text.equals(texts.get(0)) ? "" : " that meets those before it"));
      }
    }
  }

  /**
   * Whether Spark sees that a condition is false whatever is in a row. It would then not even look
   * at the rows, and never tell how many there were.
   */
  private static boolean isNeverTrue(Dataset<Row> rows, Column condition) {
    return plans(rows.where(condition)).optimizedPlan().maxRows().contains(0L);
  }

  private static QueryExecution plans(Dataset<Row> rows) {
    return ((org.apache.spark.sql.classic.Dataset<Row>) rows).queryExecution();
  }

  private static void requireCondition(Dataset<Row> rows, String text) {
    try {
      Dataset<Row> met = rows.select(expr(text).as("met"));
      StructType of = met.schema();
      if (plans(met).analyzed().references().isEmpty()) {
        throw new BadInputException(
            "generation.constraints: '%s' names no column of the table; write columns plainly or in backticks (double quotes make a text)"
                .formatted(text));
      }
      if (!of.fields()[0].dataType().equals(DataTypes.BooleanType)) {
        throw new BadInputException(
            "generation.constraints: '%s' is no condition but a value of type %s; write a comparison such as \"a <= b\""
                .formatted(text, of.fields()[0].dataType().simpleString()));
      }
      plans(met).optimizedPlan(); // computes what is constant
    } catch (BadInputException e) {
      throw e;
    } catch (Exception e) { // AnalysisException too, which Scala throws without declaring it
      BadInputException constants = ConditionFaults.ofConstants(text, e);
      if (constants != null) {
        throw constants;
      }
      throw new BadInputException(
          "generation.constraints: '%s' cannot be read as a condition on the table's columns: %s"
              .formatted(text, Faults.oneLine(e.getMessage())),
          e);
    }
  }

  /** The columns that conditions name, by their number. */
  Set<Integer> named(SparkSession spark, FrozenSchema schema) {
    JavaSparkContext context = new JavaSparkContext(spark.sparkContext());
    Dataset<Row> rows = spark.createDataFrame(context.<Row>emptyRDD(), GenerateStage.type(schema));
    Set<String> names = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    for (String text : texts) {
      plans(rows.select(expr(text).as("met")))
          .analyzed()
          .references()
          .foreach(of -> names.add(of.name()));
    }
    Set<Integer> named = new HashSet<>();
    for (int c = 0; c < schema.columns().size(); c++) {
      if (names.contains(schema.columns().get(c).name())) {
        named.add(c);
      }
    }
    return named;
  }

  /** Whether a row meets a condition. */
  static Column met(String text) {
    return coalesce(expr(text), lit(true));
  }

  /** Whether a row meets all. */
  Column allMet() {
    Column all = lit(true);
    for (String text : texts) {
      all = all.and(met(text));
    }
    return all;
  }

  /** The conditions with the number of rows that miss each. */
  static List<Map<String, Object>> reasons(List<String> texts, long[] missed) {
    List<Map<String, Object>> reasons = new ArrayList<>();
    for (int i = 0; i < missed.length; i++) {
      reasons.add(Map.of("reason", "Constraint not met: " + texts.get(i), "count", missed[i]));
    }
    return reasons;
  }
}
