package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.safesynth.evaluate.Score.Scale;

/**
 * Column Distribution Stability: the mean Jensen-Shannon distance of the real table's tabular
 * columns. A column that the synthetic table turned into text counts as wholly different.
 *
 * @param score of all tabular columns
 * @param meanDistance behind it
 * @param columns every shared column, in the table's order
 */
public record ColumnDistribution(Score score, double meanDistance, List<Column> columns)
    implements Finding {
  static final String SCORE = "column_distribution_stability_score";

  /**
   * One column.
   *
   * @param realType what the real values look like
   * @param syntheticType what the synthetic values look like
   * @param distance Jensen-Shannon; NaN when not scored
   * @param score of this column; unavailable when it is not tabular
   * @param histogram null when there is nothing to draw
   */
  public record Column(
      String name,
      ColumnType realType,
      ColumnType syntheticType,
      int realDistinct,
      int syntheticDistinct,
      double realMissing,
      double syntheticMissing,
      double meanLength,
      double distance,
      Score score,
      Histogram histogram) {}

  static ColumnDistribution of(Evidence evidence) {
    List<Column> columns = new ArrayList<>();
    double sum = 0;
    int tabular = 0;
    for (int c = 0; c < evidence.columns(); c++) {
      Column column = column(evidence, c);
      columns.add(column);
      if (evidence.referenceType(c).isTabular()) {
        tabular++;
        sum += column.distance();
      }
    }
    double mean = tabular == 0 ? Double.NaN : sum / tabular;
    Score score =
        tabular == 0
            ? Score.unavailable("No tabular columns detected.")
            : Score.of(Scale.QUALITY, mean, scoreOf(mean));
    return new ColumnDistribution(score, mean, columns);
  }

  private static Column column(Evidence evidence, int c) {
    FrameColumn real = evidence.reference().column(c);
    FrameColumn synthetic = evidence.synthetic().column(c);
    ColumnType realType = evidence.referenceType(c);
    ColumnDistance compared =
        ColumnDistance.of(real, realType, synthetic, evidence.syntheticType(c));
    boolean isRuined = realType.isTabular() && compared.reason() != null;
    double distance = isRuined ? 1 : realType.isTabular() ? compared.distance() : Double.NaN;
    Score score =
        !realType.isTabular()
            ? Score.unavailable("no tabular column: " + compared.reason())
            : Score.of(Scale.QUALITY, distance, scoreOf(distance), compared.reason());
    return new Column(
        real.name(),
        realType,
        evidence.syntheticType(c),
        real.distinct(),
        synthetic.distinct(),
        (double) real.missing() / real.rows(),
        (double) synthetic.missing() / synthetic.rows(),
        meanLength(real),
        distance,
        score,
        compared.histogram());
  }

  private static double meanLength(FrameColumn column) {
    long characters = 0;
    int values = 0;
    for (int row = 0; row < column.rows(); row++) {
      String text = column.text(row);
      if (text != null) {
        characters += text.codePointCount(0, text.length());
        values++;
      }
    }
    return values == 0 ? Double.NaN : (double) characters / values;
  }

  /** The reference's map of a distance to a score; it jumps at both ends. */
  static double scoreOf(double distance) {
    if (distance > 0.99) {
      return 0;
    }
    if (distance < 0.02) {
      return 10;
    }
    return 7.44 * distance * distance - 16.646 * distance + 10.305;
  }

  @Override
  public Map<String, Score> scores() {
    return Map.of(SCORE, score);
  }
}
