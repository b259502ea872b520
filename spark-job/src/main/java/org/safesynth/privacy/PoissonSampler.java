package org.safesynth.privacy;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Arrays;
import org.safesynth.privacy.SecretStreams.Purpose;

/**
 * Poisson sampling: each of n units enters a step with probability q, independently of all others
 * and of all other steps.
 *
 * <p>This is what the accountants assume (Abadi et al. 2016; Mironov, Talwar and Zhang 2019,
 * section 3). Batches of a shuffled order are not: their true loss can exceed the accounted one by
 * far (Chua et al. 2024).
 *
 * <p><b>Exactness.</b> The number of units passed over before the next one taken is geometric: with
 * U uniform in (0, 1) it is the largest k with U &lt; (1 − q)^k. A step costs O(q·n) instead of
 * O(n). Computed in floating point, ⌊ln U / ln(1 − q)⌋ would be wrong where the quotient is within
 * rounding of an integer. So U is a lazily read infinite binary fraction: its first 64 digits and a
 * bound on all errors of the quotient decide nearly always; where the interval holds an integer, U
 * is read further and compared with (1 − q)^k in decimal arithmetic of bounded error until the
 * comparison is certain. q as a double is an exact binary fraction, so each unit is taken with
 * probability exactly q, provided that the stream's bits are uniform.
 */
public final class PoissonSampler {
  private static final int FIRST_DIGITS = 64;

  private final SecretStreams streams;
  private final SamplingRate samplingRate;
  private final long units;
  private final double logStay; // ln(1 - q)
  private final double slack; // tests widen the interval of doubt with it

  /** Samples units 0 … units − 1. */
  public PoissonSampler(SecretStreams streams, SamplingRate samplingRate, long units) {
    this(streams, samplingRate, units, 0);
  }

  PoissonSampler(SecretStreams streams, SamplingRate samplingRate, long units, double slack) {
    if (units < 0) {
      throw new IllegalArgumentException("units must not be negative");
    }
    this.streams = streams;
    this.samplingRate = samplingRate;
    this.units = units;
    this.logStay = Math.log1p(-samplingRate.value());
    this.slack = slack;
  }

  /**
   * The units of a step, in increasing order; often other numbers of them, and now and then none.
   */
  public long[] sample(long step) {
    SecretStream stream = streams.stream(Purpose.UNIT_SAMPLING, step);
    double expected = units * samplingRate.value();
    long[] taken =
        new long[(int) Math.min(units, Math.ceil(expected + 6 * Math.sqrt(expected) + 8))];
    int size = 0;
    long next = 0;
    while (next < units) {
      long skip = skip(stream, units - next);
      if (skip >= units - next) {
        break;
      }
      next += skip;
      if (size == taken.length) {
        taken = Arrays.copyOf(taken, Math.addExact(size, size / 2 + 8));
      }
      taken[size++] = next++;
    }
    return Arrays.copyOf(taken, size);
  }

  /** Units passed over before the next one taken; any number ≥ limit stands for none. */
  private long skip(SecretStream stream, long limit) {
    if (samplingRate.value() == 1) {
      return 0;
    }
    long digits = stream.nextLong();
    // U lies in [digits, digits + 1) / 2^64.
    double uniform = ((digits >>> 1) + 0.5) * 0x1p-63;
    double quotient = Math.log(uniform) / logStay;
    // U is known to 2^-63, the double to 2^-53 of itself; log, log1p and / err by 1 ulp each.
    double error = (0x1p-62 / uniform + 0x1p-51) / -logStay + quotient * 0x1p-50 + slack;
    double low = Math.floor(quotient - error);
    if (low >= limit) {
      return limit;
    }
    if (low >= 0 && low == Math.floor(quotient + error)) {
      return (long) low;
    }
    return skipExactly(stream, digits, Math.max(0, (long) low), limit);
  }

  /** Walks up from a certain lower bound. */
  private long skipExactly(SecretStream stream, long digits, long low, long limit) {
    LazyUniform uniform = new LazyUniform(stream, digits);
    long k = low;
    while (k < limit && uniform.isBelowPower(k + 1)) {
      k++;
    }
    return k;
  }

  /** A uniform number of (0, 1), read as far as its comparisons need. */
  private final class LazyUniform {
    private final SecretStream stream;
    private BigInteger digits;
    private int length = FIRST_DIGITS;

    LazyUniform(SecretStream stream, long first) {
      this.stream = stream;
      this.digits = unsigned(first);
    }

    /** Whether U &lt; (1 − q)^k. */
    boolean isBelowPower(long k) {
      int precision = 60;
      while (true) {
        MathContext context = new MathContext(precision, RoundingMode.HALF_EVEN);
        BigDecimal power = stayed(k, context);
        // Each product errs by 10^(1 - precision) of itself; squaring doubles what was there.
        BigDecimal error = power.scaleByPowerOfTen(22 - precision);
        BigDecimal unit = BigDecimal.ONE.divide(new BigDecimal(BigInteger.TWO.pow(length)));
        BigDecimal lower = new BigDecimal(digits).multiply(unit);
        if (lower.add(unit).compareTo(power.subtract(error)) <= 0) {
          return true;
        }
        if (lower.compareTo(power.add(error)) >= 0) {
          return false;
        }
        digits = digits.shiftLeft(Long.SIZE).or(unsigned(stream.nextLong()));
        length += Long.SIZE;
        precision += 20;
      }
    }

    private BigDecimal stayed(long exponent, MathContext context) {
      BigDecimal base = BigDecimal.ONE.subtract(new BigDecimal(samplingRate.value()));
      BigDecimal power = BigDecimal.ONE;
      for (long bits = exponent; bits > 0; bits >>= 1) {
        if ((bits & 1) == 1) {
          power = power.multiply(base, context);
        }
        base = base.multiply(base, context);
      }
      return power;
    }

    private static BigInteger unsigned(long bits) {
      return BigInteger.valueOf(bits >>> 1).shiftLeft(1).or(BigInteger.valueOf(bits & 1));
    }
  }
}
