package org.safesynth.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.function.LongSupplier;
import java.util.function.LongToDoubleFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.privacy.SecretStreams.Purpose;

/** All figures come from fixed keys: a stated level is that of choosing the key. */
@Tag("unit")
class DiscreteNoiseTest {
  private static final int DRAWS = 200_000;

  @Test
  void laplaceHasItsProbabilities() {
    for (long[] scale : new long[][] {{1, 1}, {1, 3}, {7, 2}, {40, 1}}) {
      DiscreteLaplace laplace = new DiscreteLaplace(scale[0], scale[1]);
      SecretStream stream =
          SecretStreams.withTestKey(31).stream(Purpose.COUNT_NOISE, scale[0], scale[1]);
      double t = laplace.scale();
      assertFits(() -> laplace.draw(stream), x -> Math.exp(-Math.abs(x) / t), (long) (40 * t) + 2);
    }
  }

  @Test
  void gaussianHasItsProbabilities() {
    for (double sigma : new double[] {0.25, 0.5, 1, 2.7, 19.3}) {
      DiscreteGaussian gaussian = new DiscreteGaussian(sigma);
      SecretStream stream =
          SecretStreams.withTestKey(32).stream(Purpose.COUNT_NOISE, (long) (100 * sigma));
      double s = gaussian.sigma();
      assertFits(
          () -> gaussian.draw(stream),
          x -> Math.exp(-0.5 * x * x / (s * s)),
          (long) (10 * sigma) + 3);
    }
  }

  @Test
  void neverLessNoiseThanAskedFor() {
    for (double sigma : new double[] {1e-9, 0.3, 1, 1.0001, 1e6 + 0.1}) {
      double drawnWith = new DiscreteGaussian(sigma).sigma();
      assertTrue(drawnWith >= sigma && drawnWith <= sigma + 0x1p-10);
    }
    for (double epsilon : new double[] {1e-6, 0.1, 1 / 3.0, 1, 7.7}) {
      double scale = DiscreteLaplace.hiding(3, new Epsilon(epsilon)).scale();
      assertTrue(scale >= 3 / epsilon);
      assertEquals(1, scale * epsilon / 3, 1e-5);
    }
  }

  @Test
  void fractionsOfAnySizeDecideACoinExactly() {
    SecretStream stream = SecretStreams.withTestKey(33).stream(Purpose.COUNT_NOISE);
    BigInteger huge = BigInteger.TWO.pow(200);
    int heads = 0;
    for (int i = 0; i < DRAWS; i++) {
      if (ExactBernoulli.expMinus(
          huge.multiply(BigInteger.valueOf(3)), huge.shiftLeft(1), stream)) {
        heads++;
      }
    }
    double p = Math.exp(-1.5);
    assertEquals(DRAWS * p, heads, 5 * Math.sqrt(DRAWS * p * (1 - p)));
  }

  /** Pearson's chi-square at level 1e-4, over all values that expect at least 10 draws. */
  private static void assertFits(LongSupplier draw, LongToDoubleFunction weight, long reach) {
    double total = 0;
    for (long x = -reach; x <= reach; x++) {
      total += weight.applyAsDouble(x);
    }
    int[] seen = new int[(int) (2 * reach + 1)];
    for (int i = 0; i < DRAWS; i++) {
      seen[(int) Math.max(0, Math.min(2 * reach, draw.getAsLong() + reach))]++;
    }
    double statistic = 0;
    double restExpected = 0;
    double restSeen = 0;
    int cells = 0;
    for (long x = -reach; x <= reach; x++) {
      double expected = DRAWS * weight.applyAsDouble(x) / total;
      int count = seen[(int) (x + reach)];
      if (expected < 10) {
        restExpected += expected;
        restSeen += count;
      } else {
        statistic += (count - expected) * (count - expected) / expected;
        cells++;
      }
    }
    if (restExpected >= 5) {
      statistic += (restSeen - restExpected) * (restSeen - restExpected) / restExpected;
      cells++;
    } else {
      assertTrue(restSeen <= restExpected + 5 * Math.sqrt(restExpected) + 5);
    }
    double found = statistic;
    int degrees = cells - 1;
    assertTrue(
        statistic < Statistics.chiSquareQuantile(degrees, 1e-4),
        () -> "chi-square %s of %d cells".formatted(found, degrees + 1));
  }
}
