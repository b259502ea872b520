package org.safesynth.evaluate;

import java.math.BigDecimal;
import java.math.RoundingMode;

/** Numbers as people and as the reference's Python write and round them. */
public final class NumberForm {
  private NumberForm() {}

  /** The shortest text; whole numbers without a fraction. */
  static String text(double value) {
    if (value == Math.rint(value) && Math.abs(value) < 1e15) {
      return Long.toString((long) value);
    }
    return Double.toString(value);
  }

  /** Rounds the exact binary value, ties to even, as Python's {@code round} does. */
  public static double round(double value, int digits) {
    if (!Double.isFinite(value)) {
      return value;
    }
    return new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).doubleValue();
  }
}
