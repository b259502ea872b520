package org.safesynth.evaluate;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.safesynth.random.KeyedPermutation;

/**
 * Can a classifier tell synthetic rows from real ones? Gradient-boosted trees, five folds, a Spark
 * task each. Equal rows share a fold: else a copied row, seen as real in training and as synthetic
 * in the test, would pull the area below one half and hide itself.
 *
 * @param auc mean over the folds: .5 cannot tell, 1 tells always
 * @param aucDeviation sample standard deviation of the folds
 * @param detectionScore 1 − 2·|auc − .5|: 1 is indistinguishable
 * @param rowsEach real rows, and synthetic ones
 * @param strongest the columns that give synthetic rows away, the strongest first
 */
public record Discriminator(
    double auc, double aucDeviation, double detectionScore, int rowsEach, List<Feature> strongest)
    implements Finding {
  private static final int KEY = 101;
  private static final int FOLDS = 5;
  private static final int LEAST_ROWS = 50;
  private static final int MOST_ROWS = 20_000;
  private static final int SHOWN = 5;
  private static final BoostedTrees.Growth GROWTH = new BoostedTrees.Growth(100, 0.1, 5, 20);

  /**
   * A column's part in telling the tables apart.
   *
   * @param importance share of the trees' gain, 0 to 1
   */
  public record Feature(String column, double importance) {}

  private record Fold(double auc, double[] importances) implements Serializable {}

  /**
   * What the tasks share.
   *
   * @param rows (rows, features) real ones, then as many synthetic ones
   * @param folds (rows)
   */
  private record Task(double[][] rows, int[] codes, int[] folds) implements Serializable {
    boolean isSynthetic(int row) {
      return row >= rows.length / 2;
    }
  }

  static Finding of(Evidence evidence) {
    int rows =
        Math.min(MOST_ROWS, Math.min(evidence.reference().rows(), evidence.synthetic().rows()));
    if (rows < LEAST_ROWS) {
      return Unavailable.because(
          "a discriminator needs %d real and synthetic rows, and there are %d"
              .formatted(LEAST_ROWS, rows));
    }
    TreeFeatures features =
        TreeFeatures.of(evidence, IntStream.range(0, evidence.columns()).toArray());
    double[][] real = features.rows(evidence.reference().head(rows));
    double[][] synthetic = features.rows(evidence.synthetic().head(rows));
    double[][] all = Arrays.copyOf(real, 2 * rows);
    System.arraycopy(synthetic, 0, all, rows, rows);
    Task task = new Task(all, features.codes(), folds(all, evidence.key(KEY)));
    List<Fold> tested = test(evidence, task);
    if (tested.stream().allMatch(fold -> Double.isNaN(fold.auc()))) {
      return Unavailable.because("there are too few different rows to tell the tables apart by");
    }
    return of(features, tested, rows);
  }

  private static Discriminator of(TreeFeatures features, List<Fold> folds, int rows) {
    double[] aucs = folds.stream().mapToDouble(Fold::auc).filter(a -> !Double.isNaN(a)).toArray();
    double mean = Arrays.stream(aucs).average().orElse(Double.NaN);
    double squares = Arrays.stream(aucs).map(a -> (a - mean) * (a - mean)).sum();
    double[] importances = new double[features.size()];
    for (Fold fold : folds) {
      for (int f = 0; f < importances.length; f++) {
        importances[f] += fold.importances()[f] / folds.size();
      }
    }
    List<Feature> strongest =
        IntStream.range(0, importances.length)
            .mapToObj(f -> new Feature(features.name(f), importances[f]))
            .sorted(Comparator.comparingDouble(feature -> -feature.importance()))
            .limit(SHOWN)
            .toList();
    return new Discriminator(
        mean,
        Math.sqrt(squares / Math.max(1, aucs.length - 1)),
        1 - 2 * Math.abs(mean - 0.5),
        rows,
        strongest);
  }

  /** A fold for each row: distinct rows in a keyed order, dealt out in turn. */
  private static int[] folds(double[][] rows, long key) {
    Map<List<Double>, Integer> distinct = new HashMap<>();
    int[] content = new int[rows.length];
    for (int row = 0; row < rows.length; row++) {
      List<Double> cells = Arrays.stream(rows[row]).boxed().toList();
      content[row] = distinct.computeIfAbsent(cells, unseen -> distinct.size());
    }
    KeyedPermutation order = new KeyedPermutation(distinct.size(), key);
    return Arrays.stream(content).map(c -> (int) (order.apply(c) % FOLDS)).toArray();
  }

  private static List<Fold> test(Evidence evidence, Task task) {
    JavaSparkContext spark = JavaSparkContext.fromSparkContext(evidence.spark().sparkContext());
    Broadcast<Task> shared = spark.broadcast(task);
    try {
      return spark
          .parallelize(IntStream.range(0, FOLDS).boxed().toList(), FOLDS)
          .map(fold -> test(shared.value(), fold))
          .collect(); // five areas
    } finally {
      shared.destroy();
    }
  }

  private static Fold test(Task task, int fold) {
    int[] learned =
        IntStream.range(0, task.rows.length).filter(row -> task.folds[row] != fold).toArray();
    int[] tested =
        IntStream.range(0, task.rows.length).filter(row -> task.folds[row] == fold).toArray();
    int[] labels = Arrays.stream(learned).map(row -> task.isSynthetic(row) ? 1 : 0).toArray();
    if (Arrays.stream(labels).distinct().count() < 2) {
      return new Fold(Double.NaN, new double[task.codes.length]);
    }
    double[][] rows =
        Arrays.stream(learned).mapToObj(row -> task.rows[row]).toArray(double[][]::new);
    BoostedTrees trees = BoostedTrees.ofClasses(rows, task.codes, labels, 2, GROWTH);
    double[] scores =
        Arrays.stream(tested).mapToDouble(row -> trees.predict(task.rows[row])[0]).toArray();
    boolean[] isSynthetic = new boolean[tested.length];
    for (int i = 0; i < tested.length; i++) {
      isSynthetic[i] = task.isSynthetic(tested[i]);
    }
    return new Fold(RocCurve.area(scores, isSynthetic), trees.importances());
  }
}
