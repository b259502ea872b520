package org.safesynth.schema;

/**
 * Reads a date, or a date with a time of day and an offset, from text, without allocating. One
 * object reads many texts; its fields hold the last.
 */
final class TimeText {
  static final long MICROS_PER_DAY = 86_400_000_000L;

  /** Zone of a text without one. */
  static final int NO_ZONE = Integer.MIN_VALUE;

  /** Zone of a text that ends in Z, told from +00:00 since they are not written alike. */
  static final int ZULU = Integer.MAX_VALUE;

  /** Bits of {@link #timeShapes}, each with its java.time pattern. */
  private static final String[] TIME_PATTERNS = {
    "HH:mm", "HH:mm:ss", "H:mm", "H:mm:ss", "hh:mm a", "hh:mm:ss a", "h:mm a", "h:mm:ss a"
  };

  int a;
  int b;
  int c;
  int digitsOfA;
  int digitsOfB;
  int digitsOfC;
  char separator;
  boolean hasTime;

  /** Whether the time is written as ISO 8601 has it. */
  boolean isoTime;

  /** Between date and time: a space or T. */
  char timeSeparator;

  /** Whether the second has digits beyond the sixth that are not zero. */
  boolean isCut;

  int timeShapes;
  long microsOfDay;

  /** Seconds east of UTC, or {@link #NO_ZONE}, or {@link #ZULU}. */
  int zone;

  private byte[] text;
  private int at;
  private int digits; // of the number read last

  static String timePattern(int bit) {
    return TIME_PATTERNS[bit];
  }

  static int allTimeShapes() {
    return (1 << TIME_PATTERNS.length) - 1;
  }

  /**
   * Whether the text is three numbers with one separator, and perhaps a time; not yet a valid date.
   */
  boolean parse(byte[] bytes) {
    if (bytes.length < 8 || bytes.length > 40) {
      return false;
    }
    text = bytes;
    at = 0;
    a = number(4);
    digitsOfA = digits;
    separator = (char) (at < bytes.length ? bytes[at++] : 0);
    b = number(2);
    digitsOfB = digits;
    if (a < 0 || b < 0 || at == bytes.length || bytes[at++] != separator) {
      return false;
    }
    c = number(4);
    digitsOfC = digits;
    zone = NO_ZONE;
    isCut = false;
    microsOfDay = 0;
    hasTime = c >= 0 && at < bytes.length;
    return c >= 0 && (!hasTime || time());
  }

  /** The number that starts here, or -1 when there is none of 1 to {@code most} digits. */
  private int number(int most) {
    int value = 0;
    int start = at;
    while (at < text.length && text[at] >= '0' && text[at] <= '9' && at - start < most) {
      value = value * 10 + text[at++] - '0';
    }
    digits = at - start;
    return digits == 0 ? -1 : value;
  }

  private boolean next(char wanted) {
    if (at < text.length && text[at] == wanted) {
      at++;
      return true;
    }
    return false;
  }

  private boolean time() {
    timeSeparator = (char) text[at++];
    if (timeSeparator != ' ' && timeSeparator != 'T') {
      return false;
    }
    int hour = number(2);
    int hourDigits = digits;
    if (!next(':')) {
      return false;
    }
    int minute = number(2);
    boolean padded = digits == 2;
    int second = 0;
    boolean seconds = next(':');
    if (seconds) {
      second = number(2);
      padded &= digits == 2;
    }
    if (hour < 0
        || hour > 23
        || minute < 0
        || minute > 59
        || second < 0
        || second > 59
        || !padded) {
      return false;
    }
    long fraction = 0;
    boolean fractional = seconds && next('.');
    if (fractional) {
      fraction = fraction();
      if (fraction < 0) {
        return false;
      }
    }
    int half = fractional ? -1 : halfOfDay();
    if (half >= 0) {
      if (hour < 1 || hour > 12) {
        return false;
      }
      hour = hour % 12 + 12 * half;
    }
    boolean zoned = half < 0 && at < text.length;
    if ((zoned && !zone()) || at != text.length) {
      return false;
    }
    isoTime = half < 0 && hourDigits == 2;
    timeShapes = fractional || zoned ? 0 : shapes(hour, hourDigits, seconds, half >= 0);
    microsOfDay = ((hour * 60L + minute) * 60 + second) * 1_000_000 + fraction;
    return true;
  }

  private static int shapes(int hour, int hourDigits, boolean seconds, boolean halves) {
    int shown = halves ? (hour + 11) % 12 + 1 : hour;
    boolean padded = hourDigits == 2;
    boolean plain = hourDigits == (shown > 9 ? 2 : 1);
    int base = (halves ? 4 : 0) + (seconds ? 1 : 0);
    return (padded ? 1 << base : 0) | (plain ? 1 << (base + 2) : 0);
  }

  /** Micros of a second; digits beyond the sixth are cut off, as Spark does. */
  private long fraction() {
    long micros = 0;
    int start = at;
    while (at < text.length && text[at] >= '0' && text[at] <= '9') {
      if (at - start < 6) {
        micros = micros * 10 + text[at] - '0';
      } else {
        isCut |= text[at] != '0';
      }
      at++;
    }
    int read = at - start;
    for (int i = read; i < 6; i++) {
      micros *= 10;
    }
    return read == 0 || read > 9 ? -1 : micros;
  }

  /** 0 for AM, 1 for PM, -1 for neither. */
  private int halfOfDay() {
    if (at + 3 != text.length || text[at] != ' ' || text[at + 2] != 'M') {
      return -1;
    }
    int half = text[at + 1] == 'A' ? 0 : text[at + 1] == 'P' ? 1 : -1;
    at += half < 0 ? 0 : 3;
    return half;
  }

  private boolean zone() {
    if (next('Z')) {
      zone = ZULU;
      return true;
    }
    int sign = next('+') ? 1 : next('-') ? -1 : 0;
    int hours = number(2);
    if (sign == 0 || digits != 2) {
      return false;
    }
    int minutes = 0;
    if (at < text.length) {
      next(':');
      minutes = number(2);
      if (digits != 2) {
        return false;
      }
    }
    zone = sign * (hours * 3600 + minutes * 60);
    return hours <= 18 && minutes <= 59;
  }

  /** Seconds east of UTC; 0 when the text has no zone. */
  int offsetSeconds() {
    return zone == NO_ZONE || zone == ZULU ? 0 : zone;
  }

  /** Micros since the epoch, UTC when there is a zone, of a date on this day. */
  long micros(long days) {
    return days * MICROS_PER_DAY + microsOfDay - offsetSeconds() * 1_000_000L;
  }

  /** The three numbers as one, the same for the same date in the same format. */
  long packed() {
    return a * 100_000_000L + b * 10_000L + c;
  }

  static boolean isDate(int year, int month, int day) {
    if (year < 1 || month < 1 || month > 12 || day < 1) {
      return false;
    }
    boolean leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int last =
        month == 2
            ? (leap ? 29 : 28)
            : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
    return day <= last;
  }

  /** Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant's days_from_civil). */
  static long epochDay(int year, int month, int day) {
    long y = month <= 2 ? year - 1L : year;
    long era = Math.floorDiv(y, 400L);
    long yearOfEra = y - era * 400;
    long dayOfYear = (153L * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    long dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
    return era * 146_097 + dayOfEra - 719_468;
  }
}
