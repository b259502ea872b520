package org.safesynth.schema;

import java.util.Locale;

/**
 * The ways to write a time of day without a date, the ticks of which count from midnight. Within a
 * series ticks go on over midnight; what is written is what the clock would show.
 */
public enum TimeOfDay {
  SECONDS("HH:mm:ss", 86_400),
  MINUTES("HH:mm", 1_440);

  private static final int HOURS = 24;
  private static final int SIXTY = 60;

  private final String pattern;
  private final int ticksOfADay;

  TimeOfDay(String pattern, int ticksOfADay) {
    this.pattern = pattern;
    this.ticksOfADay = ticksOfADay;
  }

  /** As java.time writes it. */
  public String pattern() {
    return pattern;
  }

  public int ticksOfADay() {
    return ticksOfADay;
  }

  /** The way of a pattern; null when it is that of something else, or null. */
  public static TimeOfDay ofPattern(String pattern) {
    for (TimeOfDay way : values()) {
      if (way.pattern.equals(pattern)) {
        return way;
      }
    }
    return null;
  }

  /** The way in which a text is written; null when it is no time of day. */
  public static TimeOfDay of(String text) {
    for (TimeOfDay way : values()) {
      if (way.parse(text) != null) {
        return way;
      }
    }
    return null;
  }

  /** Ticks since midnight; null when the text is no time of this form. */
  public Long parse(String text) {
    if (text.length() != pattern.length()) {
      return null;
    }
    long tick = 0;
    for (int at = 0; at < text.length(); at += 3) {
      int number = twoDigits(text, at);
      boolean isApart = at == 0 || text.charAt(at - 1) == ':';
      if (!isApart || number < 0 || number >= (at == 0 ? HOURS : SIXTY)) {
        return null;
      }
      tick = SIXTY * tick + number;
    }
    return tick;
  }

  private static int twoDigits(String text, int at) {
    int tens = text.charAt(at) - '0';
    int ones = text.charAt(at + 1) - '0';
    return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : 10 * tens + ones;
  }

  /** What the clock shows. */
  public String write(long tick) {
    int left = (int) Math.floorMod(tick, (long) ticksOfADay);
    int last = left % SIXTY;
    return this == MINUTES
        ? String.format(Locale.ROOT, "%02d:%02d", left / SIXTY, last)
        : String.format(
            Locale.ROOT, "%02d:%02d:%02d", left / SIXTY / SIXTY, left / SIXTY % SIXTY, last);
  }

  /** A time on the day of another one that is not before it, or else on the next. */
  public long notBefore(long earlier, long tick) {
    long day = Math.floorDiv(earlier, (long) ticksOfADay) * ticksOfADay;
    long sameDay = day + Math.floorMod(tick, (long) ticksOfADay);
    return sameDay < earlier ? sameDay + ticksOfADay : sameDay;
  }
}
