package org.safesynth.evaluate;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.safesynth.evaluate.Score.Scale;

/** Data Privacy Score: the mean of the attacks' scores, the worst possible 0 among them. */
public record PrivacyScore(Score score) implements Finding {
  static final String SCORE = "data_privacy_score";

  static PrivacyScore of(Findings findings) {
    List<Double> scores =
        Stream.of(MembershipInference.SCORE, AttributeInference.SCORE)
            .map(findings::score)
            .flatMap(Optional::stream)
            .toList();
    if (scores.isEmpty()) {
      return new PrivacyScore(Score.unavailable("no attack could be made"));
    }
    double mean = scores.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    String note = scores.size() < 2 ? "from one attack only, the other is unavailable" : null;
    return new PrivacyScore(Score.of(Scale.PRIVACY, mean, mean, note));
  }

  @Override
  public Map<String, Score> scores() {
    return Map.of(SCORE, score);
  }
}
