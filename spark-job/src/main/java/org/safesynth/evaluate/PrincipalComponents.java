package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.ml.feature.PCA;
import org.apache.spark.ml.feature.PCAModel;
import org.apache.spark.ml.linalg.DenseMatrix;
import org.apache.spark.ml.linalg.SQLDataTypes;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/**
 * The directions in which a sample varies most, by MLlib. A component's sign is such that its
 * largest entry is positive.
 *
 * @param directions (components, columns)
 * @param explained (components) share of the variance
 */
record PrincipalComponents(double[][] directions, double[] explained) {
  /**
   * Fits components.
   *
   * @param rows (rows, columns) with a mean of 0 in each column
   */
  static PrincipalComponents fit(SparkSession spark, double[][] rows, int components) {
    List<Row> vectors = new ArrayList<>(rows.length);
    for (double[] row : rows) {
      vectors.add(RowFactory.create(Vectors.dense(row)));
    }
    StructType type = new StructType().add("features", SQLDataTypes.VectorType());
    PCAModel model =
        new PCA()
            .setInputCol("features")
            .setOutputCol("projected")
            .setK(components)
            .fit(spark.createDataFrame(vectors, type).coalesce(1)); // one order of summation
    DenseMatrix loadings = model.pc(); // (columns, components)
    double[][] directions = new double[components][loadings.numRows()];
    for (int k = 0; k < components; k++) {
      double largest = 0;
      for (int c = 0; c < loadings.numRows(); c++) {
        double entry = loadings.apply(c, k);
        directions[k][c] = entry;
        largest = Math.abs(entry) > Math.abs(largest) + 1e-12 ? entry : largest;
      }
      if (largest < 0) {
        for (int c = 0; c < directions[k].length; c++) {
          directions[k][c] = -directions[k][c];
        }
      }
    }
    return new PrincipalComponents(directions, model.explainedVariance().toArray());
  }

  /** (components, rows) where the rows lie. */
  double[][] project(double[][] rows) {
    double[][] projected = new double[directions.length][rows.length];
    for (int k = 0; k < directions.length; k++) {
      for (int row = 0; row < rows.length; row++) {
        double sum = 0;
        for (int c = 0; c < rows[row].length; c++) {
          sum += directions[k][c] * rows[row][c];
        }
        projected[k][row] = sum;
      }
    }
    return projected;
  }
}
