package org.safesynth.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.lit;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntUnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.execution.QueryExecution;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.safesynth.codec.Acceptance;
import org.safesynth.codec.FieldCodec;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.CellReader;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * The SQL conditions of {@code generation.constraints}. A row meets one unless it is false for it:
 * a comparison with a missing value is neither, as in a CHECK of SQL.
 *
 * <p>What can be seen to be impossible is refused before anything is sampled: ranges of a column
 * that exclude each other or all that the model writes, and values that it does not know.
 *
 * @param ranges what single comparisons leave of numbers and times, by the column's number
 */
record RowConstraints(List<String> texts, Map<Integer, Range> ranges) {
  /**
   * Ticks of a column.
   *
   * @param low null for any
   * @param high null for any
   */
  record Range(Long low, Long high) {
    /** The same values of a column, as far as they are in the range. */
    ColumnSchema of(ColumnSchema column) {
      Long min = column.min();
      Long max = column.max();
      return column.withDomain(
          low == null || (min != null && min > low) ? min : low,
          high == null || (max != null && max < high) ? max : high,
          column.values());
    }
  }

  private static final String NAME = "(?:`([^`]+)`|([\\p{L}_][\\p{L}\\p{N}_]*))";
  private static final String VALUE = "('[^']*'|-?[0-9]+(?:\\.[0-9]+)?)";
  private static final Pattern COMPARISON =
      Pattern.compile("\\s*" + NAME + "\\s*(<=|>=|<|>|==?)\\s*" + VALUE + "\\s*");
  private static final Pattern BETWEEN =
      Pattern.compile(
          "\\s*" + NAME + "\\s+between\\s+" + VALUE + "\\s+and\\s+" + VALUE + "\\s*",
          Pattern.CASE_INSENSITIVE);

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
        new Ranges(schema, codec, columns, new SqlTimes(zone(spark))).checked(texts));
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

  /** The range that single comparisons leave of each column. */
  private static final class Ranges {
    private final FrozenSchema schema;
    private final FieldCodec codec;
    private final IntUnaryOperator columns;
    private final SqlTimes times;
    private final List<String> names;
    private final Map<Integer, Bound> least = new HashMap<>();
    private final Map<Integer, Bound> greatest = new HashMap<>();

    /**
     * @param value in ticks
     * @param text the condition that it comes from
     */
    private record Bound(BigDecimal value, boolean isStrict, String text) {
      /** The least whole tick that is not below it. */
      BigDecimal up() {
        BigDecimal whole = value.setScale(0, RoundingMode.CEILING);
        return isStrict && whole.compareTo(value) == 0 ? whole.add(BigDecimal.ONE) : whole;
      }

      /** The greatest whole tick that is not above it. */
      BigDecimal down() {
        BigDecimal whole = value.setScale(0, RoundingMode.FLOOR);
        return isStrict && whole.compareTo(value) == 0 ? whole.subtract(BigDecimal.ONE) : whole;
      }
    }

    Ranges(FrozenSchema schema, FieldCodec codec, IntUnaryOperator columns, SqlTimes times) {
      this.times = times;
      this.schema = schema;
      this.codec = codec;
      this.columns = columns;
      this.names = schema.columns().stream().map(ColumnSchema::name).toList();
    }

    /** What is left of each column; its values' text is what SQL compares where that is text. */
    Map<Integer, Range> checked(List<String> texts) {
      for (String text : texts) {
        Matcher comparison = COMPARISON.matcher(text);
        Matcher between = BETWEEN.matcher(text);
        if (comparison.matches()) {
          take(text, name(comparison), comparison.group(3), comparison.group(4));
        } else if (between.matches()) {
          take(text, name(between), ">=", between.group(3));
          take(text, name(between), "<=", between.group(4));
        }
      }
      for (Map.Entry<Integer, Bound> low : least.entrySet()) {
        Bound high = greatest.get(low.getKey());
        if (high != null && excludes(low.getValue(), high)) {
          throw new BadInputException(
              "generation.constraints contradict each other: no '%s' meets both '%s' and '%s'"
                  .formatted(names.get(low.getKey()), low.getValue().text(), high.text()));
        }
      }
      Map<Integer, Range> ranges = new TreeMap<>();
      for (int c = 0; c < names.size(); c++) {
        boolean isText = schema.columns().get(c).type().equals("string");
        if (!isText && (least.containsKey(c) || greatest.containsKey(c))) {
          ranges.put(
              c,
              new Range(
                  least.containsKey(c) ? tick(least.get(c).up()) : null,
                  greatest.containsKey(c) ? tick(greatest.get(c).down()) : null));
        }
      }
      return ranges;
    }

    /** A bound that no long holds is none of a column's. */
    private static Long tick(BigDecimal bound) {
      return bound.abs().compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0
          ? null
          : (Long) bound.longValueExact();
    }

    private static String name(Matcher matcher) {
      return matcher.group(1) != null ? matcher.group(1) : matcher.group(2);
    }

    private static boolean excludes(Bound low, Bound high) {
      return low.up().compareTo(high.down()) > 0;
    }

    private void take(String text, String name, String operator, String literal) {
      int column = names.indexOf(name);
      if (column < 0 || columns.applyAsInt(column) < 0) {
        return; // a name in other letters, which SQL understands, or an order's steps
      }
      long[] range = range(column);
      if (range == null) {
        requireKnown(text, column, operator, literal);
        return;
      }
      BigDecimal value = ticks(text, schema.columns().get(column), literal);
      if (value == null) {
        return;
      }
      Bound bound = new Bound(value, operator.equals("<") || operator.equals(">"), text);
      Bound first = new Bound(BigDecimal.valueOf(range[0]), false, text);
      Bound last = new Bound(BigDecimal.valueOf(range[1]), false, text);
      if (!operator.startsWith("<")) {
        requireWithin(text, name, bound, last);
        least.merge(column, bound, (a, b) -> a.value().compareTo(b.value()) >= 0 ? a : b);
      }
      if (!operator.startsWith(">")) {
        requireWithin(text, name, first, bound);
        greatest.merge(column, bound, (a, b) -> a.value().compareTo(b.value()) <= 0 ? a : b);
      }
    }

    /** Ticks that the model writes; null of what are no numbers or times. */
    private long[] range(int column) {
      if (codec != null) {
        return codec.range(columns.applyAsInt(column));
      }
      ColumnSchema of = schema.columns().get(column);
      return of.kind().isNumeric()
          ? new long[] {
            of.min() == null ? Long.MIN_VALUE : of.min(),
            of.max() == null ? Long.MAX_VALUE : of.max()
          }
          : null;
    }

    private boolean isKnown(int column, String text) {
      List<String> values = schema.columns().get(column).values();
      return codec == null
          ? values == null || values.contains(text)
          : codec.acceptance(columns.applyAsInt(column), text) == Acceptance.EXACT;
    }

    private static void requireWithin(String text, String name, Bound low, Bound high) {
      if (excludes(low, high)) {
        throw new BadInputException(
            "generation.constraints: '%s' excludes every '%s' that the model writes (data.value_protection pulls extremes in)"
                .formatted(text, name));
      }
    }

    private void requireKnown(String text, int column, String operator, String literal) {
      boolean isEquality = operator.startsWith("=") && literal.startsWith("'");
      if (isEquality && !isKnown(column, literal.substring(1, literal.length() - 1))) {
        throw new BadInputException(
            "generation.constraints: '%s' asks for a value that the model does not write"
                .formatted(text));
      }
    }

    /** A literal in ticks of the column, fractions of one too; null where it is none. */
    private BigDecimal ticks(String condition, ColumnSchema column, String literal) {
      boolean isQuoted = literal.startsWith("'");
      if (!isQuoted) {
        return new BigDecimal(literal).scaleByPowerOfTen(column.scale());
      }
      String text = literal.substring(1, literal.length() - 1);
      if (SqlTimes.isTime(column)) {
        BigDecimal ticks = times.ticks(column, text);
        if (ticks == null) {
          throw ConditionFaults.noValueOf(column.type(), literal, condition, null);
        }
        return ticks;
      }
      try {
        Object value = CellReader.of(column, java.util.Set.of()).read(text);
        return value instanceof Long tick ? BigDecimal.valueOf(tick) : null;
      } catch (CellReader.UnfitCellException e) {
        return null; // SQL reads it in its own way
      }
    }
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
