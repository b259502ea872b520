package org.safesynth.codec;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntUnaryOperator;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.TimeOfDay;

/**
 * The texts of a record and its line end, as an automaton over bytes made from the schema: what
 * {@link JsonlCodec} writes, no more than it reads back, but for columns of very many values. Of
 * the private rows it knows nothing but the domain that the schema has.
 */
final class JsonlGrammar {
  private static final String FIRST_DAY = "0001-01-01";
  private static final int MOST_CHARACTERS = 32_000; // of a column's values
  private static final String LAST_DAY = "9999-12-31";

  private final ByteNfa nfa = new ByteNfa();
  private final JsonlCodec codec;

  private JsonlGrammar(JsonlCodec codec) {
    this.codec = codec;
  }

  /**
   * The automaton.
   *
   * @param before what a tokenizer puts before each record, such as a space
   */
  static ByteDfa of(JsonlCodec codec, byte[] before) {
    return new JsonlGrammar(codec).build(before);
  }

  /**
   * The values of a column of numbers or times that are within bounds, and what ends them.
   *
   * @param least a tick that is no greater than the column's greatest
   * @param most null for the column's greatest; of times of day a tick may lie on the day after
   */
  static ByteDfa within(JsonlCodec codec, int c, long least, Long most, String end) {
    JsonlGrammar grammar = new JsonlGrammar(codec);
    JsonlColumn column = codec.columns().get(c);
    ColumnSchema schema = column.schema();
    long low = schema.min() == null ? least : Math.max(least, schema.min());
    Long high = most == null ? schema.max() : most;
    JsonlColumn bounded =
        new JsonlColumn(schema.withDomain(low, high, schema.values()), column.maxLength());
    int start = grammar.nfa.state();
    int to = grammar.nfa.literal(grammar.present(start, c, bounded), end);
    return grammar.nfa.determinize(start, to);
  }

  private ByteDfa build(byte[] before) {
    int start = nfa.state();
    int at = nfa.literal(nfa.literal(start, before), "{");
    for (int c = 0; c < codec.columns().size(); c++) {
      at = nfa.literal(at, (c == 0 ? "" : ",") + codec.key(c) + ":");
      at = value(at, c);
    }
    int end = nfa.literal(at, "}\n");
    return nfa.determinize(start, end);
  }

  private int value(int from, int c) {
    JsonlColumn column = codec.columns().get(c);
    List<IntUnaryOperator> forms = new ArrayList<>();
    forms.add(at -> present(at, c, column));
    if (column.schema().missing()) {
      forms.add(at -> nfa.literal(at, "null"));
    }
    return nfa.anyOf(from, forms);
  }

  private int present(int from, int c, JsonlColumn column) {
    ColumnSchema schema = column.schema();
    return switch (schema.kind()) {
      case INTEGER ->
          schema.timeOfDay() == null
              ? NumberSteps.add(nfa, from, least(schema), greatest(schema), 0, false)
              : ofDay(from, schema);
      case DECIMAL -> decimal(from, schema);
      case DATE -> quoted(from, date(schema));
      case TIMESTAMP -> quoted(from, timestamp(schema));
      case BOOLEAN ->
          nfa.anyOf(from, List.of(at -> nfa.literal(at, "false"), at -> nfa.literal(at, "true")));
      case CATEGORICAL -> isListed(schema) ? declared(from, c, schema) : text(from, column);
      default ->
          schema.isNumericIdentifier()
              ? NumberSteps.add(nfa, from, least(schema), greatest(schema), 0, false)
              : text(from, column);
    };
  }

  /** Longer lists would make automata of many megabytes: their values are looked up when read. */
  private static boolean isListed(ColumnSchema schema) {
    return schema.values() != null
        && schema.values().stream().mapToLong(String::length).sum() <= MOST_CHARACTERS;
  }

  private int declared(int from, int c, ColumnSchema schema) {
    return nfa.anyOf(
        from,
        schema.values().stream()
            .<IntUnaryOperator>map(value -> at -> nfa.literal(at, codec.encodeCell(c, value)))
            .toList());
  }

  private int decimal(int from, ColumnSchema schema) {
    int scale = schema.scale();
    BigInteger min = least(schema);
    BigInteger max = greatest(schema);
    if (scale >= 0) {
      return NumberSteps.add(nfa, from, min, max, scale, true);
    }
    List<IntUnaryOperator> forms = new ArrayList<>();
    if (min.signum() <= 0 && max.signum() >= 0) {
      forms.add(at -> nfa.literal(at, "0.0"));
    }
    if (max.signum() > 0) {
      forms.add(at -> huge(at, min.max(BigInteger.ONE), max, scale));
    }
    if (min.signum() < 0) {
      forms.add(at -> huge(at, min, max.min(BigInteger.ONE.negate()), scale));
    }
    return nfa.anyOf(from, forms);
  }

