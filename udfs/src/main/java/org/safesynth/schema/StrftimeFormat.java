package org.safesynth.schema;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.ResolverStyle;
import java.time.format.SignStyle;
import java.time.temporal.ChronoField;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAccessor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A way to write dates, alone or with times, named by strftime's codes: reads texts of this form,
 * whatever their letters' case, and writes them.
 */
public final class StrftimeFormat {
  /** Codes that are others together, as the C locale has them. */
  private static final Map<String, String> TOGETHER =
      Map.of(
          "%F", "%Y-%m-%d",
          "%D", "%m/%d/%y",
          "%x", "%m/%d/%y",
          "%T", "%H:%M:%S",
          "%X", "%H:%M:%S",
          "%R", "%H:%M",
          "%r", "%I:%M:%S %p",
          "%c", "%a %b %e %H:%M:%S %Y",
          "%h", "%b");

  private static final String KNOWN =
      "%Y %y %m %d %e %j %b %B %a %A %H %I %p %M %S %f %z, %-m %-d %-H %-I without a leading zero, %^b %^B %^a %^A in capitals";

  private static final List<String> MONTHS =
      List.of(
          "January",
          "February",
          "March",
          "April",
          "May",
          "June",
          "July",
          "August",
          "September",
          "October",
          "November",
          "December");

  private static final List<String> DAYS =
      List.of("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday");

  private static final int SHORT = 3;

  /** As in Python, two digits from 69 on are years of the twentieth century. */
  private static final LocalDate FIRST_OF_TWO_DIGITS = LocalDate.of(1969, 1, 1);

  private static final long MICROS_OF_A_MILLISECOND = 1_000;
  private static final int DIGITS_OF_MILLISECONDS = 3;
  private static final int DIGITS_OF_MICROSECONDS = 6;

  private final Set<Character> letters = new HashSet<>();
  private final List<String> parts; // a code, or a literal text
  private final DateTimeFormatter reader;
  private final DateTimeFormatter writer;
  private final DateTimeFormatter millisecondWriter;

  private StrftimeFormat(String codes) {
    this.parts = parts(expanded(codes));
    for (String part : parts) {
      if (isCode(part)) {
        letters.add(letter(part));
      }
    }
    this.reader = reader();
    this.writer = writer(DIGITS_OF_MICROSECONDS);
    this.millisecondWriter = writer(DIGITS_OF_MILLISECONDS);
  }

  /** Whether a column's format is named by codes, and not by a pattern of letters. */
  public static boolean isNamedBy(String format) {
    return format != null && format.indexOf('%') >= 0;
  }

  /**
   * The form that codes name.
   *
   * @throws IllegalArgumentException when they are none that can be read, as {@link #fault} says
   */
  public static StrftimeFormat of(String codes) {
    String fault = fault(codes);
    if (fault != null) {
      throw new IllegalArgumentException(codes + " " + fault);
    }
    return new StrftimeFormat(codes);
  }

  /** The same form in codes that stand for one thing each. */
  public static String expanded(String codes) {
    StringBuilder all = new StringBuilder();
    for (String part : parts(codes)) {
      all.append(TOGETHER.getOrDefault(part, part));
    }
    return all.toString();
  }

  /** What keeps codes from naming a whole date; null when nothing does. */
  public static String fault(String codes) {
    Set<Character> letters = new HashSet<>();
    for (String part : parts(expanded(codes))) {
      if (!isCode(part)) {
        continue;
      }
      if (!isKnown(part)) {
        return "has %s, which is not read; known are %s".formatted(part, KNOWN);
      }
      letters.add(letter(part));
    }
    boolean hasDay =
        letters.contains('j')
            || (letters.contains('d') && (letters.contains('m') || letters.contains('b')));
    if (!letters.contains('Y') && !hasDay && letters.contains('H') && !letters.contains('d')) {
      return "has no date, and times of day alone are read as %H:%M:%S or %H:%M";
    }
    if (!letters.contains('Y') || !hasDay) {
      return "has no whole date: it needs the year (%Y or %y) and the day (%d with %m, %b or %B; or %j)";
    }
    if (letters.contains('I') != letters.contains('p')) {
      return "has only one of %I and %p, which tell the hour together";
    }
    boolean hasHour = letters.contains('H') || letters.contains('I');
    boolean isWhole =
        (!letters.contains('f') || letters.contains('S'))
            && (!letters.contains('S') || letters.contains('M'))
            && (!letters.contains('M') || hasHour)
            && (!letters.contains('z') || hasHour);
    return isWhole ? null : "has a time without its hour or minute";
  }

