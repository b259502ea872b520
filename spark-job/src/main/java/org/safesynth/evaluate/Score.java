package org.safesynth.evaluate;

/**
 * A score of 0 to 10 with its grade, as the reference gives it.
 *
 * @param rawScore the figure behind it, rounded to 4 decimals; null when unavailable
 * @param grade a word
 * @param score 0 (worst) to 10 (best), one decimal; null when unavailable
 * @param notes why it is unavailable, or what to keep in mind; may be null
 */
public record Score(Double rawScore, String grade, Double score, String notes) {
  private static final String UNAVAILABLE = "Unavailable";
  private static final int RAW_DIGITS = 4;

  /** The words of the five bands, from 0 to 10. */
  public enum Scale {
    QUALITY("Very Poor", "Poor", "Moderate", "Good", "Excellent"),
    PRIVACY("Poor", "Moderate", "Good", "Very Good", "Excellent");

    private final String[] grades;

    Scale(String... grades) {
      this.grades = grades;
    }

    /** The grade of a score of 0 to 10. */
    public String grade(double score) {
      return grades[Math.min(grades.length - 1, (int) Math.floor(score) / 2)];
    }
  }

  /** A score that could be computed: cut to 0 to 10 and graded after it was rounded. */
  public static Score of(Scale scale, double raw, double score) {
    return of(scale, raw, score, null);
  }

  public static Score of(Scale scale, double raw, double score, String notes) {
    double shown = Math.max(0, Math.min(10, NumberForm.round(score, 1)));
    return new Score(NumberForm.round(raw, RAW_DIGITS), scale.grade(shown), shown, notes);
  }

  /**
   * A score that could not be computed.
   *
   * @param reason one sentence: what is lacking
   */
  public static Score unavailable(String reason) {
    return new Score(null, UNAVAILABLE, null, reason);
  }

  public boolean isAvailable() {
    return score != null;
  }
}
