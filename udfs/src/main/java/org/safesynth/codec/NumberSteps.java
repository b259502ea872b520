package org.safesynth.codec;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * The texts of decimal numbers between two bounds, as parts of an automaton: digit by digit, as
 * long as all digits so far are those of a bound, the next one is bounded too.
 */
final class NumberSteps implements ByteNfa.Steps<NumberSteps.At> {
  private final String low; // (digits) with the fraction, without the point
  private final String high; // (digits)
  private final int whole; // digits before the point
  private final boolean isDecimal;

  /**
   * @param digits read so far
   * @param point whether the point has been read
   * @param isLow whether the digits so far are those of the lower bound
   * @param isHigh whether they are those of the upper one
   */
  record At(int digits, boolean point, boolean isLow, boolean isHigh) {}

  private NumberSteps(String low, String high, int whole, boolean isDecimal) {
    this.low = low;
    this.high = high;
    this.whole = whole;
    this.isDecimal = isDecimal;
  }

  /**
   * Adds the numbers from {@code min} to {@code max}, in ticks of 10^-scale.
   *
   * @param scale digits after the point, 0 or more
   * @param isDecimal whether a point and a digit behind it are always written
   */
  static int add(
      ByteNfa nfa, int from, BigInteger min, BigInteger max, int scale, boolean isDecimal) {
    List<IntUnaryOperator> parts = new ArrayList<>();
    if (max.signum() >= 0) {
      parts.add(at -> magnitudes(nfa, at, min.max(BigInteger.ZERO), max, scale, isDecimal));
    }
    if (min.signum() < 0) {
      BigInteger least = max.signum() < 0 ? max.negate() : BigInteger.ONE;
      parts.add(at -> magnitudes(nfa, nfa.literal(at, "-"), least, min.negate(), scale, isDecimal));
    }
    return nfa.anyOf(from, parts);
  }

  private static int magnitudes(
      ByteNfa nfa, int from, BigInteger min, BigInteger max, int scale, boolean isDecimal) {
    List<IntUnaryOperator> lengths = new ArrayList<>();
    BigInteger unit = BigInteger.TEN.pow(scale);
    int longest = max.divide(unit).toString().length();
    for (int whole = min.divide(unit).toString().length(); whole <= longest; whole++) {
      BigInteger least =
          whole == 1 ? BigInteger.ZERO : unit.multiply(BigInteger.TEN.pow(whole - 1));
      BigInteger most = unit.multiply(BigInteger.TEN.pow(whole)).subtract(BigInteger.ONE);
      int digits = whole + scale;
      NumberSteps steps =
          new NumberSteps(
              padded(least.max(min), digits), padded(most.min(max), digits), whole, isDecimal);
      lengths.add(at -> nfa.explore(at, new At(0, false, true, true), steps));
    }
    return nfa.anyOf(from, lengths);
  }

  private static String padded(BigInteger value, int digits) {
    String text = value.toString();
    return "0".repeat(digits - text.length()) + text;
  }

  @Override
  public At step(At at, int read) {
    if (read == '.') {
      return isDecimal && at.digits() == whole && !at.point()
          ? new At(at.digits(), true, at.isLow(), at.isHigh())
          : null;
    }
    if (read < '0' || read > '9' || (at.digits() == whole && !at.point())) {
      return null;
    }
    if (at.digits() == low.length()) { // a decimal of scale 0 ends in .0
      return isDecimal && low.length() == whole && read == '0'
          ? new At(at.digits() + 1, true, at.isLow(), at.isHigh())
          : null;
    }
    if (at.digits() > low.length()
        || (at.isLow() && read < low.charAt(at.digits()))
        || (at.isHigh() && read > high.charAt(at.digits()))) {
      return null;
    }
    return new At(
        at.digits() + 1,
        at.point(),
        at.isLow() && read == low.charAt(at.digits()),
        at.isHigh() && read == high.charAt(at.digits()));
  }

  /** Digits that are left out behind the point are zeros. */
  @Override
  public boolean isEnd(At at) {
    if (!isDecimal) {
      return at.digits() == whole;
    }
    if (at.digits() <= whole) {
      return false;
    }
    for (int i = at.digits(); at.isLow() && i < low.length(); i++) {
      if (low.charAt(i) != '0') {
        return false;
      }
    }
    return true;
  }
}