  private static List<String> parts(String codes) {
    List<String> parts = new ArrayList<>();
    int at = 0;
    while (at < codes.length()) {
      int end = at + 1;
      if (codes.charAt(at) == '%') {
        boolean hasFlag = end < codes.length() && "-^:".indexOf(codes.charAt(end)) >= 0;
        end = Math.min(codes.length(), end + (hasFlag ? 2 : 1));
      }
      parts.add(codes.substring(at, end));
      at = end;
    }
    return parts;
  }

  private static boolean isCode(String part) {
    return part.charAt(0) == '%' && !part.equals("%%");
  }

  private static boolean isKnown(String code) {
    return switch (code) {
      case "%-m", "%-d", "%-H", "%-I", "%^b", "%^B", "%^a", "%^A", "%:z" -> true;
      default -> code.length() == 2 && "YymdejbBaAHIpPMSfz".indexOf(code.charAt(1)) >= 0;
    };
  }

  /** One letter for all codes of the same field. */
  private static char letter(String code) {
    char last = code.charAt(code.length() - 1);
    return switch (last) {
      case 'y' -> 'Y';
      case 'e' -> 'd';
      case 'B' -> 'b';
      case 'P' -> 'p';
      default -> last;
    };
  }

  boolean hasTime() {
    return letters.contains('H') || letters.contains('I');
  }

  /** DATE or TIMESTAMP, as the codes tell. */
  public ColumnKind kind() {
    return hasTime() ? ColumnKind.TIMESTAMP : ColumnKind.DATE;
  }

  /** Microseconds of the finest part that is written. */
  long resolutionMicros() {
    Resolution finest =
        letters.contains('f')
            ? Resolution.MICROSECOND
            : letters.contains('S')
                ? Resolution.SECOND
                : letters.contains('M') ? Resolution.MINUTE : Resolution.HOUR;
    return finest.micros();
  }

  /** Whether a number of these digits is never written with a zero before it. */
  boolean isNumber() {
    return parts.get(0).equals("%Y")
        && parts.stream().allMatch(part -> isCode(part) && "YmdjHMS".indexOf(letter(part)) >= 0)
        && parts.stream().allMatch(part -> part.length() == 2);
  }

  /** Microseconds since the epoch, UTC where the text tells its offset; null for other texts. */
  Long micros(String text) {
    try {
      TemporalAccessor time = reader.parse(text);
      boolean hasOffset = time.isSupported(ChronoField.OFFSET_SECONDS);
      if (letters.contains('z') && !hasOffset) {
        return null;
      }
      long offset = hasOffset ? time.getLong(ChronoField.OFFSET_SECONDS) : 0;
      return time.getLong(ChronoField.EPOCH_DAY) * TimeText.MICROS_PER_DAY
          + time.getLong(ChronoField.MICRO_OF_DAY)
          - offset * Resolution.SECOND.micros();
    } catch (DateTimeException e) {
      return null;
    }
  }

  /** Days since the epoch; null for other texts. */
  Long days(String text) {
    Long micros = micros(text);
    return micros == null ? null : (Long) Math.floorDiv(micros, TimeText.MICROS_PER_DAY);
  }

  /**
   * The text of a time, in UTC.
   *
   * @param resolutionMicros of the column: milliseconds are written with three digits
   */
  String write(long micros, long resolutionMicros) {
    OffsetDateTime time = Instant.EPOCH.plus(micros, ChronoUnit.MICROS).atOffset(ZoneOffset.UTC);
    boolean isMilliseconds = resolutionMicros == MICROS_OF_A_MILLISECOND;
    return (isMilliseconds ? millisecondWriter : writer).format(time);
  }