  private int huge(int from, BigInteger min, BigInteger max, int scale) {
    return nfa.literal(NumberSteps.add(nfa, from, min, max, 0, false), "e+" + -scale);
  }

  private static BigInteger least(ColumnSchema schema) {
    if (schema.min() != null) {
      return BigInteger.valueOf(schema.min());
    }
    return switch (schema.type()) {
      case "tinyint" -> BigInteger.valueOf(Byte.MIN_VALUE);
      case "smallint" -> BigInteger.valueOf(Short.MIN_VALUE);
      case "int" -> BigInteger.valueOf(Integer.MIN_VALUE);
      default ->
          schema.type().startsWith("decimal(")
              ? mostOf(schema).negate()
              : BigInteger.valueOf(Long.MIN_VALUE);
    };
  }

  private static BigInteger greatest(ColumnSchema schema) {
    if (schema.max() != null) {
      return BigInteger.valueOf(schema.max());
    }
    return mostOf(schema);
  }

  /** What the column's type holds, in ticks that fit a long. */
  private static BigInteger mostOf(ColumnSchema schema) {
    BigInteger most = BigInteger.valueOf(Long.MAX_VALUE);
    return switch (schema.type()) {
      case "tinyint" -> BigInteger.valueOf(Byte.MAX_VALUE);
      case "smallint" -> BigInteger.valueOf(Short.MAX_VALUE);
      case "int" -> BigInteger.valueOf(Integer.MAX_VALUE);
      default -> {
        if (!schema.type().startsWith("decimal(")) {
          yield most;
        }
        String digits = schema.type().substring("decimal(".length()).replaceAll("[^0-9].*", "");
        yield BigInteger.TEN.pow(Integer.parseInt(digits)).subtract(BigInteger.ONE).min(most);
      }
    };
  }

  private int quoted(int from, TimeSteps steps) {
    return nfa.literal(nfa.explore(nfa.literal(from, "\""), TimeSteps.FIRST, steps), "\"");
  }

  /** Times of day from a tick to another one, which may be over midnight. */
  private int ofDay(int from, ColumnSchema schema) {
    TimeOfDay way = schema.timeOfDay();
    long day = way.ticksOfADay();
    long least = schema.min() == null ? 0 : schema.min();
    long most = schema.max() == null ? Math.floorDiv(least, day) * day + day - 1 : schema.max();
    boolean isWhole = most - least >= day - 1;
    long low = isWhole ? 0 : Math.floorMod(least, day);
    long high = isWhole ? day - 1 : Math.floorMod(most, day);
    if (low <= high) {
      return ofDay(from, way, low, high);
    }
    return nfa.anyOf(
        from, List.of(at -> ofDay(at, way, low, day - 1), at -> ofDay(at, way, 0, high)));
  }

  private int ofDay(int from, TimeOfDay way, long low, long high) {
    TimeSteps steps = TimeSteps.ofDay(way.write(low), way.write(high));
    int at = nfa.literal(from, "\"");
    return nfa.literal(nfa.explore(at, TimeSteps.HOUR_OF_A_DAY, steps), "\"");
  }

  private static TimeSteps date(ColumnSchema schema) {
    String low = schema.min() == null ? FIRST_DAY : LocalDate.ofEpochDay(schema.min()).toString();
    String high = schema.max() == null ? LAST_DAY : LocalDate.ofEpochDay(schema.max()).toString();
    return new TimeSteps(low, high, true);
  }

  private static TimeSteps timestamp(ColumnSchema schema) {
    DateTimeFormatter format =
        DateTimeFormatter.ofPattern(JsonlColumn.instantPattern(schema), Locale.ROOT);
    long micros = Math.max(1, schema.resolutionMicros());
    LocalDateTime low =
        schema.min() == null ? LocalDate.parse(FIRST_DAY).atStartOfDay() : at(schema.min(), micros);
    LocalDateTime high =
        schema.max() == null
            ? LocalDate.parse(LAST_DAY).atTime(23, 59, 59, 999_999_000)
            : at(schema.max(), micros);
    return new TimeSteps(low.format(format), high.format(format), micros % 3_600_000_000L != 0);
  }

