package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.safesynth.evaluate.Score.Scale;
import org.safesynth.random.KeyedPermutation;

/**
 * Membership Inference Protection: 360 attacks guess which of some real rows were learned from, by
 * how near each is to a synthetic row.
 *
 * <p>An attack measures a row's distance to the nearest synthetic row in terms of its distance to
 * the nearest other holdout row. The reference divides by the largest distance among the attacked
 * rows instead, so that one outlier hides everything; that form's score stands beside it.
 *
 * @param referenceForm the score that the reference's own scaling gives
 * @param attacks number of attacks
 * @param grades share of the attacks by how well the table was protected
 * @param thresholds successes by how near a row must be to be taken for a member
 * @param auc how well the distance tells members from others over all thresholds: .5 is chance
 * @param memberRows rows learned from that were attacked
 * @param otherRows unseen rows that were attacked
 */
public record MembershipInference(
    Score score,
    Score referenceForm,
    int attacks,
    Map<String, Double> grades,
    List<Threshold> thresholds,
    double auc,
    int memberRows,
    int otherRows)
    implements Finding {
  static final String SCORE = "membership_inference_protection_score";
  private static final int RUNS = 10;
  private static final double[] THRESHOLDS = {0.4, 0.3, 0.2, 0.1};
  private static final int LEAST_ROWS = 10;
  private static final List<String> GRADES =
      List.of("excellent", "very_good", "good", "moderate", "poor");

  /**
   * All attacks of one threshold.
   *
   * @param truePositives members that were found out
   * @param falsePositives unseen rows that were taken for members
   */
  public record Threshold(double threshold, long truePositives, long falsePositives) {}

  static Finding of(Evidence evidence) {
    if (!evidence.config().miaEnabled()) {
      return Unavailable.of("switched off by evaluation.mia_enabled", SCORE);
    }
    if (evidence.holdout().isEmpty()) {
      return Unavailable.of("unseen real rows are needed, and there is no holdout", SCORE);
    }
    Frame holdout = evidence.holdout().get();
    Frame train = evidence.reference().head(RUNS * holdout.rows());
    int attacked = Math.min(train.rows(), holdout.rows());
    if (attacked < LEAST_ROWS) {
      return Unavailable.of(
          "%d learned and %d unseen real rows are too few: %d of each are needed"
              .formatted(train.rows(), holdout.rows(), LEAST_ROWS),
          SCORE);
    }
    List<double[][]> features =
        AttackFeatures.of(evidence, List.of(train, holdout, evidence.synthetic()));
    return attack(evidence, features, attacked);
  }

  private static MembershipInference attack(
      Evidence evidence, List<double[][]> features, int attacked) {
    double[][] train = features.get(0);
    double[][] holdout = features.get(1);
    double[][] synthetic = features.get(2);
    double[] trainNear = Neighbours.of(evidence.spark(), train, synthetic, 1).nearest();
    double[] holdoutNear = Neighbours.of(evidence.spark(), holdout, synthetic, 1).nearest();
    double[] trainOwn = Neighbours.of(evidence.spark(), train, holdout, 1).nearest();
    double[] holdoutOwn = Neighbours.of(evidence.spark(), holdout, holdout, 1, 0).nearest();
    Tally relative = new Tally();
    Tally byLargest = new Tally();
    double[] memberRatios = ratios(trainNear, trainOwn);
    double[] otherRatios = ratios(holdoutNear, holdoutOwn);
    for (int run = 0; run < RUNS; run++) {
      int begin = Math.min(run * attacked, train.length - attacked);
      KeyedPermutation order = new KeyedPermutation(2L * attacked, evidence.key(2, run));
      relative.run(memberRatios, begin, otherRatios, attacked, order, 1);
      double largest = 0;
      for (int i = 0; i < attacked; i++) {
        largest = Math.max(largest, Math.max(trainNear[begin + i], holdoutNear[i]));
      }
      byLargest.run(trainNear, begin, holdoutNear, attacked, order, largest);
    }
    return new MembershipInference(
        relative.score(),
        byLargest.score(),
        relative.attacks,
        relative.grades(),
        relative.thresholds(),
        auc(memberRatios, otherRatios),
        train.length,
        holdout.length);
  }

  /** Distances to synthetic rows in terms of those to unseen ones; of two equal rows neither. */
  private static double[] ratios(double[] near, double[] own) {
    double[] ratios = new double[near.length];
    for (int row = 0; row < ratios.length; row++) {
      ratios[row] = near[row] == 0 && own[row] == 0 ? 1 : near[row] / own[row];
    }
    return ratios;
  }

  /** The chance that a member is nearer than another row. */
  static double auc(double[] members, double[] others) {
    double[] sorted = others.clone();
    Arrays.sort(sorted);
    double sum = 0;
    for (double member : members) {
      int notNearer = rank(sorted, member, false);
      int atMost = rank(sorted, member, true);
      sum += (sorted.length - atMost) + (atMost - notNearer) / 2.0;
    }
    return sum / members.length / others.length;
  }

  private static int rank(double[] sorted, double value, boolean withEqual) {
    int low = 0;
    int high = sorted.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (sorted[middle] < value || (withEqual && sorted[middle] == value)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Counts what the attacks achieve. */
  private static final class Tally {
    private final long[] grades = new long[GRADES.size()];
    private final long[] truePositives = new long[THRESHOLDS.length];
    private final long[] falsePositives = new long[THRESHOLDS.length];
    private final List<Double> runs = new ArrayList<>();
    private int attacks;

    void run(
        double[] members,
        int begin,
        double[] others,
        int attacked,
        KeyedPermutation order,
        double scale) {
      double points = 0;
      int number = 0;
      for (int t = 0; t < THRESHOLDS.length; t++) {
        double limit = THRESHOLDS[t] * scale;
        for (int tenth = 2; tenth <= 10; tenth++) {
          int size = (int) (tenth / 10.0 * 2 * attacked);
          int true1 = 0;
          int false1 = 0;
          int inSample = 0;
          for (int i = 0; i < size; i++) {
            int row = (int) order.apply(i);
            boolean isMember = row < attacked;
            double distance = isMember ? members[begin + row] : others[row - attacked];
            inSample += isMember ? 1 : 0;
            if (distance < limit) {
              true1 += isMember ? 1 : 0;
              false1 += isMember ? 0 : 1;
            }
          }
          int predicted = true1 + false1;
          double precision = predicted == 0 ? 0 : NumberForm.round((double) true1 / predicted, 1);
          int correct = true1 + (size - inSample - false1);
          double accuracy = size == 0 ? 0 : NumberForm.round((double) correct / size, 1);
          int grade = grade(precision, accuracy);
          grades[grade]++;
          truePositives[t] += true1;
          falsePositives[t] += false1;
          points += 3 - grade * 0.5;
          number++;
        }
      }
      attacks += number;
      runs.add(NumberForm.round(points / number, 2));
    }

    /** 0 (excellent) to 4 (poor). */
    private static int grade(double precision, double accuracy) {
      if (precision <= 0.5 && accuracy <= 0.5) {
        return 0;
      }
      if ((precision <= 0.8 && accuracy <= 0.5) || (precision <= 0.5 && accuracy <= 0.8)) {
        return 1;
      }
      if (precision <= 0.8 && accuracy <= 0.8) {
        return 2;
      }
      return precision <= 0.8 || accuracy <= 0.8 ? 3 : 4;
    }

    Score score() {
      double raw = runs.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
      return Score.of(Scale.PRIVACY, raw, (raw - 1) / 2 * 10);
    }

    Map<String, Double> grades() {
      Map<String, Double> shares = new LinkedHashMap<>();
      for (int grade = 0; grade < grades.length; grade++) {
        shares.put(GRADES.get(grade).toLowerCase(Locale.ROOT), (double) grades[grade] / attacks);
      }
      return shares;
    }

    List<Threshold> thresholds() {
      return IntStream.range(0, THRESHOLDS.length)
          .mapToObj(t -> new Threshold(THRESHOLDS[t], truePositives[t], falsePositives[t]))
          .toList();
    }
  }

  @Override
  public Map<String, Score> scores() {
    return Map.of(SCORE, score);
  }
}
