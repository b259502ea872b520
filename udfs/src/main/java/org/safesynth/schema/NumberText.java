package org.safesynth.schema;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;

/**
 * Reads a decimal number from text, without allocating: the digits as a long and where the point
 * stands. One object reads many texts; its fields hold the last.
 */
final class NumberText {
  private static final long[] POWERS = powers();

  /** Whether it is written as whole numbers are: digits with an optional sign only. */
  boolean whole;

  /** Whether there is neither a plus sign nor a leading zero. */
  boolean canonical;

  boolean scientific;

  /** Whether the digits fit {@link #mantissa}. */
  boolean exact;

  /** The significant digits, without trailing zeros, signed. */
  long mantissa;

  /** The value is mantissa * 10^-decimals; negative for 1200 (12 * 10^2). */
  int decimals;

  /** Digits after the point as written. */
  int writtenDecimals;

  /** Digits before the point as written. */
  int integerDigits;

  private byte[] text;

  private static long[] powers() {
    long[] powers = new long[19];
    powers[0] = 1;
    for (int i = 1; i < powers.length; i++) {
      powers[i] = powers[i - 1] * 10;
    }
    return powers;
  }

  /** Whether the text is a number: sign, digits with at most one point, exponent. */
  boolean parse(byte[] bytes) {
    text = bytes;
    int length = bytes.length;
    int at = 0;
    boolean negative = false;
    canonical = true;
    scientific = false;
    whole = true;
    exact = true;
    if (length > 0 && (bytes[0] == '-' || bytes[0] == '+')) {
      negative = bytes[0] == '-';
      canonical = negative;
      at = 1;
    }
    int start = at;
    int zeros = 0; // zeros read that no other digit has followed yet
    int fraction = 0;
    integerDigits = 0;
    long digits = 0; // negated, since Long.MIN_VALUE has no counterpart
    for (; at < length; at++) {
      int digit = bytes[at] - '0';
      if (digit >= 0 && digit <= 9) {
        if (whole) {
          integerDigits++;
        } else {
          fraction++;
        }
        if (digit == 0) {
          zeros += digits == 0 && exact ? 0 : 1;
        } else if (zeros < 18 && exact && digits >= (Long.MIN_VALUE + digit) / POWERS[zeros + 1]) {
          digits = digits * POWERS[zeros + 1] - digit;
          zeros = 0;
        } else {
          exact = false;
        }
      } else if (bytes[at] == '.' && whole) {
        whole = false;
      } else {
        break;
      }
    }
    if (integerDigits + fraction == 0) {
      return false;
    }
    if (integerDigits > 1 && bytes[start] == '0') {
      canonical = false;
    }
    int exponent = 0;
    if (at < length) {
      exponent = exponent(at);
      if (exponent == Integer.MIN_VALUE) {
        return false;
      }
      scientific = true;
      whole = false;
    }
    writtenDecimals = fraction;
    mantissa = negative ? digits : -digits;
    if (digits == Long.MIN_VALUE && !negative) {
      exact = false;
    }
    decimals = digits == 0 ? 0 : fraction - zeros - exponent;
    return true;
  }

  /** The exponent that starts here, or Integer.MIN_VALUE when there is none. */
  private int exponent(int from) {
    int at = from;
    if ((text[at] != 'e' && text[at] != 'E') || ++at == text.length) {
      return Integer.MIN_VALUE;
    }
    boolean negative = text[at] == '-';
    at += negative || text[at] == '+' ? 1 : 0;
    int digits = text.length - at;
    if (digits < 1 || digits > 4) {
      return Integer.MIN_VALUE;
    }
    int value = 0;
    for (; at < text.length; at++) {
      int digit = text[at] - '0';
      if (digit < 0 || digit > 9) {
        return Integer.MIN_VALUE;
      }
      value = value * 10 + digit;
    }
    return negative ? -value : value;
  }

  /** Whether the value is a whole number that fits a long. */
  boolean fitsLong() {
    return exact && decimals <= 0 && scaled(mantissa, -decimals) != null;
  }

  /** The value in ticks of 10^-scale, rounded half away from zero; null when it fits no long. */
  Long ticks(int scale) {
    if (!exact) {
      return ticks(new BigDecimal(new String(text, StandardCharsets.US_ASCII)), scale);
    }
    return scaled(mantissa, (long) scale - decimals);
  }

  /** Whether {@link #ticks} of this scale is the value itself, not rounded. */
  boolean hasScale(int scale) {
    return exact && decimals <= scale;
  }

  /** The absolute value, to about double precision. */
  double magnitude() {
    return exact && decimals >= 0 && decimals <= 18
        ? Math.abs((double) mantissa) / POWERS[decimals]
        : Math.abs(Double.parseDouble(new String(text, StandardCharsets.US_ASCII)));
  }

  /** value * 10^shift, rounded half away from zero, or null when it fits no long. */
  static Long scaled(long value, long shift) {
    if (shift == 0 || value == 0) {
      return value;
    }
    if (shift > 0) {
      if (shift > 18) {
        return null;
      }
      long power = POWERS[(int) shift];
      long product = value * power;
      return product / power == value && Math.multiplyHigh(value, power) == product >> 63
          ? (Long) product
          : null;
    }
    if (shift < -18) {
      boolean roundsToOne = shift == -19 && value / POWERS[18] / 5 != 0;
      return roundsToOne ? (long) Long.signum(value) : 0L;
    }
    long power = POWERS[(int) -shift];
    long rest = value % power;
    long quotient = value / power;
    return Math.abs(rest) >= power - Math.abs(rest) ? quotient + Long.signum(value) : quotient;
  }

  static Long ticks(BigDecimal value, int scale) {
    if (value.signum() != 0 && (long) value.precision() - value.scale() + scale > 19) {
      return null;
    }
    BigDecimal scaled = value.setScale(scale, RoundingMode.HALF_UP);
    return scaled.unscaledValue().bitLength() <= 63
        ? (Long) scaled.unscaledValue().longValue()
        : null;
  }
}
