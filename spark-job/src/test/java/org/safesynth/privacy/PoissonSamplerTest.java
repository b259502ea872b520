package org.safesynth.privacy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** All figures come from fixed keys: a stated error rate is that of choosing the key. */
@Tag("unit")
class PoissonSamplerTest {
  @Test
  void batchSizesAreBinomial() {
    // Chi-square over the sizes, 12 cells of nearly equal probability: rejects a right sampler with
    // probability 1e-4 (quantile of 11 degrees of freedom).
    int units = 200;
    double q = 0.1;
    int draws = 20_000;
    PoissonSampler sampler =
        new PoissonSampler(SecretStreams.withTestKey(11), new SamplingRate(q), units);
    long[] seen = new long[units + 1];
    for (int step = 0; step < draws; step++) {
      seen[sampler.sample(step).length]++;
    }
    assertTrue(chiSquare(seen, binomial(units, q), draws) < Statistics.chiSquareQuantile(1e-4));
  }

  @Test
  void everyUnitIsTakenWithTheSameProbability() {
    int units = 500;
    double q = 0.03;
    int draws = 20_000;
    PoissonSampler sampler =
        new PoissonSampler(SecretStreams.withTestKey(12), new SamplingRate(q), units);
    long[] taken = new long[units];
    for (int step = 0; step < draws; step++) {
      for (long unit : sampler.sample(step)) {
        taken[(int) unit]++;
      }
    }
    // Each count within 5.5 standard deviations: false for a right sampler 500 * 4e-8 = 2e-5.
    double mean = draws * q;
    for (long count : taken) {
      assertEquals(mean, count, 5.5 * Math.sqrt(mean * (1 - q)));
    }
  }

  @Test
  void pairsOfUnitsAreIndependent() {
    int draws = 50_000;
    double q = 0.3;
    PoissonSampler sampler =
        new PoissonSampler(SecretStreams.withTestKey(13), new SamplingRate(q), 3);
    long[] patterns = new long[8];
    for (int step = 0; step < draws; step++) {
      int pattern = 0;
      for (long unit : sampler.sample(step)) {
        pattern |= 1 << unit;
      }
      patterns[pattern]++;
    }
    for (int pattern = 0; pattern < 8; pattern++) {
      int ones = Integer.bitCount(pattern);
      double p = Math.pow(q, ones) * Math.pow(1 - q, 3 - ones);
      // 5 standard deviations: 8 * 6e-7.
      assertEquals(draws * p, patterns[pattern], 5 * Math.sqrt(draws * p * (1 - p)));
    }
  }

  @Test
  void theExactPathDecidesAsTheFastOne() {
    for (double q : new double[] {1e-4, 0.01, 0.5, 0.999}) {
      SamplingRate rate = new SamplingRate(q);
      int units = (int) Math.min(20_000, 40 / q);
      for (int step = 0; step < 20; step++) {
        // With a slack of 1 no skip is certain in floating point: each goes the exact way.
        assertArrayEquals(
            new PoissonSampler(SecretStreams.withTestKey(5), rate, units).sample(step),
            new PoissonSampler(SecretStreams.withTestKey(5), rate, units, 1).sample(step));
      }
    }
  }

  @Test
  void rateOneTakesAll() {
    assertArrayEquals(
        new long[] {0, 1, 2},
        new PoissonSampler(SecretStreams.withTestKey(5), new SamplingRate(1), 3).sample(0));
  }

  @Test
  void noUnitsAndTinyRatesGiveEmptySteps() {
    assertEquals(
        0,
        new PoissonSampler(SecretStreams.withTestKey(5), new SamplingRate(0.5), 0)
            .sample(0)
            .length);
    assertEquals(
        0,
        new PoissonSampler(SecretStreams.withTestKey(5), new SamplingRate(1e-300), 1L << 60)
            .sample(0)
            .length);
  }

  /** Merges neighbouring sizes until a cell expects an even share, then Pearson's statistic. */
  private static double chiSquare(long[] seen, double[] probability, int draws) {
    double statistic = 0;
    double cellProbability = 0;
    long cellSeen = 0;
    int cells = 0;
    for (int k = 0; k < seen.length; k++) {
      cellProbability += probability[k];
      cellSeen += seen[k];
      if (cells < 11 && cellProbability >= 1.0 / 14 || k == seen.length - 1) {
        double expected = cellProbability * draws;
        statistic += (cellSeen - expected) * (cellSeen - expected) / expected;
        cells++;
        cellProbability = 0;
        cellSeen = 0;
      }
    }
    assertTrue(cells >= 9 && cells <= 12);
    return statistic;
  }

  private static double[] binomial(int n, double q) {
    double[] p = new double[n + 1];
    p[0] = Math.pow(1 - q, n);
    for (int k = 1; k <= n; k++) {
      p[k] = p[k - 1] * (n - k + 1) / k * q / (1 - q);
    }
    return p;
  }
}
