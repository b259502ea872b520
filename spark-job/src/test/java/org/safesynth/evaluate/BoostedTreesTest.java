package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.spark.ml.attribute.Attribute;
import org.apache.spark.ml.attribute.AttributeGroup;
import org.apache.spark.ml.attribute.NominalAttribute;
import org.apache.spark.ml.attribute.NumericAttribute;
import org.apache.spark.ml.linalg.Vectors;
import org.apache.spark.ml.regression.DecisionTreeRegressionModel;
import org.apache.spark.ml.regression.DecisionTreeRegressor;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.job.LocalSpark;

/** Boosted trees beside closed forms and beside MLlib's tree. */
final class BoostedTreesTest {
  private static final int[] CODES = {0, 0, 5};

  private static double[][] rows(int seed, int number) {
    Random random = new Random(seed);
    double[][] rows = new double[number][];
    Arrays.setAll(
        rows,
        i -> new double[] {random.nextGaussian(), random.nextInt(40), random.nextInt(CODES[2])});
    return rows;
  }

  private static double truth(double[] row) {
    return (row[0] > 0.3 ? 2 : 0) + (row[1] >= 20 ? 1 : 0) + (row[2] % 2 == 0 ? 4 : 0);
  }

  @Test
  @Tag("unit")
  void oneTreeOfEnoughLevelsLearnsStepsUpToTheShrinkageOfItsLeaves() {
    double[][] rows = rows(1, 4_000);
    double[] numbers = Arrays.stream(rows).mapToDouble(BoostedTreesTest::truth).toArray();
    BoostedTrees trees =
        BoostedTrees.ofNumbers(rows, CODES, numbers, new BoostedTrees.Growth(1, 1, 3, 5));
    for (double[] row : rows(2, 500)) {
      boolean isAtTheEdge = Math.abs(row[0] - 0.3) < 0.05; // within a bin
      assertEquals(truth(row), trees.predict(row)[0], isAtTheEdge ? 3 : 0.05);
    }
    double[] shares = trees.importances();
    assertEquals(1, Arrays.stream(shares).sum(), 1e-12);
    // Variances of the three independent steps: 16/4·.96, 4·p(1−p) at p = P(x > .3), 1/4.
    assertTrue(shares[2] > shares[0] && shares[0] > shares[1], Arrays.toString(shares));
  }

  @Test
  @Tag("unit")
  void twoClassesOfAConstantFeatureKeepTheirOdds() {
    double[][] rows = new double[100][];
    Arrays.setAll(rows, i -> new double[] {7});
    int[] labels = IntStream.range(0, 100).map(i -> i < 20 ? 1 : 0).toArray();
    BoostedTrees trees =
        BoostedTrees.ofClasses(rows, new int[1], labels, 2, new BoostedTrees.Growth(9, 0.3, 3, 5));
    assertEquals(Math.log(20 / 80.0), trees.predict(new double[] {7})[0], 1e-9);
    assertArrayEquals(new double[1], trees.importances());
  }

  @Test
  @Tag("unit")
  void severalClassesAreToldApart() {
    double[][] rows = rows(3, 3_000);
    int[] labels = Arrays.stream(rows).mapToInt(row -> (int) row[2] % 3).toArray();
    BoostedTrees trees =
        BoostedTrees.ofClasses(rows, CODES, labels, 3, new BoostedTrees.Growth(20, 0.3, 3, 5));
    for (double[] row : rows(4, 200)) {
      double[] outputs = trees.predict(row);
      int best = IntStream.range(0, 3).reduce(0, (a, b) -> outputs[b] > outputs[a] ? b : a);
      assertEquals((int) row[2] % 3, best);
    }
  }

  @Test
  @Tag("unit")
  void aLeafNeverHasFewerRowsThanAsked() {
    double[][] rows = rows(5, 39);
    double[] numbers = Arrays.stream(rows).mapToDouble(BoostedTreesTest::truth).toArray();
    BoostedTrees trees =
        BoostedTrees.ofNumbers(rows, CODES, numbers, new BoostedTrees.Growth(3, 1, 3, 20));
    double mean = Arrays.stream(numbers).average().orElseThrow();
    assertEquals(mean, trees.predict(rows[0])[0], 1e-12, "39 rows do not make two leaves of 20");
  }

  /** One round at a learning rate of 1 is one regression tree, which MLlib grows too. */
  @Test
  @Tag("spark")
  void oneRoundEqualsMllibsTree() {
    double[][] rows = rows(6, 600);
    Random random = new Random(7);
    double[] numbers =
        Arrays.stream(rows).mapToDouble(row -> truth(row) + random.nextGaussian()).toArray();
    BoostedTrees ours =
        BoostedTrees.ofNumbers(rows, CODES, numbers, new BoostedTrees.Growth(1, 1, 3, 10));
    Attribute[] attributes = {
      NumericAttribute.defaultAttr().withName("a"),
      NumericAttribute.defaultAttr().withName("b"),
      NominalAttribute.defaultAttr().withName("c").withNumValues(CODES[2])
    };
    StructType type =
        new StructType()
            .add(new AttributeGroup("features", attributes).toStructField())
            .add("label", DataTypes.DoubleType);
    List<Row> table = new ArrayList<>();
    for (int i = 0; i < rows.length; i++) {
      table.add(RowFactory.create(Vectors.dense(rows[i]), numbers[i]));
    }
    DecisionTreeRegressionModel oracle =
        new DecisionTreeRegressor()
            .setMaxDepth(3)
            .setMinInstancesPerNode(10)
            .setMaxBins(TreeBins.MOST)
            .fit(LocalSpark.session().createDataFrame(table, type).coalesce(1));
    double apart = 0;
    for (double[] row : rows) {
      apart += Math.abs(oracle.predict(Vectors.dense(row)) - ours.predict(row)[0]);
    }
    // The penalty shrinks a leaf of 75 rows by a seventy-sixth, and bins of numbers are cut
    // elsewhere.
    assertTrue(apart / rows.length < 0.1, "mean difference " + apart / rows.length);
  }
}
