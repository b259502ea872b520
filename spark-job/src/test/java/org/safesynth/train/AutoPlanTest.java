package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class AutoPlanTest {
  private static final AutoPlan.Wishes AUTO = AutoPlan.Wishes.automatic(0.05, 600);

  @Test
  void atTheMeasuredTableItGivesTheMeasuredRecipe() {
    TrainingPlan plan = AutoPlan.plan(39_074, 16, AUTO, 1);
    assertEquals(256, plan.batchSize());
    assertEquals(1_954, plan.validationRecords());
    assertEquals(12.5, plan.passes(), 0.01);
    assertEquals(3e-3, plan.learningRate(), 1e-12);
    assertEquals(0.4, plan.mostMasked(), 1e-12);
    assertEquals(64, plan.microBatchSize());
  }

  @Test
  void everySizeOfTableGetsAPlanThatCanRun() {
    for (long records : new long[] {1, 2, 10, 39, 40, 200, 1_000, 10_000, 1_000_000, 100_000_000}) {
      for (int positions : new int[] {1, 16, 1_000}) {
        TrainingPlan plan = AutoPlan.plan(records, positions, AUTO, 1);
        assertEquals(records, plan.records() + plan.validationRecords());
        assertTrue(plan.records() >= 1);
        assertTrue(plan.batchSize() >= 1 && plan.batchSize() <= plan.records());
        assertTrue(plan.microBatchSize() >= 1);
        assertTrue(plan.steps() >= 1);
        assertTrue(plan.evaluationSteps() >= 1);
      }
    }
  }

  @Test
  void aNumberOfRecordsBoundsThePasses() {
    AutoPlan.Wishes bounded =
        new AutoPlan.Wishes(null, null, null, null, 0.05, 80_000.0, 600, false);
    TrainingPlan plan = AutoPlan.plan(39_074, 16, bounded, 1);
    assertEquals(80_000, plan.steps() * plan.batchSize(), plan.batchSize());
  }

  @Test
  void aScheduleIsShortenedToItsTime() {
    TrainingPlan plan = AutoPlan.plan(5_000_000, 16, AUTO, 1);
    TrainingPlan within = AutoPlan.withinTime(plan, 10_000);
    assertTrue(within.steps() * within.batchSize() / 10_000.0 <= 0.9 * 600 + 1);
    assertSame(within, AutoPlan.withinTime(within, 10_000_000));
  }

  @Test
  void theLearningRateWarmsUpAndEndsAtZero() {
    TrainingPlan plan = AutoPlan.plan(39_074, 16, AUTO, 1);
    assertEquals(plan.learningRate(), plan.learningRateAt(plan.warmupSteps() - 1), 1e-12);
    assertTrue(plan.learningRateAt(0) < plan.learningRate() / 50);
    assertEquals(0, plan.learningRateAt(plan.steps()), 1e-12);
  }
}
