package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.evaluate.Score.Scale;

@Tag("unit")
final class ScoreTest {
  @Test
  void numbersAreRoundedAsPythonDoes() {
    assertEquals(2.67, NumberForm.round(2.675, 2)); // the double lies below
    assertEquals(0.5, NumberForm.round(0.45, 1)); // the double lies above
    assertEquals(2.0, NumberForm.round(2.5, 0));
    assertEquals(4.0, NumberForm.round(3.5, 0));
    assertEquals(0.1235, NumberForm.round(0.12345678, 4));
  }

  @Test
  void bandsAreTwoPointsWideAndTakenFromTheRoundedScore() {
    assertEquals("Excellent", Score.of(Scale.QUALITY, 0, 7.96).grade());
    assertEquals("Good", Score.of(Scale.QUALITY, 0, 7.94).grade());
    assertEquals("Moderate", Score.of(Scale.QUALITY, 0, 4).grade());
    assertEquals("Poor", Score.of(Scale.QUALITY, 0, 2).grade());
    assertEquals("Very Poor", Score.of(Scale.QUALITY, 0, 1.9).grade());
    assertEquals("Excellent", Score.of(Scale.PRIVACY, 0, 11).grade());
    assertEquals("Very Good", Score.of(Scale.PRIVACY, 0, 6).grade());
    assertEquals("Good", Score.of(Scale.PRIVACY, 0, 4).grade());
    assertEquals("Moderate", Score.of(Scale.PRIVACY, 0, 2).grade());
    assertEquals("Poor", Score.of(Scale.PRIVACY, 0, -1).grade());
    assertEquals(0.0, Score.of(Scale.PRIVACY, 0, -1).score());
    assertEquals(10.0, Score.of(Scale.PRIVACY, 0, 11).score());
  }

  @Test
  void anUnavailableScoreHasNoNumber() {
    Score score = Score.unavailable("why");
    assertNull(score.score());
    assertNull(score.rawScore());
    assertEquals("Unavailable", score.grade());
    assertEquals("why", score.notes());
  }
}
