package org.safesynth.marginal;

/** Makes a noisy table of two positions agree with the less noisy counts of each. */
public final class Margins {
  private Margins() {}

  /**
   * The table with given row and column sums: rows, then columns, that have too much are scaled
   * down, and what is then missing is spread by the product of what rows and columns lack
   * (Altschuler, Weed and Rigollet 2017, algorithm 2). Rare values, whose cells drown in noise, so
   * keep their share and are taken as independent; strong relations stay as they are.
   *
   * @param counts (rows · columns) none negative
   * @param rows (rows) wanted sums, none negative
   * @param columns (columns) wanted sums, of the same total
   */
  public static double[] fit(double[] counts, double[] rows, double[] columns) {
    double[] fitted = counts.clone();
    int width = columns.length;
    for (int i = 0; i < rows.length; i++) {
      double sum = 0;
      for (int j = 0; j < width; j++) {
        sum += fitted[i * width + j];
      }
      for (int j = 0; j < width && sum > rows[i]; j++) {
        fitted[i * width + j] *= rows[i] / sum;
      }
    }
    double[] columnLacks = new double[width];
    for (int j = 0; j < width; j++) {
      double sum = 0;
      for (int i = 0; i < rows.length; i++) {
        sum += fitted[i * width + j];
      }
      for (int i = 0; i < rows.length && sum > columns[j]; i++) {
        fitted[i * width + j] *= columns[j] / sum;
      }
      columnLacks[j] = Math.max(0, columns[j] - sum);
    }
    double lacking = 0;
    for (double lack : columnLacks) {
      lacking += lack;
    }
    for (int i = 0; i < rows.length && lacking > 0; i++) {
      double lack = rows[i];
      for (int j = 0; j < width; j++) {
        lack -= fitted[i * width + j];
      }
      for (int j = 0; j < width; j++) {
        fitted[i * width + j] += Math.max(0, lack) * columnLacks[j] / lacking;
      }
    }
    return fitted;
  }
}
