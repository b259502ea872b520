package org.safesynth.evaluate;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.safesynth.evaluate.Score.Scale;

/**
 * Column Correlation Stability: how far the two tables' correlation matrices are apart. Row i,
 * column j of a matrix says what knowing i tells of j.
 *
 * @param columns the real table's tabular columns
 * @param real (columns, columns)
 * @param synthetic (columns, columns)
 */
public record ColumnCorrelation(
    Score score, double meanDifference, List<String> columns, double[][] real, double[][] synthetic)
    implements Finding {
  static final String SCORE = "column_correlation_stability_score";

  static Finding of(Evidence evidence) {
    int[] columns =
        IntStream.range(0, evidence.columns())
            .filter(c -> evidence.referenceType(c).isTabular())
            .toArray();
    if (columns.length < 2) {
      return Unavailable.of("correlations need two tabular columns or more", SCORE);
    }
    boolean[] nominal = new boolean[columns.length];
    for (int i = 0; i < columns.length; i++) {
      nominal[i] = evidence.referenceType(columns[i]).isNominal();
    }
    double[][] real = AssociationMatrix.of(evidence.reference(), columns, nominal);
    double[][] synthetic = AssociationMatrix.of(evidence.synthetic(), columns, nominal);
    double difference = meanDifference(real, synthetic);
    return new ColumnCorrelation(
        Score.of(Scale.QUALITY, difference, scoreOf(difference)),
        difference,
        IntStream.of(columns).mapToObj(evidence::name).toList(),
        real,
        synthetic);
  }

  /** Mean over the columns of the mean over the rows; the diagonal's zeros are among them. */
  private static double meanDifference(double[][] real, double[][] synthetic) {
    double sum = 0;
    for (int j = 0; j < real.length; j++) {
      double column = 0;
      for (int i = 0; i < real.length; i++) {
        column += Math.abs(real[i][j] - synthetic[i][j]);
      }
      sum += column / real.length;
    }
    return sum / real.length;
  }

  /** The reference's map of a mean difference to a score; it jumps at both ends. */
  static double scoreOf(double difference) {
    if (difference > 0.46) {
      return 0;
    }
    if (difference < 0.01) {
      return 10;
    }
    return 37.562 * difference * difference - 35.643 * difference + 10.056;
  }

  @Override
  public Map<String, Score> scores() {
    return Map.of(SCORE, score);
  }
}
