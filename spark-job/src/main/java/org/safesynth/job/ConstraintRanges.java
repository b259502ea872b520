package org.safesynth.job;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntUnaryOperator;
import org.safesynth.codec.Acceptance;
import org.safesynth.codec.FieldCodec;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * What conditions leave of each column, as far as they compare it with constants: contradictions
 * are refused, of ranges or values that exclude each other or all that the model writes, and of two
 * columns compared in contrary ways.
 */
final class ConstraintRanges {
  private static final Set<Object> TRUTH = Set.of("true", "false");
  private static final BigDecimal FLOAT_ERROR = BigDecimal.valueOf(Math.ulp(1f)); // of 1
  private static final BigDecimal DOUBLE_ERROR = BigDecimal.valueOf(Math.ulp(1.0));
  private static final Set<String> WHOLE = Set.of("tinyint", "smallint", "int", "bigint");
  private static final int MAX_EXPONENT = 400; // no number of SQL's has a greater one

  private final FrozenSchema schema;
  private final FieldCodec codec;
  private final IntUnaryOperator columns;
  private final SqlTimes times;
  private final boolean isCaseSensitive;
  private final List<String> names;
  private final Map<Integer, Left> left = new TreeMap<>();
  private final Map<List<Integer>, Orders> orders = new HashMap<>();

  /**
   * @param codec what the model writes; null where that is what the schema says
   * @param columns the codec's column of each of the table's; -1 for one that is coded otherwise
   * @param isCaseSensitive whether SQL tells names of columns apart by case
   */
  ConstraintRanges(
      FrozenSchema schema,
      FieldCodec codec,
      IntUnaryOperator columns,
      SqlTimes times,
      boolean isCaseSensitive) {
    this.schema = schema;
    this.codec = codec;
    this.columns = columns;
    this.times = times;
    this.isCaseSensitive = isCaseSensitive;
    this.names = schema.columns().stream().map(ColumnSchema::name).toList();
  }

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

    /** Whether it holds no less than one of the same value. */
    boolean replaces(Bound same) {
      return isStrict || !same.isStrict;
    }