  private DateTimeFormatter reader() {
    DateTimeFormatterBuilder builder = new DateTimeFormatterBuilder().parseCaseInsensitive();
    for (String part : parts) {
      switch (part) {
        case "%f" ->
            builder.appendFraction(ChronoField.NANO_OF_SECOND, 1, DIGITS_OF_MICROSECONDS, false);
        case "%z", "%:z" -> {
          for (String offset : List.of("+HH:MM", "+HHMM", "+HH")) {
            builder.optionalStart().appendOffset(offset, "Z").optionalEnd();
          }
        }
        default -> append(part, builder);
      }
    }
    if (!hasTime()) {
      builder.parseDefaulting(ChronoField.HOUR_OF_DAY, 0);
    }
    return builder
        .parseDefaulting(ChronoField.MINUTE_OF_HOUR, 0)
        .parseDefaulting(ChronoField.SECOND_OF_MINUTE, 0)
        .parseDefaulting(ChronoField.NANO_OF_SECOND, 0)
        .toFormatter(Locale.ROOT)
        .withResolverStyle(ResolverStyle.STRICT);
  }

  private DateTimeFormatter writer(int digits) {
    DateTimeFormatterBuilder builder = new DateTimeFormatterBuilder();
    for (String part : parts) {
      switch (part) {
        case "%f" -> builder.appendFraction(ChronoField.NANO_OF_SECOND, digits, digits, false);
        case "%z" -> builder.appendOffset("+HHMM", "+0000");
        case "%:z" -> builder.appendOffset("+HH:MM", "+00:00");
        default -> append(part, builder);
      }
    }
    return builder.toFormatter(Locale.ROOT);
  }

  private static void append(String part, DateTimeFormatterBuilder builder) {
    switch (part) {
      case "%%" -> builder.appendLiteral('%');
      case "%Y" -> builder.appendValue(ChronoField.YEAR, 4);
      case "%y" -> builder.appendValueReduced(ChronoField.YEAR, 2, 2, FIRST_OF_TWO_DIGITS);
      case "%m" -> builder.appendValue(ChronoField.MONTH_OF_YEAR, 2);
      case "%-m" -> oneOrTwo(builder, ChronoField.MONTH_OF_YEAR);
      case "%d" -> builder.appendValue(ChronoField.DAY_OF_MONTH, 2);
      case "%-d" -> oneOrTwo(builder, ChronoField.DAY_OF_MONTH);
      case "%e" -> oneOrTwo(builder.padNext(2), ChronoField.DAY_OF_MONTH);
      case "%j" -> builder.appendValue(ChronoField.DAY_OF_YEAR, 3);
      case "%H" -> builder.appendValue(ChronoField.HOUR_OF_DAY, 2);
      case "%-H" -> oneOrTwo(builder, ChronoField.HOUR_OF_DAY);
      case "%I" -> builder.appendValue(ChronoField.CLOCK_HOUR_OF_AMPM, 2);
      case "%-I" -> oneOrTwo(builder, ChronoField.CLOCK_HOUR_OF_AMPM);
      case "%p" -> builder.appendText(ChronoField.AMPM_OF_DAY, Map.of(0L, "AM", 1L, "PM"));
      case "%P" -> builder.appendText(ChronoField.AMPM_OF_DAY, Map.of(0L, "am", 1L, "pm"));
      case "%M" -> builder.appendValue(ChronoField.MINUTE_OF_HOUR, 2);
      case "%S" -> builder.appendValue(ChronoField.SECOND_OF_MINUTE, 2);
      default -> {
        char last = part.charAt(part.length() - 1);
        if (!isCode(part)) {
          builder.appendLiteral(part);
        } else if (Character.toLowerCase(last) == 'b') {
          builder.appendText(ChronoField.MONTH_OF_YEAR, names(MONTHS, part));
        } else {
          builder.appendText(ChronoField.DAY_OF_WEEK, names(DAYS, part));
        }
      }
    }
  }

  private static void oneOrTwo(DateTimeFormatterBuilder builder, ChronoField field) {
    builder.appendValue(field, 1, 2, SignStyle.NOT_NEGATIVE);
  }

  /** Names as the code wants them, by their numbers from 1 on. */
  private static Map<Long, String> names(List<String> names, String code) {
    boolean isWhole = Character.isUpperCase(code.charAt(code.length() - 1));
    Map<Long, String> written = new TreeMap<>();
    for (String name : names) {
      String cut = isWhole ? name : name.substring(0, SHORT);
      written.put(written.size() + 1L, code.charAt(1) == '^' ? cut.toUpperCase(Locale.ROOT) : cut);
    }
    return written;
  }
}
