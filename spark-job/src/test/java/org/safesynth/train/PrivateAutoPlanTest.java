package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.model.FieldDecoderConfig;

@Tag("unit")
final class PrivateAutoPlanTest {
  private static final AutoPlan.Wishes NONE = AutoPlan.Wishes.automatic(0, 600);

  private static AutoPlan.Wishes wishes(Integer hidden, Integer batch, Double rate, Double seen) {
    return new AutoPlan.Wishes(hidden, null, batch, rate, 0, seen, 600, false);
  }

  @Test
  void aStepTakesATenthOfTheRecordsWithinBounds() {
    assertEquals(3_907.4, PrivateAutoPlan.batch(39_074, NONE), 1e-9);
    assertEquals(256, PrivateAutoPlan.batch(1_000, NONE), 1e-9);
    assertEquals(16_384, PrivateAutoPlan.batch(1e9, NONE), 1e-9);
    assertEquals(100, PrivateAutoPlan.batch(200, NONE), 1e-9, "half of a tiny table");
    assertEquals(1, PrivateAutoPlan.batch(1, NONE), 1e-9);
    assertEquals(512, PrivateAutoPlan.batch(39_074, wishes(null, 512, null, null)), 1e-9);
    assertEquals(500, PrivateAutoPlan.batch(1_000, wishes(null, 900, null, null)), 1e-9);
  }

  @Test
  void aLargerBudgetBuysMoreStepsUpToALimit() {
    long before = 0;
    for (double epsilon = 0.1; epsilon < 20; epsilon += 0.1) {
      long steps = PrivateAutoPlan.steps(epsilon, 1_000, NONE);
      assertTrue(steps >= before && steps >= 40 && steps <= 100, steps + " at " + epsilon);
      before = steps;
    }
    assertEquals(100, before);
    assertEquals(7, PrivateAutoPlan.steps(1, 1_000, wishes(null, null, null, 7_000.0)));
    assertEquals(1, PrivateAutoPlan.steps(1, 1_000, wishes(null, null, null, 3.0)));
  }

  @Test
  void aSmallerBudgetLeavesMoreToNoisyCounts() {
    double before = 1;
    double ofGroupsBefore = 1;
    for (double epsilon = 0.1; epsilon < 20; epsilon += 0.1) {
      double share = PrivateAutoPlan.marginalShare(epsilon);
      double ofGroups = PrivateAutoPlan.groupMarginalShare(epsilon);
      assertTrue(share <= before && share > 0 && share < 1, share + " at " + epsilon);
      assertTrue(ofGroups <= ofGroupsBefore && ofGroups <= share, ofGroups + " at " + epsilon);
      before = share;
      ofGroupsBefore = ofGroups;
    }
  }

  @Test
  void binsGrowWithRecordsAndBudget() {
    assertEquals(8, PrivateAutoPlan.bins(100, 1));
    assertEquals(32, PrivateAutoPlan.bins(39_074, 8));
    assertTrue(PrivateAutoPlan.bins(20_000, 1) < PrivateAutoPlan.bins(20_000, 4));
    assertTrue(PrivateAutoPlan.bins(5_000, 1) < PrivateAutoPlan.bins(20_000, 1));
  }

  @Test
  void theDecoderIsSmallUnlessAskedFor() {
    FieldDecoderConfig automatic = PrivateAutoPlan.decoder(List.of(3, 5), NONE);
    assertEquals(32, automatic.hiddenSize());
    assertEquals(2, automatic.numLayers());
    FieldDecoderConfig asked = PrivateAutoPlan.decoder(List.of(3, 5), wishes(64, null, null, null));
    assertEquals(64, asked.hiddenSize());
    assertEquals(4, asked.numHeads());
    assertEquals(1, PrivateAutoPlan.decoder(List.of(3), wishes(20, null, null, null)).numHeads());
    assertEquals(5e-4, PrivateAutoPlan.learningRate(wishes(null, null, 5e-4, null)), 0);
  }
}
