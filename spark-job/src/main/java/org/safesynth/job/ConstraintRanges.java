package org.safesynth.job;

import java.math.BigDecimal;
import java.math.RoundingMode;
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
import org.safesynth.schema.CellReader;
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

  private final FrozenSchema schema;
  private final FieldCodec codec;
  private final IntUnaryOperator columns;
  private final SqlTimes times;
  private final List<String> names;
  private final Map<Integer, Left> left = new TreeMap<>();
  private final Map<List<Integer>, Orders> orders = new HashMap<>();

  /**
   * @param codec what the model writes; null where that is what the schema says
   * @param columns the codec's column of each of the table's; -1 for one that is coded otherwise
   */
  ConstraintRanges(
      FrozenSchema schema, FieldCodec codec, IntUnaryOperator columns, SqlTimes times) {
    this.schema = schema;
    this.codec = codec;
    this.columns = columns;
    this.times = times;
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
      least = least == null || bound.value().compareTo(least.value()) >= 0 ? bound : least;
    }

    void high(Bound bound) {
      greatest =
          greatest == null || bound.value().compareTo(greatest.value()) <= 0 ? bound : greatest;
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
    int column = names.indexOf(test.column());
    if (column < 0) {
      return; // SQL understands it, or says what is wrong
    }
    if (test.other() != null) {
      compare(test, column, names.indexOf(test.other()));
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
    boolean isBoolean = schema.columns().get(column).kind() == ColumnKind.BOOLEAN;
    boolean areTexts =
        test.constants().stream()
            .allMatch(isBoolean ? TRUTH::contains : constant -> constant instanceof String);
    if (!isSet || !areTexts) {
      return;
    }
    Left of = left(test, column);
    if (!isOneOf) {
      of.excluded.addAll(test.constants());
      return;
    }
    if (test.constants().stream().noneMatch(text -> isKnown(column, (String) text))) {
      throw new BadInputException(
          "generation.constraints: '%s' asks for a value that the model does not write"
              .formatted(test.text()));
    }
    of.only(new LinkedHashSet<>(test.constants()));
  }

  private void takeTicks(ColumnTest test, int column, long[] range) {
    List<BigDecimal> ticks = new ArrayList<>();
    for (Object constant : test.constants()) {
      BigDecimal tick = ticks(test.text(), schema.columns().get(column), constant);
      if (tick == null) {
        return;
      }
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
        Bound bound = new Bound(ticks.get(0), isStrict, test.text());
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
        List<BigDecimal> written =
            ticks.stream()
                .filter(t -> t.compareTo(first.value()) >= 0 && t.compareTo(last.value()) <= 0)
                .sorted()
                .toList();
        if (written.isEmpty()) {
          throw excludesAll(test.text(), column);
        }
        of.low(new Bound(written.get(0), false, test.text()));
        of.high(new Bound(written.get(written.size() - 1), false, test.text()));
        of.only(new LinkedHashSet<>(written));
      }
      case NONE_OF -> of.excluded.addAll(ticks);
    }
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
    if (constant instanceof BigDecimal number) {
      return column.timeOfDay() != null ? null : number.scaleByPowerOfTen(column.scale());
    }
    String text = (String) constant;
    if (SqlTimes.isTime(column)) {
      BigDecimal ticks = times.ticks(column, text);
      if (ticks == null) {
        throw ConditionFaults.noValueOf(column.type(), "'" + text + "'", condition, null);
      }
      return ticks;
    }
    try {
      Object value = CellReader.of(column, Set.of()).read(text);
      return value instanceof Long tick ? BigDecimal.valueOf(tick) : null;
    } catch (CellReader.UnfitCellException e) {
      return null; // SQL reads it in its own way
    }
  }
}
