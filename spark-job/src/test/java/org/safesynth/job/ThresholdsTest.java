package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.evaluate.Score;

@Tag("unit")
final class ThresholdsTest {
  private static final Map<String, Score> SCORES =
      Map.of(
          "synthetic_data_quality_score", Score.of(Score.Scale.QUALITY, 0.1, 7.04),
          "data_privacy_score", Score.unavailable("there is no holdout"));

  @Test
  void aScoreAtItsThresholdIsEnough() {
    assertEquals(List.of(), Thresholds.shortfalls(Map.of("quality", 7.0), SCORES));
    assertEquals(List.of(), Thresholds.shortfalls(Map.of(), SCORES));
  }

  @Test
  void aLowerScoreFailsByEitherName() {
    for (String name : List.of("quality", "synthetic_data_quality_score")) {
      assertEquals(
          List.of("evaluation.fail_below: " + name + " is 7.0, below 7.5"),
          Thresholds.shortfalls(Map.of(name, 7.5), SCORES));
    }
  }

  @Test
  void aScoreThatIsNotThereFails() {
    String sentence = Thresholds.shortfalls(Map.of("privacy", 0.0), SCORES).get(0);
    assertTrue(
        sentence.contains("privacy must be at least 0.0 and is unavailable: there is no holdout"));
  }
}
