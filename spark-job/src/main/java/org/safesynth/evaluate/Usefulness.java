package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.safesynth.fault.BadInputException;

/**
 * Train on synthetic, test on real: how well a model that saw synthetic rows only predicts a column
 * of unseen real rows, beside the same model trained on as many real rows.
 *
 * @param target the predicted column
 * @param chosenBy why this column
 * @param task {@code classification} or {@code regression}
 * @param rows that each model learned from
 * @param testedRows unseen real rows
 * @param real what the model of real rows reaches
 * @param synthetic what the model of synthetic rows reaches
 * @param gap of AUC or R²: what is lost by learning from synthetic rows
 */
public record Usefulness(
    String target,
    String chosenBy,
    String task,
    int rows,
    int testedRows,
    Reached real,
    Reached synthetic,
    double gap)
    implements Finding {
  private static final int LEAST_ROWS = 50;
  private static final int LEAST_TESTED = 20;
  private static final int MOST_ROWS = 20_000;
  private static final int MOST_CLASSES = 20;
  private static final BoostedTrees.Growth GROWTH = new BoostedTrees.Growth(100, 0.1, 5, 20);

  /**
   * What a model reaches on the unseen rows; what does not fit the task is null.
   *
   * @param auc mean over the classes of one against the rest
   * @param macroF1 mean over the classes
   * @param r2 share of the variance that is explained
   */
  public record Reached(Double auc, Double macroF1, Double r2) implements java.io.Serializable {}

  static Finding of(Evidence evidence) {
    String named = evidence.config().target();
    int target = named == null ? TargetChoice.of(evidence) : place(evidence, named);
    if (target < 0) {
      return Unavailable.because(
          "no column suggests itself as a target: name one as evaluation.target");
    }
    if (evidence.holdout().isEmpty()) {
      return Unavailable.because(
          "predictions of '%s' are tested on unseen real rows, and there is no holdout"
              .formatted(evidence.name(target)));
    }
    String reason =
        named == null
            ? "the category of which the other columns tell most"
            : "evaluation.target names it";
    return new Comparison(evidence, target, reason).run();
  }

  private static int place(Evidence evidence, String target) {
    for (int c = 0; c < evidence.columns(); c++) {
      if (evidence.name(c).equals(target)) {
        return c;
      }
    }
    throw new BadInputException(
        "evaluation.target is '%s', which is no column that both tables have and that is looked at"
            .formatted(target));
  }

  /** The two models of one target. */
  private static final class Comparison {
    private final Evidence evidence;
    private final int target;
    private final String reason;
    private final TreeFeatures features;
    private final boolean isRegression;

    Comparison(Evidence evidence, int target, String reason) {
      this.evidence = evidence;
      this.target = target;
      this.reason = reason;
      isRegression = evidence.referenceType(target) == ColumnType.NUMERIC;
      features =
          TreeFeatures.of(
              evidence, IntStream.range(0, evidence.columns()).filter(c -> c != target).toArray());
    }

    Finding run() {
      String name = evidence.name(target);
      Frame test = known(evidence.holdout().orElseThrow());
      Frame real = known(evidence.reference());
      Frame synthetic = known(evidence.synthetic());
      int rows = Math.min(MOST_ROWS, Math.min(real.rows(), synthetic.rows()));
      if (features.size() == 0) {
        return Unavailable.because("'%s' is the only column: nothing predicts it".formatted(name));
      }
      if (rows < LEAST_ROWS || test.rows() < LEAST_TESTED) {
        return Unavailable.because(
            "to predict '%s' %d real and synthetic rows and %d unseen ones that have a value are needed, and there are %d, %d and %d"
                .formatted(
                    name, LEAST_ROWS, LEAST_TESTED, real.rows(), synthetic.rows(), test.rows()));
      }
      if (isRegression && !synthetic.column(target).isNumber()) {
        return Unavailable.because("'%s' holds no numbers in the synthetic table".formatted(name));
      }
      List<String> classes = isRegression ? List.of() : classes(real, test);
      if (!isRegression && (classes.size() < 2 || classes.size() > MOST_CLASSES)) {
        return Unavailable.because(
            classes.size() < 2
                ? "the target '%s' has one class: there is nothing to predict".formatted(name)
                : "the target '%s' has %d classes, and at most %d can be predicted"
                    .formatted(name, classes.size(), MOST_CLASSES));
      }
      if (!isRegression && classes(synthetic.head(rows)).size() < 2) {
        return Unavailable.because(
            "the target '%s' has one class in the synthetic table: a model learns nothing from it"
                .formatted(name));
      }
      List<Work> work =
          List.of(work(real.head(rows), test, classes), work(synthetic.head(rows), test, classes));
      JavaSparkContext spark = JavaSparkContext.fromSparkContext(evidence.spark().sparkContext());
      List<Reached> reached =
          spark.parallelize(work, work.size()).map(Work::run).collect(); // two results
      return new Usefulness(
          name,
          reason,
          isRegression ? "regression" : "classification",
          rows,
          test.rows(),
          reached.get(0),
          reached.get(1),
          isRegression
              ? reached.get(0).r2() - reached.get(1).r2()
              : reached.get(0).auc() - reached.get(1).auc());
    }

    /** The rows whose target is there. */
    private Frame known(Frame frame) {
      FrameColumn column = frame.column(target);
      int[] places = IntStream.range(0, frame.rows()).filter(r -> !column.isMissing(r)).toArray();
      return frame.rows(places);
    }

    private List<String> classes(Frame... frames) {
      TreeSet<String> classes = new TreeSet<>();
      for (Frame frame : frames) {
        for (int row = 0; row < frame.rows(); row++) {
          classes.add(frame.column(target).text(row));
        }
      }
      return new ArrayList<>(classes);
    }

    private Work work(Frame learned, Frame test, List<String> classes) {
      return new Work(
          features.rows(learned),
          features.codes(),
          labels(learned, classes),
          features.rows(test),
          labels(test, classes),
          classes.size());
    }

    /** Numbers, or places among the classes; −1 for a class that no real row has. */
    private double[] labels(Frame frame, List<String> classes) {
      FrameColumn column = frame.column(target);
      return IntStream.range(0, frame.rows())
          .mapToDouble(row -> isRegression ? column.number(row) : classes.indexOf(column.text(row)))
          .toArray();
    }
  }

  /**
   * Learning from one table, as a Spark task.
   *
   * @param rows (rows, features) to learn from
   * @param codes (features) number of codes, 0 of a number
   * @param labels (rows)
   * @param tested (tested, features) unseen rows
   * @param truth (tested)
   * @param classes 0 when numbers are predicted
   */
  private record Work(
      double[][] rows, int[] codes, double[] labels, double[][] tested, double[] truth, int classes)
      implements java.io.Serializable {
    Reached run() {
      return classes == 0 ? regress() : classify();
    }

    private Reached regress() {
      BoostedTrees trees = BoostedTrees.ofNumbers(rows, codes, labels, GROWTH);
      double mean = Arrays.stream(truth).average().orElseThrow();
      double error = 0;
      double variance = 0;
      for (int row = 0; row < truth.length; row++) {
        error += Math.pow(truth[row] - trees.predict(tested[row])[0], 2);
        variance += Math.pow(truth[row] - mean, 2);
      }
      return new Reached(null, null, variance == 0 ? Double.NaN : 1 - error / variance);
    }

    private Reached classify() {
      // A class that no real row has shares one output: it is never right.
      int[] known =
          Arrays.stream(labels).mapToInt(label -> (int) label).distinct().sorted().toArray();
      int[] outputs =
          Arrays.stream(labels).mapToInt(l -> Arrays.binarySearch(known, (int) l)).toArray();
      BoostedTrees trees = BoostedTrees.ofClasses(rows, codes, outputs, known.length, GROWTH);
      double[][] scores = new double[classes][tested.length];
      for (double[] score : scores) {
        Arrays.fill(score, Double.NEGATIVE_INFINITY); // a class that was not learned
      }
      for (int row = 0; row < tested.length; row++) {
        double[] chances = chances(trees.predict(tested[row]), known.length);
        for (int k = 0; k < known.length; k++) {
          if (known[k] >= 0) {
            scores[known[k]][row] = chances[k];
          }
        }
      }
      return reached(scores);
    }

    private static double[] chances(double[] outputs, int classes) {
      if (classes == 2) {
        double second = 1 / (1 + Math.exp(-outputs[0]));
        return new double[] {1 - second, second};
      }
      double most = Arrays.stream(outputs).max().orElseThrow();
      double[] chances = Arrays.stream(outputs).map(output -> Math.exp(output - most)).toArray();
      double sum = Arrays.stream(chances).sum();
      return Arrays.stream(chances).map(chance -> chance / sum).toArray();
    }

    private Reached reached(double[][] scores) {
      int[] guess = new int[truth.length];
      for (int row = 0; row < guess.length; row++) {
        for (int k = 1; k < scores.length; k++) {
          guess[row] = scores[k][row] > scores[guess[row]][row] ? k : guess[row];
        }
      }
      List<Double> aucs = new ArrayList<>();
      List<Double> f1s = new ArrayList<>();
      for (int k = 0; k < scores.length; k++) {
        boolean[] isClass = new boolean[truth.length];
        int right = 0;
        int guessed = 0;
        int there = 0;
        for (int row = 0; row < truth.length; row++) {
          isClass[row] = truth[row] == k;
          there += truth[row] == k ? 1 : 0;
          guessed += guess[row] == k ? 1 : 0;
          right += truth[row] == k && guess[row] == k ? 1 : 0;
        }
        if (there > 0) {
          aucs.add(RocCurve.area(scores[k], isClass));
          f1s.add(2.0 * right / (there + guessed));
        }
      }
      return new Reached(mean(aucs), mean(f1s), null);
    }

    private static double mean(List<Double> values) {
      return values.stream()
          .mapToDouble(Double::doubleValue)
          .filter(value -> !Double.isNaN(value))
          .average()
          .orElse(Double.NaN);
    }
  }
}
