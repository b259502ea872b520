package org.safesynth.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

@Tag("unit")
class JsonlGrammarTest {
  private static final JsonlCodec CODEC =
      new JsonlCodec(Records.SCHEMA, Map.of(), List.of("</s>", "<|im_end|>"));
  private static final ByteDfa DFA = JsonlGrammar.of(CODEC, new byte[] {' '});
  private static final Pattern HALF_PAIR = Pattern.compile("\\\\ud[89a-f]");

  @Provide
  Arbitrary<Object[]> records() {
    return Records.records();
  }

  private static boolean accepts(ByteDfa dfa, String text) {
    int end = dfa.next(0, text.getBytes(StandardCharsets.UTF_8));
    return end != ByteDfa.NONE && dfa.isAccepting(end);
  }

  @Property(tries = 1000, edgeCases = EdgeCasesMode.NONE)
  void whateverTheCodecWritesIsOfTheLanguage(@ForAll("records") Object[] record) {
    String text = CODEC.encode(record);
    Assume.that(!HALF_PAIR.matcher(text).find()); // Spark's texts have none
    assertTrue(accepts(DFA, " " + text + "\n"), text);
  }

  /** Random walks through the automaton, each byte as likely as any other that is allowed. */
  @Test
  void whateverIsOfTheLanguageIsAValidRecord() {
    SplittableRandom random = new SplittableRandom(1);
    for (int walk = 0; walk < 2000; walk++) {
      byte[] text = walk(DFA, random);
      String record = new String(text, StandardCharsets.UTF_8);
      assertFalse(record.contains("\ufffd"), record);
      JsonlCodec.Decoded decoded = CODEC.decode(record.strip());
      assertNull(decoded.rejection(), record);
      // Values read are those that would be written: the language has no second meaning.
      assertArrayEquals(
          decoded.cells(), CODEC.decode(CODEC.encode(decoded.cells())).cells(), record);
    }
  }

  private static byte[] walk(ByteDfa dfa, SplittableRandom random) {
    java.io.ByteArrayOutputStream text = new java.io.ByteArrayOutputStream();
    int state = 0;
    while (!dfa.isAccepting(state)) {
      if (text.size() > 400) {
        text.writeBytes(dfa.shortestEnd(state));
        return text.toByteArray();
      }
      int read = random.nextInt(256);
      if (dfa.next(state, read) != ByteDfa.NONE) {
        state = dfa.next(state, read);
        text.write(read);
      }
    }
    return text.toByteArray();
  }

  private static ByteDfa of(ColumnSchema column, Map<String, Integer> lengths) {
    return JsonlGrammar.of(
        new JsonlCodec(new FrozenSchema(List.of(column)), lengths, List.of()), new byte[0]);
  }

  private static ColumnSchema column(String type, ColumnKind kind, int scale, Long min, Long max) {
    return new ColumnSchema("a", type, kind, false, scale, 0, null, min, max, null, 0);
  }

  private static boolean isValue(ByteDfa dfa, String value) {
    return accepts(dfa, "{\"a\":" + value + "}\n");
  }

  @Property(tries = 100)
  void wholeNumbersAreThoseOfTheRange(
      @ForAll @LongRange(min = -3000, max = 3000) long a,
      @ForAll @LongRange(min = -3000, max = 3000) long b) {
    long min = Math.min(a, b);
    long max = Math.max(a, b);
    ByteDfa dfa = of(column("bigint", ColumnKind.INTEGER, 0, min, max), Map.of());
    for (long x = -3100; x <= 3100; x += 7) {
      assertEquals(x >= min && x <= max, isValue(dfa, Long.toString(x)), min + " " + max + " " + x);
    }
    for (long x : new long[] {min, max, min - 1, max + 1}) {
      assertEquals(x >= min && x <= max, isValue(dfa, Long.toString(x)), min + " " + max + " " + x);
    }
    assertFalse(isValue(dfa, "-0"));
    assertFalse(isValue(dfa, "00"));
  }

