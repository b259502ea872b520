package org.safesynth.privacy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** All figures come from fixed keys: a stated level is that of choosing the key. */
@Tag("unit")
class GaussianNoiseTest {
  private static final double SIGMA = 0.7;
  private static final double CLIP = 3;

  private static GaussianNoise noise(long key, int size) {
    return new GaussianNoise(
        SecretStreams.withTestKey(key), new NoiseMultiplier(SIGMA), CLIP, size);
  }

  @Test
  void isNormalWithTheClipNormsDeviation() {
    double[] drawn = noise(1, 400_000).draw(0);
    double statistic = Statistics.kolmogorov(drawn, x -> Statistics.normal(x / (SIGMA * CLIP)));
    // Kolmogorov and Smirnov at level 1e-4.
    assertTrue(statistic < Statistics.kolmogorovQuantile(1e-4), () -> "KS " + statistic);
  }

  @Test
  void aDeviationOfTwoPerCentWouldBeSeen() {
    double[] drawn = noise(1, 400_000).draw(0);
    double statistic =
        Statistics.kolmogorov(drawn, x -> Statistics.normal(x / (1.02 * SIGMA * CLIP)));
    assertTrue(statistic > Statistics.kolmogorovQuantile(1e-4), () -> "KS " + statistic);
  }

  @Test
  void hasTheTailsOfTheNormal() {
    double[] drawn = noise(2, 4_000_000).draw(0);
    for (double at : new double[] {3, 4, 4.5}) {
      long beyond = 0;
      for (double x : drawn) {
        if (Math.abs(x) > at * SIGMA * CLIP) {
          beyond++;
        }
      }
      double expected = 2 * (1 - Statistics.normal(at)) * drawn.length;
      // 5 standard deviations of a Poisson count: below 1e-5 for the three.
      assertEquals(expected, beyond, 5 * Math.sqrt(expected) + 1);
    }
  }

  @Test
  void neighbouringCoordinatesAreUncorrelated() {
    double[] drawn = noise(3, 1_000_000).draw(0);
    for (int lag : new int[] {1, 2, GaussianNoise.CHUNK}) {
      double sum = 0;
      double squares = 0;
      for (int i = 0; i + lag < drawn.length; i++) {
        sum += drawn[i] * drawn[i + lag];
        squares += drawn[i] * drawn[i] * drawn[i + lag] * drawn[i + lag];
      }
      assertEquals(0, sum, 5 * SIGMA * SIGMA * CLIP * CLIP * Math.sqrt(drawn.length));
      // Squares too: uncorrelated normals with a common radius would fail here.
      double fourth = squares / drawn.length / Math.pow(SIGMA * CLIP, 4);
      assertEquals(1, fourth, 5 * Math.sqrt(8.0 / drawn.length));
    }
  }

  @Test
  void threadsDoNotChangeIt() {
    double[] alone = noise(4, 50_001).draw(9);
    for (int threads : new int[] {1, 2, 7}) {
      ExecutorService executor = Executors.newFixedThreadPool(threads);
      try {
        assertArrayEquals(alone, noise(4, 50_001).drawAhead(9, executor).join());
      } finally {
        executor.shutdown();
      }
    }
  }

  @Test
  void aStepIsDrawnOnce() {
    GaussianNoise noise = noise(5, 10);
    noise.draw(1);
    assertThrows(IllegalStateException.class, () -> noise.draw(1));
    noise.draw(2);
  }

  @Test
  void sumAndNoiseMeetOnOneGridExactly() {
    GaussianNoise noise = noise(6, 3);
    double[] drawn = noise.draw(0);
    double grid = noise.grid();
    double[] sum = {0.1, -1e3, 5e-324};
    double[] expected = {Math.rint(0.1 / grid) * grid + drawn[0], -1e3 + drawn[1], drawn[2]};
    noise.addTo(sum, drawn);
    assertArrayEquals(expected, sum);
    for (double value : sum) {
      assertEquals(value, Math.rint(value / grid) * grid);
    }
    assertEquals(SIGMA * CLIP, noise.std(), 1e-15);
    assertTrue(grid <= noise.std() * 0x1p-36 && grid > noise.std() * 0x1p-38);
  }

  @Test
  void hugeSumsAreClampedBeforeTheyOutgrowExactAddition() {
    GaussianNoise noise = noise(7, 2);
    double[] sum = {1e300, Double.NEGATIVE_INFINITY};
    double[] drawn = noise.draw(0);
    noise.addTo(sum, drawn);
    assertArrayEquals(
        new double[] {noise.mostOfASum() + drawn[0], -noise.mostOfASum() + drawn[1]}, sum);
  }

  @Test
  void aSumThatIsNoNumberIsRefused() {
    GaussianNoise noise = noise(8, 1);
    assertThrows(
        IllegalArgumentException.class,
        () -> noise.addTo(new double[] {Double.NaN}, noise.draw(0)));
  }

  @Test
  void aClipNormMustBePositive() {
    for (double clip : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThrows(
          IllegalArgumentException.class,
          () -> new GaussianNoise(SecretStreams.withTestKey(1), new NoiseMultiplier(1), clip, 1));
    }
  }
}
