package org.safesynth.codec;

/**
 * The texts of dates and times, or times of day, between two bounds, as part of an automaton: ISO
 * 8601 with a year of four digits, where the order of texts is that of times, and only days that
 * the calendar has.
 */
final class TimeSteps implements ByteNfa.Steps<TimeSteps.At> {
  static final At FIRST = new At(0, 0, 0, true, true);

  private static final String FORM = "yyyy-MM-ddTHH:mm:ss.ffffff";
  private static final String BEFORE_HOUR = "yyyy-MM-ddT";
  private static final int MONTH = 5;
  private static final int DAY = 8;
  private static final int HOUR = 11;
  private static final int MINUTE = 14;
  private static final int SECOND = 17;

  /** Where a time of day begins. */
  static final At HOUR_OF_A_DAY = new At(HOUR, 0, 0, true, true);

  private final String low;
  private final String high;
  private final boolean hasMinutes;

  /**
   * @param place characters read so far
   * @param year what is known of the year: whether it is a leap year once it has been read
   * @param part the digit before, or the number of the month once it has been read
   * @param isLow whether the characters so far are those of the lower bound
   * @param isHigh whether they are those of the upper one
   */
  record At(int place, int year, int part, boolean isLow, boolean isHigh) {}

  /**
   * @param low least text
   * @param high greatest text, of the same length
   * @param hasMinutes whether minutes may be other than 00
   */
  TimeSteps(String low, String high, boolean hasMinutes) {
    this.low = low;
    this.high = high;
    this.hasMinutes = hasMinutes;
  }

  /** Times of day, from {@link #HOUR_OF_A_DAY} on. */
  static TimeSteps ofDay(String low, String high) {
    return new TimeSteps(BEFORE_HOUR + low, BEFORE_HOUR + high, true);
  }

  @Override
  public boolean isEnd(At at) {
    return at.place() == low.length();
  }

  @Override
  public At step(At at, int read) {
    int place = at.place();
    if (place == low.length()
        || (at.isLow() && read < low.charAt(place))
        || (at.isHigh() && read > high.charAt(place))) {
      return null;
    }
    char form = FORM.charAt(place);
    boolean isDigit = Character.isLetter(form) && form != 'T';
    if (!isDigit) {
      return read == form ? moved(at, read, at.year(), at.part()) : null;
    }
    int digit = read - '0';
    if (digit < 0 || digit > 9) {
      return null;
    }
    if (place < MONTH) {
      return moved(at, read, year(at.year(), place, digit), 0);
    }
    int two = at.part() * 10 + digit;
    return switch (place) {
      case MONTH -> movedIf(digit <= 1, at, read, at.year(), digit);
      case MONTH + 1 ->
          movedIf(two >= 1 && two <= 12, at, read, at.year(), lengthOf(two, at.year()));
      // From here, what is known of the year is the month's length; of the part, the day's tens.
      case DAY -> movedIf(digit <= 3, at, read, at.part(), digit);
      case DAY + 1 -> movedIf(two >= 1 && two <= at.year(), at, read, 0, 0);
      case HOUR -> movedIf(digit <= 2, at, read, 0, digit);
      case HOUR + 1 -> movedIf(two <= 23, at, read, 0, 0);
      case MINUTE -> movedIf(digit <= (hasMinutes ? 5 : 0), at, read, 0, 0);
      case MINUTE + 1 -> movedIf(hasMinutes || digit == 0, at, read, 0, 0);
      case SECOND -> movedIf(digit <= 5, at, read, 0, 0);
      default -> moved(at, read, 0, 0);
    };
  }

  private At movedIf(boolean isAllowed, At at, int read, int year, int part) {
    return isAllowed ? moved(at, read, year, part) : null;
  }

  private At moved(At at, int read, int year, int part) {
    int place = at.place();
    return new At(
        place + 1,
        year,
        part,
        at.isLow() && read == low.charAt(place),
        at.isHigh() && read == high.charAt(place));
  }

  /**
   * What must be remembered of a year whose digits are read one by one: in the end 1 for a leap
   * year, else 0. Before: the first digit's parity, whether the century is divisible by 4 (bit 2),
   * and with it the third digit's parity (bit 0) and whether it is zero (bit 1).
   */
  private static int year(int known, int place, int digit) {
    return switch (place) {
      case 0 -> digit % 2;
      case 1 -> (2 * known + digit) % 4 == 0 ? 4 : 0;
      case 2 -> known | digit % 2 | (digit == 0 ? 2 : 0);
      default -> {
        boolean isCentury = (known & 2) != 0 && digit == 0;
        boolean isFourth = (2 * (known & 1) + digit) % 4 == 0;
        yield (isCentury ? (known & 4) != 0 : isFourth) ? 1 : 0;
      }
    };
  }

  private static int lengthOf(int month, int leap) {
    return switch (month) {
      case 2 -> 28 + leap;
      case 4, 6, 9, 11 -> 30;
      default -> 31;
    };
  }
}