  @Property(tries = 100)
  void decimalsAreThoseOfTheRange(
      @ForAll @LongRange(min = -3000, max = 3000) long a,
      @ForAll @LongRange(min = -3000, max = 3000) long b) {
    long min = Math.min(a, b);
    long max = Math.max(a, b);
    ByteDfa dfa = of(column("double", ColumnKind.DECIMAL, 2, min, max), Map.of());
    for (long x = -3100; x <= 3100; x += 7) {
      boolean expected = x >= min && x <= max;
      assertEquals(expected, isValue(dfa, JsonlColumn.decimal(x, 2)), min + " " + max + " " + x);
      assertEquals(
          expected && x != 0 || x == 0 && expected,
          isValue(dfa, new BigDecimal(x).movePointLeft(2).setScale(2).toPlainString()));
    }
    assertFalse(isValue(dfa, "1"));
    assertFalse(isValue(dfa, "1.001"));
  }

  @Test
  void datesAreThoseOfTheCalendarAndTheRange() {
    ByteDfa all = of(column("date", ColumnKind.DATE, 0, null, null), Map.of());
    long min = LocalDate.parse("1999-12-30").toEpochDay();
    long max = LocalDate.parse("2001-03-01").toEpochDay();
    ByteDfa some = of(column("date", ColumnKind.DATE, 0, min, max), Map.of());
    for (int year : new int[] {1, 4, 1899, 1900, 1999, 2000, 2001, 2004, 2100, 9999}) {
      for (int month = 0; month <= 13; month++) {
        for (int day = 0; day <= 32; day++) {
          String text = "%04d-%02d-%02d".formatted(year, month, day);
          Long value = day(text);
          assertEquals(value != null, isValue(all, '"' + text + '"'), text);
          boolean within = value != null && value >= min && value <= max;
          assertEquals(within, isValue(some, '"' + text + '"'), text);
        }
      }
    }
  }

  private static Long day(String text) {
    try {
      return LocalDate.parse(text).toEpochDay();
    } catch (java.time.DateTimeException e) {
      return null;
    }
  }

  private static ColumnSchema ofDay(String pattern, Long min, Long max) {
    return new ColumnSchema(
        "a", "string", ColumnKind.INTEGER, false, 0, 0, pattern, min, max, null, 0);
  }

  @Test
  void timesOfDayAreThoseOfTheClockAndTheRangeOverMidnight() {
    ByteDfa all = of(ofDay("HH:mm", null, null), Map.of());
    long from = 22 * 60 + 5;
    long to = 24 * 60 + 2 * 60 + 30;
    ByteDfa night = of(ofDay("HH:mm", from, to), Map.of());
    ByteDfa later = of(ofDay("HH:mm", from + 1440, to + 1440), Map.of());
    ByteDfa day = of(ofDay("HH:mm", 9 * 60L, 17 * 60L), Map.of());
    ByteDfa whole = of(ofDay("HH:mm", from, from + 1439), Map.of());
    for (int hour = 0; hour < 30; hour++) {
      for (int minute = 0; minute < 70; minute++) {
        String text = "\"%02d:%02d\"".formatted(hour, minute);
        boolean isTime = hour < 24 && minute < 60;
        int tick = 60 * hour + minute;
        boolean isOfNight = tick >= from || tick <= to - 1440;
        assertEquals(isTime, isValue(all, text), text);
        assertEquals(isTime, isValue(whole, text), text);
        assertEquals(isTime && isOfNight, isValue(night, text), text);
        assertEquals(isTime && isOfNight, isValue(later, text), text);
        assertEquals(isTime && tick >= 540 && tick <= 1020, isValue(day, text), text);
      }
    }
    ByteDfa seconds = of(ofDay("HH:mm:ss", null, null), Map.of());
    assertTrue(isValue(seconds, "\"23:59:59\""));
    assertFalse(isValue(seconds, "\"23:59:60\""));
    assertFalse(isValue(seconds, "\"23:59\""));
    assertFalse(isValue(seconds, "100"));
  }

  @Test
  void declaredValuesAndLengthsAreTheOnlyOnes() {
    ColumnSchema category =
        column("string", ColumnKind.CATEGORICAL, 0, null, null)
            .withDomain(null, null, List.of("yes", "no/\"x\""));
    ByteDfa declared = of(category, Map.of());
    assertTrue(isValue(declared, "\"yes\""));
    assertTrue(isValue(declared, "\"no/\\\"x\\\"\""));
    assertFalse(isValue(declared, "\"ye\""));
    assertFalse(isValue(declared, "null"));
    ByteDfa limited = of(column("string", ColumnKind.TEXT, 0, null, null), Map.of("a", 2));
    assertTrue(isValue(limited, "\"\""));
    assertTrue(isValue(limited, "\"😀\\n\""));
    assertFalse(isValue(limited, "\"abc\""));
  }
}