  private static LocalDateTime at(long tick, long micros) {
    return LocalDateTime.ofInstant(
        Instant.EPOCH.plus(Math.multiplyExact(tick, micros), ChronoUnit.MICROS), ZoneOffset.UTC);
  }

  /** A text of any or a declared length. */
  private int text(int from, JsonlColumn column) {
    List<IntUnaryOperator> forms = new ArrayList<>();
    forms.add(at -> string(at, column.maxLength()));
    if (column.isNumberTyped() && column.schema().kind() == ColumnKind.CATEGORICAL) {
      return numbers(from, column.schema());
    }
    return nfa.anyOf(from, forms);
  }

  /** Categories of a column of numbers are numbers. */
  private int numbers(int from, ColumnSchema schema) {
    boolean isDecimal = !List.of("tinyint", "smallint", "int", "bigint").contains(schema.type());
    int scale = isDecimal ? 6 : 0;
    return NumberSteps.add(
        nfa,
        from,
        least(schema).multiply(BigInteger.TEN.pow(scale)),
        greatest(schema).multiply(BigInteger.TEN.pow(scale)),
        scale,
        isDecimal);
  }

  private int string(int from, int maxLength) {
    int at = nfa.literal(from, "\"");
    if (maxLength == 0) {
      int loop = nfa.state();
      nfa.join(at, loop);
      nfa.join(character(loop), loop);
      return nfa.literal(loop, "\"");
    }
    int end = nfa.state();
    nfa.join(at, end);
    for (int i = 0; i < maxLength; i++) {
      at = character(at);
      nfa.join(at, end);
    }
    return nfa.literal(end, "\"");
  }

  /** One character: as it is in UTF-8, or escaped as the writer escapes it. */
  private int character(int from) {
    int to = nfa.state();
    nfa.edge(from, 0x20, 0x21, to);
    nfa.edge(from, 0x23, 0x5b, to);
    nfa.edge(from, 0x5d, 0x7f, to);
    int escape = nfa.bytes(from, '\\', '\\');
    for (byte c : "\"\\bfnrt".getBytes(StandardCharsets.US_ASCII)) {
      nfa.edge(escape, c, c, to);
    }
    unicode(nfa.bytes(escape, 'u', 'u'), to);
    utf8(from, to, new int[][] {{0xc2, 0xdf}, {0x80, 0xbf}});
    utf8(from, to, new int[][] {{0xe0, 0xe0}, {0xa0, 0xbf}, {0x80, 0xbf}});
    utf8(from, to, new int[][] {{0xe1, 0xec}, {0x80, 0xbf}, {0x80, 0xbf}});
    utf8(from, to, new int[][] {{0xed, 0xed}, {0x80, 0x9f}, {0x80, 0xbf}});
    utf8(from, to, new int[][] {{0xee, 0xef}, {0x80, 0xbf}, {0x80, 0xbf}});
    utf8(from, to, new int[][] {{0xf0, 0xf0}, {0x90, 0xbf}, {0x80, 0xbf}, {0x80, 0xbf}});
    utf8(from, to, new int[][] {{0xf1, 0xf3}, {0x80, 0xbf}, {0x80, 0xbf}, {0x80, 0xbf}});
    utf8(from, to, new int[][] {{0xf4, 0xf4}, {0x80, 0x8f}, {0x80, 0xbf}, {0x80, 0xbf}});
    return to;
  }

  private void utf8(int from, int to, int[][] ranges) {
    int at = from;
    for (int i = 0; i < ranges.length - 1; i++) {
      at = nfa.bytes(at, ranges[i][0], ranges[i][1]);
    }
    nfa.edge(at, ranges[ranges.length - 1][0], ranges[ranges.length - 1][1], to);
  }

  /** Four hexadecimal digits that are no half of a pair: the writer escapes no pairs. */
  private void unicode(int from, int to) {
    int any = nfa.state();
    nfa.edge(from, '0', '9', any);
    nfa.edge(from, 'a', 'c', any);
    nfa.edge(from, 'e', 'f', any);
    int third = nfa.state();
    hex(any, third);
    int belowPairs = nfa.bytes(from, 'd', 'd');
    nfa.edge(belowPairs, '0', '7', third);
    int fourth = nfa.state();
    hex(third, fourth);
    hex(fourth, to);
  }

  private void hex(int from, int to) {
    nfa.edge(from, '0', '9', to);
    nfa.edge(from, 'a', 'f', to);
  }
}
