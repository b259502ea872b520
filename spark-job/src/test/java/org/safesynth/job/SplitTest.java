package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
final class SplitTest {
  @Test
  void aRatioIsAPartOfTheRows() {
    Split split = Split.of(30_000, 0.05, 2000, 0.05);
    assertEquals(1500, split.holdout());
    assertEquals(1425, split.validation());
    assertEquals(27_075, split.training());
    assertTrue(split.notes().isEmpty());
  }

  @Test
  void theMaximumCapsTheHoldout() {
    assertEquals(2000, Split.of(1_000_000, 0.05, 2000, 0).holdout());
  }

  @Test
  void aNumberFromOneOnIsACount() {
    assertEquals(300, Split.of(5000, 300, 2000, 0).holdout());
    assertEquals(0, Split.of(5000, 1, 2000, 0).holdout());
  }

  @Test
  void zeroMeansNoHoldoutAndNoNote() {
    Split split = Split.of(5000, 0, 2000, 0.05);
    assertEquals(0, split.holdout());
    assertTrue(split.notes().isEmpty());
  }

  @Test
  void aSmallTableIsScaledDownAndSaysSo() {
    Split split = Split.of(100, 50, 2000, 0);
    assertEquals(20, split.holdout());
    assertTrue(split.notes().get(0).contains("20 rows instead of 50"));
  }

  @Test
  void aTinyTableGoesWithoutAndSaysSo() {
    Split split = Split.of(12, 0.2, 2000, 0.05);
    assertEquals(0, split.holdout());
    assertEquals(1, split.notes().size());
    assertEquals(12, split.training() + split.validation());
  }

  @Test
  void oneRowIsTrainedOn() {
    assertEquals(1, Split.of(1, 0.05, 2000, 0.05).training());
  }
}
