package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.safesynth.evaluate.Score.Scale;

/**
 * Deep Structure Stability: both tables are projected on the two directions in which the real one
 * varies most, and the projections' distributions are compared.
 *
 * @param distances Jensen-Shannon distance of each component
 * @param explained share of the real table's variance that each component has
 * @param columns that took part
 * @param realPoints (points, 2) some rows of the real sample, for a plot
 * @param syntheticPoints (points, 2) likewise
 */
public record DeepStructure(
    Score score,
    double[] distances,
    double[] explained,
    List<String> columns,
    double[][] realPoints,
    double[][] syntheticPoints)
    implements Finding {
  static final String SCORE = "deep_structure_stability_score";
  private static final int COMPONENTS = 2;
  private static final int POINTS = 1_000;

  static Finding of(Evidence evidence) {
    List<double[]> real = new ArrayList<>(); // columns of (rows)
    List<double[]> synthetic = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (int c = 0; c < evidence.columns(); c++) {
      ColumnType realType = evidence.referenceType(c);
      ColumnType syntheticType = evidence.syntheticType(c);
      FrameColumn realColumn = evidence.reference().column(c);
      FrameColumn syntheticColumn = evidence.synthetic().column(c);
      if (!realType.isTabular() || !syntheticType.isTabular()) {
        continue;
      }
      if (realType.isNominal()) {
        Categories categories = Categories.of(realColumn, syntheticColumn);
        double[] counts = categories.realCounts();
        real.add(Arrays.stream(categories.real()).mapToDouble(code -> counts[code]).toArray());
        synthetic.add(
            Arrays.stream(categories.synthetic()).mapToDouble(code -> counts[code]).toArray());
        names.add(evidence.name(c));
      } else if (syntheticType == ColumnType.NUMERIC) {
        real.add(filled(realColumn));
        synthetic.add(filled(syntheticColumn));
        names.add(evidence.name(c));
      }
    }
    int rows = evidence.reference().rows();
    if (names.size() < COMPONENTS || rows < COMPONENTS) {
      return Unavailable.of(
          "principal components need two rows and two columns that are tabular in both tables",
          SCORE);
    }
    return compare(evidence, real, synthetic, names);
  }

  private static DeepStructure compare(
      Evidence evidence, List<double[]> real, List<double[]> synthetic, List<String> names) {
    for (int c = 0; c < names.size(); c++) {
      standardise(real.get(c), synthetic.get(c));
    }
    double[][] realRows = transposed(real);
    double[][] syntheticRows = transposed(synthetic);
    PrincipalComponents components =
        PrincipalComponents.fit(evidence.spark(), realRows, COMPONENTS);
    double[][] realProjected = components.project(realRows);
    double[][] syntheticProjected = components.project(syntheticRows);
    double[] distances = new double[COMPONENTS];
    for (int k = 0; k < COMPONENTS; k++) {
      NumericBins bins = NumericBins.doane(realProjected[k], syntheticProjected[k]);
      distances[k] =
          JensenShannon.distance(bins.count(realProjected[k]), bins.count(syntheticProjected[k]));
    }
    double raw = (distances[0] + distances[1]) / 2;
    return new DeepStructure(
        Score.of(Scale.QUALITY, raw, 10 * Math.exp(-1.6 * raw)),
        distances,
        components.explained(),
        names,
        points(realProjected),
        points(syntheticProjected));
  }

  /** Numbers with the column's own median where they are missing; whole in a whole column. */
  private static double[] filled(FrameColumn column) {
    double[] sorted = column.sortedNumbers();
    int middle = sorted.length / 2;
    double median =
        sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    double fill = column.storage() == Storage.INTEGER ? (double) (long) median : median;
    double[] numbers = new double[column.rows()];
    for (int row = 0; row < numbers.length; row++) {
      numbers[row] = column.isMissing(row) ? fill : column.number(row);
    }
    return numbers;
  }

  private static void standardise(double[] real, double[] synthetic) {
    double mean = Arrays.stream(real).sum() / real.length;
    double variance = Arrays.stream(real).map(x -> (x - mean) * (x - mean)).sum() / real.length;
    double scale = variance > 0 ? Math.sqrt(variance) : 1;
    for (int row = 0; row < real.length; row++) {
      real[row] = (real[row] - mean) / scale;
    }
    for (int row = 0; row < synthetic.length; row++) {
      synthetic[row] = (synthetic[row] - mean) / scale;
    }
  }

  private static double[][] transposed(List<double[]> columns) {
    double[][] rows = new double[columns.get(0).length][columns.size()];
    for (int c = 0; c < columns.size(); c++) {
      for (int row = 0; row < rows.length; row++) {
        rows[row][c] = columns.get(c)[row];
      }
    }
    return rows;
  }

  private static double[][] points(double[][] projected) {
    int count = Math.min(POINTS, projected[0].length);
    double[][] points = new double[count][COMPONENTS];
    for (int point = 0; point < count; point++) {
      for (int k = 0; k < COMPONENTS; k++) {
        points[point][k] = NumberForm.round(projected[k][point], 3);
      }
    }
    return points;
  }

  @Override
  public Map<String, Score> scores() {
    return Map.of(SCORE, score);
  }
}