    boolean excludes(Bound high) {
      return up().compareTo(high.down()) > 0;
    }
  }

  /** What is left of one column. */
  private static final class Left {
    private Bound least;
    private Bound greatest;
    private Set<Object> values; // ticks without trailing zeros, or texts; null for any
    private final Set<Object> excluded = new LinkedHashSet<>();
    private final Set<String> texts = new LinkedHashSet<>(); // conditions that say so

    void low(Bound bound) {
      int more = least == null ? 1 : bound.value().compareTo(least.value());
      least = more > 0 || (more == 0 && bound.replaces(least)) ? bound : least;
    }

    void high(Bound bound) {
      int more = greatest == null ? -1 : bound.value().compareTo(greatest.value());
      greatest = more < 0 || (more == 0 && bound.replaces(greatest)) ? bound : greatest;
    }

    void only(Set<Object> wanted) {
      if (values == null) {
        values = new LinkedHashSet<>(wanted);
      } else {
        values.retainAll(wanted);
      }
    }

    boolean isTick(Object value) {
      BigDecimal tick = (BigDecimal) value;
      return tick.scale() <= 0
          && (least == null || tick.compareTo(least.up()) >= 0)
          && (greatest == null || tick.compareTo(greatest.down()) <= 0);
    }
  }

  /** Which of two columns may be the greater: bits of less, equal and more. */
  private static final class Orders {
    private int allowed = 7;
    private final Set<String> texts = new LinkedHashSet<>();
  }

  /** What is left of each column, of numbers and times the values that SQL compares as such. */
  Map<Integer, RowConstraints.Range> checked(List<String> texts) {
    for (String text : texts) {
      ColumnTest.of(text).forEach(this::take);
    }
    orders.forEach(this::requireOrder);
    Map<Integer, RowConstraints.Range> ranges = new TreeMap<>();
    left.forEach(
        (column, of) -> {
          RowConstraints.Range range = checked(column, of);
          if (range != null) {
            ranges.put(column, range);
          }
        });
    return ranges;
  }

  private void take(ColumnTest test) {
    int column = index(test.column());
    if (column < 0) {
      return; // SQL understands it, or says what is wrong
    }
    if (test.other() != null) {
      compare(test, column, index(test.other()));
      return;
    }
    ColumnSchema of = schema.columns().get(column);
    boolean isTime = of.kind() == ColumnKind.DATE || of.kind() == ColumnKind.TIMESTAMP;
    if (columns.applyAsInt(column) < 0 || (isTime && !SqlTimes.isTime(of))) {
      return; // an order's steps, or a time that SQL compares as a text or number
    }
    long[] range = range(column);
    if (range == null) {
      takeTexts(test, column);
    } else {
      takeTicks(test, column, range);
    }
  }

  /** A column's number; -1 where the table has none of the name. */
  private int index(String name) {
    for (int i = 0; i < names.size(); i++) {
      if (isCaseSensitive ? names.get(i).equals(name) : names.get(i).equalsIgnoreCase(name)) {
        return i;
      }
    }
    return -1;
  }

  private void compare(ColumnTest test, int column, int other) {
    if (other < 0 || other == column) {
      return;
    }
    boolean isTurned = other < column;
    int allowed =
        switch (isTurned ? test.comparison().turned() : test.comparison()) {
          case LESS -> 1;
          case AT_MOST -> 3;
          case MORE -> 4;
          case AT_LEAST -> 6;
          case ONE_OF -> 2;
          case NONE_OF -> 5;
        };
    Orders of =
        orders.computeIfAbsent(
            List.of(Math.min(column, other), Math.max(column, other)), pair -> new Orders());
    of.allowed &= allowed;
    of.texts.add(test.text());
  }

  private void requireOrder(List<Integer> pair, Orders of) {
    if (of.allowed == 0) {
      throw contradiction(
          "'%s' and '%s'".formatted(names.get(pair.get(0)), names.get(pair.get(1))),
          "meet",
          List.copyOf(of.texts));
    }
  }

  private void takeTexts(ColumnTest test, int column) {
    boolean isOneOf = test.comparison() == ColumnTest.Comparison.ONE_OF;
    boolean isSet = isOneOf || test.comparison() == ColumnTest.Comparison.NONE_OF;
    List<Object> texts = texts(schema.columns().get(column), test.constants());
    if (!isSet || texts == null) {
      return;
    }
    Left of = left(test, column);
    if (!isOneOf) {
      of.excluded.addAll(texts);
      return;
    }
    if (texts.stream().noneMatch(text -> isKnown(column, (String) text))) {
      throw new BadInputException(
          "generation.constraints: '%s' asks for a value that the model does not write"
              .formatted(test.text()));
    }
    of.only(new LinkedHashSet<>(texts));
  }

  /** Constants as the column's texts; null where SQL does not compare it with them as texts. */
  private static List<Object> texts(ColumnSchema column, List<Object> constants) {
    if (column.type().equals("boolean")) {
      List<Object> truths = constants.stream().<Object>map(Object::toString).toList();
      return TRUTH.containsAll(truths) ? truths : null;
    }
    boolean areTexts = constants.stream().allMatch(String.class::isInstance);
    return areTexts && column.type().equals("string") ? constants : null;
  }

  private void takeTicks(ColumnTest test, int column, long[] range) {
    ColumnSchema schemaOf = schema.columns().get(column);
    List<BigDecimal> ticks = new ArrayList<>();
    BigDecimal error = BigDecimal.ZERO;
    for (Object constant : test.constants()) {
      BigDecimal tick = ticks(test.text(), schemaOf, constant);
      if (tick == null) {
        return;
      }
      error = error.max(error(schemaOf, tick));
      ticks.add(tick.signum() == 0 ? BigDecimal.ZERO : tick.stripTrailingZeros());
    }
    Left of = left(test, column);
    Bound first = new Bound(BigDecimal.valueOf(range[0]), false, test.text());
    Bound last = new Bound(BigDecimal.valueOf(range[1]), false, test.text());
    switch (test.comparison()) {
      case LESS, AT_MOST, MORE, AT_LEAST -> {
        boolean isStrict =
            test.comparison() == ColumnTest.Comparison.LESS
                || test.comparison() == ColumnTest.Comparison.MORE;
        boolean isHigh =
            test.comparison() == ColumnTest.Comparison.LESS
                || test.comparison() == ColumnTest.Comparison.AT_MOST;
        Bound bound = bound(ticks.get(0), isStrict, isHigh ? error : error.negate(), test.text());
        if (isHigh ? first.excludes(bound) : bound.excludes(last)) {
          throw excludesAll(test.text(), column);
        }
        if (isHigh) {
          of.high(bound);
        } else {
          of.low(bound);
        }
      }
      case ONE_OF -> {
        BigDecimal slack = error;
        List<BigDecimal> written =
            ticks.stream()
                .filter(t -> t.compareTo(first.value().subtract(slack)) >= 0)
                .filter(t -> t.compareTo(last.value().add(slack)) <= 0)
                .sorted()
                .toList();
        if (written.isEmpty()) {
          throw excludesAll(test.text(), column);
        }
        of.low(bound(written.get(0), false, error.negate(), test.text()));
        of.high(bound(written.get(written.size() - 1), false, error, test.text()));
        if (error.signum() == 0) {
          of.only(new LinkedHashSet<>(written));
        }
      }
      case NONE_OF -> {
        if (error.signum() == 0) {
          of.excluded.addAll(ticks);
        }
      }
    }
  }

  /** One that is moved by an error, and then allows its border. */
  private static Bound bound(BigDecimal tick, boolean isStrict, BigDecimal error, String text) {
    return new Bound(tick.add(error), isStrict && error.signum() == 0, text);
  }

  /** How far off a tick may be compared: binary fractions are not what the texts say. */
  private static BigDecimal error(ColumnSchema column, BigDecimal tick) {
    BigDecimal number = tick.scaleByPowerOfTen(-column.scale());
    return switch (column.type()) {
      case "float" -> tick.abs().multiply(FLOAT_ERROR);
      case "double" -> isBinary(number) ? BigDecimal.ZERO : tick.abs().multiply(DOUBLE_ERROR);
      default -> BigDecimal.ZERO;
    };
  }

  private static boolean isBinary(BigDecimal number) {
    double nearest = number.doubleValue();
    return Double.isFinite(nearest) && new BigDecimal(nearest).compareTo(number) == 0;
  }

  private Left left(ColumnTest test, int column) {
    Left of = left.computeIfAbsent(column, c -> new Left());
    of.texts.add(test.text());
    return of;
  }

  /** What is left once all conditions are taken; null where any value is. */
  private RowConstraints.Range checked(int column, Left of) {
    String name = "'" + names.get(column) + "'";
    if (of.least != null && of.greatest != null && of.least.excludes(of.greatest)) {
      Set<String> both = new LinkedHashSet<>(List.of(of.least.text()));
      both.add(of.greatest.text());
      throw contradiction(name, "meets", List.copyOf(both));
    }
    boolean isTicks = range(column) != null;
    if (of.values != null) {
      of.values.removeAll(of.excluded);
      if (isTicks) {
        of.values.removeIf(value -> !of.isTick(value));
      }
      if (of.values.isEmpty()) {
        throw contradiction(name, "meets", List.copyOf(of.texts));
      }
    }
    if (!isTicks) {
      return categories(column, of);
    }
    boolean isText = schema.columns().get(column).type().equals("string");
    return isText || (of.least == null && of.greatest == null)
        ? null
        : new RowConstraints.Range(
            of.least == null ? null : tick(of.least.up()),
            of.greatest == null ? null : tick(of.greatest.down()),
            null);
  }

  private RowConstraints.Range categories(int column, Left of) {
    List<String> known = known(column);
    if (known == null) {
      return null;
    }
    List<String> values =
        known.stream()
            .filter(value -> !of.excluded.contains(value))
            .filter(value -> of.values == null || of.values.contains(value))
            .toList();
    if (values.isEmpty()) {
      throw excludesAll(String.join("' and '", of.texts), column);
    }
    return new RowConstraints.Range(null, null, values);
  }

  /** The categories that the model writes; null where they are not listed. */
  private List<String> known(int column) {
    ColumnSchema of = schema.columns().get(column);
    if (of.kind() != ColumnKind.CATEGORICAL) {
      return null;
    }
    return codec == null ? of.values() : codec.categories(columns.applyAsInt(column));
  }

  private static BadInputException contradiction(String of, String meet, List<String> texts) {
    return new BadInputException(
        texts.size() == 1
            ? "generation.constraints contradict themselves: no %s %s '%s'"
                .formatted(of, meet, texts.get(0))
            : "generation.constraints contradict each other: no %s %s %s '%s'"
                .formatted(
                    of,
                    meet,
                    texts.size() == 2 ? "both" : "all of",
                    String.join("' and '", texts)));
  }

  private BadInputException excludesAll(String text, int column) {
    return new BadInputException(
        "generation.constraints: '%s' excludes every '%s' that the model writes (data.value_protection pulls extremes in)"
            .formatted(text, names.get(column)));
  }

  /** A bound that no long holds is none of a column's. */
  private static Long tick(BigDecimal bound) {
    return bound.abs().compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0
        ? null
        : (Long) bound.longValueExact();
  }

  /** Ticks that the model writes; null of what are no numbers or times. */
  private long[] range(int column) {
    if (codec != null) {
      return codec.range(columns.applyAsInt(column));
    }
    ColumnSchema of = schema.columns().get(column);
    return of.kind().isNumeric()
        ? new long[] {
          of.min() == null ? Long.MIN_VALUE : of.min(), of.max() == null ? Long.MAX_VALUE : of.max()
        }
        : null;
  }

  private boolean isKnown(int column, String text) {
    List<String> values = schema.columns().get(column).values();
    if (schema.columns().get(column).kind() == ColumnKind.BOOLEAN) {
      return true;
    }
    return codec == null
        ? values == null || values.contains(text)
        : codec.acceptance(columns.applyAsInt(column), text) == Acceptance.EXACT;
  }

  /** A constant in ticks of the column, fractions of one too; null where it is none. */
  private BigDecimal ticks(String condition, ColumnSchema column, Object constant) {
    if (SqlTimes.isTime(column)) {
      return time(condition, column, constant);
    }
    BigDecimal number = column.timeOfDay() == null ? number(column, constant) : null;
    return number == null ? null : number.scaleByPowerOfTen(column.scale());
  }

  private BigDecimal time(String condition, ColumnSchema column, Object constant) {
    if (!(constant instanceof LocalDate || constant instanceof String)) {
      return null; // SQL says what is wrong
    }
    String text = constant.toString();
    BigDecimal ticks = times.ticks(column, text);
    if (ticks == null) {
      throw ConditionFaults.noValueOf(column.type(), "'" + text + "'", condition, null);
    }
    return ticks;
  }

  /** A quoted number is one, but of texts, which SQL compares with it as such. */
  private static BigDecimal number(ColumnSchema column, Object constant) {
    if (constant instanceof BigDecimal number) {
      return number;
    }
    if (!(constant instanceof String text) || column.type().equals("string")) {
      return null;
    }
    try {
      BigDecimal number = new BigDecimal(text.strip());
      boolean isWhole = number.stripTrailingZeros().scale() <= 0;
      return Math.abs((long) number.precision() - number.scale()) > MAX_EXPONENT
              || (!isWhole && WHOLE.contains(column.type()))
          ? null
          : number;
    } catch (NumberFormatException e) {
      return null; // SQL reads it in its own way
    }
  }
}
