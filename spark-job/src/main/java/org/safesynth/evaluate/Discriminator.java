package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.ml.classification.GBTClassificationModel;
import org.apache.spark.ml.classification.GBTClassifier;
import org.apache.spark.ml.linalg.Vector;
import org.safesynth.random.KeyedPermutation;

/**
 * Can a classifier tell synthetic rows from real ones? Gradient-boosted trees, five folds. Equal
 * rows share a fold: else a copied row, seen as real in training and as synthetic in the test,
 * would pull the area below one half and hide itself.
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

  /**
   * A column's part in telling the tables apart.
   *
   * @param importance share of the trees' gain, 0 to 1
   */
  public record Feature(String column, double importance) {}

  private record Fold(double auc, double[] importances) {}

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
    Vector[] real = features.vectors(evidence.reference().head(rows));
    Vector[] synthetic = features.vectors(evidence.synthetic().head(rows));
    Vector[] all = Arrays.copyOf(real, 2 * rows);
    System.arraycopy(synthetic, 0, all, rows, rows);
    double[] labels = new double[2 * rows];
    Arrays.fill(labels, rows, 2 * rows, 1);
    int[] folds = folds(all, evidence.key(KEY));
    List<Fold> tested =
        InParallel.map(
            evidence.spark(), FOLDS, fold -> test(evidence, features, all, labels, folds, fold));
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
  private static int[] folds(Vector[] rows, long key) {
    Map<Vector, Integer> distinct = new HashMap<>();
    int[] content = new int[rows.length];
    for (int row = 0; row < rows.length; row++) {
      content[row] = distinct.computeIfAbsent(rows[row], unseen -> distinct.size());
    }
    KeyedPermutation order = new KeyedPermutation(distinct.size(), key);
    return Arrays.stream(content).map(c -> (int) (order.apply(c) % FOLDS)).toArray();
  }

  private static Fold test(
      Evidence evidence,
      TreeFeatures features,
      Vector[] rows,
      double[] labels,
      int[] folds,
      int fold) {
    List<Integer> learned = new ArrayList<>();
    List<Integer> tested = new ArrayList<>();
    for (int row = 0; row < rows.length; row++) {
      (folds[row] == fold ? tested : learned).add(row);
    }
    Vector[] learnedRows = learned.stream().map(row -> rows[row]).toArray(Vector[]::new);
    double[] learnedLabels = learned.stream().mapToDouble(row -> labels[row]).toArray();
    boolean hasBoth = Arrays.stream(learnedLabels).distinct().count() == 2;
    if (!hasBoth || learnedLabels.length < features.mostCodes()) {
      return new Fold(Double.NaN, new double[features.size()]);
    }
    GBTClassificationModel model =
        new GBTClassifier()
            .setMaxIter(30)
            .setStepSize(0.2)
            .setMaxDepth(5)
            .setMinInstancesPerNode(10)
            .setMaxBins(TreeFeatures.BINS)
            .setSeed(1)
            .fit(features.dataset(evidence.spark(), learnedRows, learnedLabels));
    double[] scores =
        tested.stream().mapToDouble(row -> model.predictRaw(rows[row]).apply(1)).toArray();
    boolean[] isSynthetic = new boolean[scores.length];
    for (int i = 0; i < isSynthetic.length; i++) {
      isSynthetic[i] = labels[tested.get(i)] == 1;
    }
    return new Fold(RocCurve.area(scores, isSynthetic), model.featureImportances().toArray());
  }
}
