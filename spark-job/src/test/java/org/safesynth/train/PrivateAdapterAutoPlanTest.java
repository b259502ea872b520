package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.privacy.NoiseMultiplier;
import org.safesynth.privacy.SamplingRate;

@Tag("unit")
final class PrivateAdapterAutoPlanTest {
  @Test
  void theWorkIsCutIntoFewStepsOfManyRecords() {
    double batch = PrivateAdapterAutoPlan.batch(30_000, 25_000, null);
    assertEquals(500, batch);
    assertEquals(50, PrivateAdapterAutoPlan.steps(25_000, batch));
  }

  @Test
  void aBatchHasAtLeast32RecordsAndAtMostHalfOfAll() {
    assertEquals(32, PrivateAdapterAutoPlan.batch(30_000, 320, null));
    assertEquals(10, PrivateAdapterAutoPlan.steps(320, 32));
    assertEquals(100, PrivateAdapterAutoPlan.batch(200, 25_000, null));
    assertEquals(250, PrivateAdapterAutoPlan.steps(25_000, 100));
  }

  @Test
  void theLearningRateFallsWhereNoiseIsMostOfAStep() {
    PrivatePlan clear = plan(500, 50, 0.6);
    assertEquals(5e-4, PrivateAdapterAutoPlan.learningRate(5e-4, clear, 3_686_400));
    PrivatePlan faint = plan(32, 10, 0.4); // 32 sqrt(10) / (0.4 * 1920) / 3 = 0.0439
    assertEquals(2.196e-5, PrivateAdapterAutoPlan.learningRate(5e-4, faint, 3_686_400), 1e-8);
    assertEquals(faint.steps(), faint.withLearningRate(1).steps());
    assertEquals(1, faint.withLearningRate(1).learningRate());
  }

  private static PrivatePlan plan(double batch, long steps, double noise) {
    return new PrivatePlan(
        new SamplingRate(0.01),
        batch,
        new NoiseMultiplier(noise),
        1,
        steps,
        1,
        5e-4,
        1,
        0.01,
        0.95);
  }

  @Test
  void whatTheUserAsksForCounts() {
    assertEquals(8, PrivateAdapterAutoPlan.batch(30_000, 25_000, 8));
    assertTrue(PrivateAdapterAutoPlan.steps(1, 8) >= 1);
  }
}
