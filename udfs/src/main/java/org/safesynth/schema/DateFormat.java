package org.safesynth.schema;

import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The usual ways to write a day in digits, the first that fits all values of a column first. */
enum DateFormat {
  ISO("yyyy-MM-dd", '-', 0, true),
  YEAR_SLASH("yyyy/MM/dd", '/', 0, true),
  YEAR_DOT("yyyy.MM.dd", '.', 0, true),
  MONTH_SLASH("MM/dd/yyyy", '/', 1, true),
  DAY_SLASH("dd/MM/yyyy", '/', 2, true),
  MONTH_SLASH_SHORT("M/d/yyyy", '/', 1, false),
  DAY_SLASH_SHORT("d/M/yyyy", '/', 2, false),
  DAY_DOT("dd.MM.yyyy", '.', 2, true),
  DAY_DOT_SHORT("d.M.yyyy", '.', 2, false),
  MONTH_DASH("MM-dd-yyyy", '-', 1, true),
  DAY_DASH("dd-MM-yyyy", '-', 2, true);

  static final int ALL = (1 << values().length) - 1;

  private static final DateFormat[] FORMATS = values();

  private final String pattern;
  private final char separator;
  private final int first; // 0 year, 1 month, 2 day
  private final boolean padded;

  DateFormat(String pattern, char separator, int first, boolean padded) {
    this.pattern = pattern;
    this.separator = separator;
    this.first = first;
    this.padded = padded;
  }

  String pattern() {
    return pattern;
  }

  /** The format of a pattern; ISO 8601 when there is none. */
  static DateFormat ofPattern(String pattern) {
    for (DateFormat format : FORMATS) {
      if (format.pattern.equals(pattern)) {
        return format;
      }
    }
    return ISO;
  }

  /** Whether the pattern is one of these. */
  static boolean isKnown(String pattern) {
    return pattern == null || ofPattern(pattern) != ISO || pattern.equals(ISO.pattern);
  }

  /** All patterns, for errors. */
  static String patterns() {
    return Arrays.stream(FORMATS).map(format -> format.pattern).collect(Collectors.joining(", "));
  }

  static String write(String pattern, LocalDate day) {
    return day.format(DateTimeFormatter.ofPattern(ofPattern(pattern).pattern, Locale.ROOT));
  }

  static DateFormat at(int bit) {
    return FORMATS[bit];
  }

  /** Days since 1970-01-01 of a date in this format, or null when it is not one. */
  Long days(TimeText text) {
    if (text.separator != separator) {
      return null;
    }
    int shortest = padded ? 2 : 1;
    boolean yearFirst = first == 0;
    int year = yearFirst ? text.a : text.c;
    int month = first == 1 ? text.a : text.b;
    int day = yearFirst ? text.c : first == 1 ? text.b : text.a;
    int monthDigits = first == 1 ? text.digitsOfA : text.digitsOfB;
    int dayDigits = yearFirst ? text.digitsOfC : first == 1 ? text.digitsOfB : text.digitsOfA;
    if ((yearFirst ? text.digitsOfA : text.digitsOfC) != 4
        || monthDigits != Math.max(shortest, month > 9 ? 2 : 1)
        || dayDigits != Math.max(shortest, day > 9 ? 2 : 1)) {
      return null;
    }
    return TimeText.isDate(year, month, day) ? (Long) TimeText.epochDay(year, month, day) : null;
  }
}
