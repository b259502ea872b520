package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Gradient-boosted trees (Friedman 2001) on histograms of binned columns (Ke et al. 2017, LightGBM,
 * §2): the classifier and the regressor that judge tables of at most some ten thousand sampled
 * rows.
 *
 * <p>MLlib's trees launch a Spark job for each level of each tree, some thousands for one
 * evaluation, and took minutes where this takes a second; its trees remain the oracle of the test.
 * Nothing is drawn: the same rows in the same order give the same trees.
 */
final class BoostedTrees {
  /**
   * How the trees grow.
   *
   * @param rounds each adds one tree an output
   * @param learningRate what a tree adds is shrunk by this
   * @param depth levels of splits at most
   * @param leastRows of a leaf
   */
  record Growth(int rounds, double learningRate, int depth, int leastRows) {}

  private static final double PENALTY = 1; // on a leaf's squared value, as if of one more row
  private static final double LEAST_GAIN = 1e-9;
  private static final double RARE = 10; // rows by which a category's mean is drawn towards 0

  private final TreeBins bins;
  private final double[] start; // (outputs)
  private final List<Tree[]> rounds = new ArrayList<>(); // of (outputs)
  private final double[] gains; // (features)

  private BoostedTrees(TreeBins bins, double[] start) {
    this.bins = bins;
    this.start = start;
    this.gains = new double[bins.features()];
  }

  /** Learns numbers by their squared error. */
  static BoostedTrees ofNumbers(double[][] rows, int[] codes, double[] numbers, Growth growth) {
    double mean = Arrays.stream(numbers).average().orElseThrow();
    BoostedTrees trees = new BoostedTrees(TreeBins.of(rows, codes), new double[] {mean});
    trees.grow(rows, growth, new SquaredLoss(numbers));
    return trees;
  }

  /**
   * Learns classes by their log loss: of two classes the log-odds of the second, of more one output
   * a class (softmax).
   *
   * @param rows (rows, features)
   * @param codes (features) number of codes of a category, 0 of a number
   * @param labels 0 to classes − 1, each of which occurs
   */
  static BoostedTrees ofClasses(
      double[][] rows, int[] codes, int[] labels, int classes, Growth growth) {
    double[] counts = new double[classes];
    Arrays.stream(labels).forEach(label -> counts[label]++);
    double[] start =
        classes == 2
            ? new double[] {Math.log(counts[1] / counts[0])}
            : Arrays.stream(counts).map(count -> Math.log(count / labels.length)).toArray();
    BoostedTrees trees = new BoostedTrees(TreeBins.of(rows, codes), start);
    trees.grow(rows, growth, new LogLoss(labels, start.length));
    return trees;
  }

  /** The outputs of a row: a number, or what {@link #ofClasses} says. */
  double[] predict(double[] row) {
    byte[] binned = bins.bin(row);
    double[] outputs = start.clone();
    for (Tree[] round : rounds) {
      for (int k = 0; k < outputs.length; k++) {
        outputs[k] += round[k].value(binned);
      }
    }
    return outputs;
  }

  /** Each feature's share of what all splits gained; (features), sums to 1 unless nothing did. */
  double[] importances() {
    double all = Arrays.stream(gains).sum();
    return Arrays.stream(gains).map(gain -> all == 0 ? 0 : gain / all).toArray();
  }

  /** First and second derivatives of the loss by a row's output. */
  private interface Loss {
    void derive(int output, double[][] outputs, double[] gradients, double[] curvatures);
  }

  private record SquaredLoss(double[] numbers) implements Loss {
    @Override
    public void derive(int output, double[][] outputs, double[] gradients, double[] curvatures) {
      for (int row = 0; row < numbers.length; row++) {
        gradients[row] = outputs[0][row] - numbers[row];
        curvatures[row] = 1;
      }
    }
  }

  private record LogLoss(int[] labels, int outputs) implements Loss {
    @Override
    public void derive(int output, double[][] scores, double[] gradients, double[] curvatures) {
      for (int row = 0; row < labels.length; row++) {
        double chance = outputs == 1 ? logistic(scores[0][row]) : softmax(scores, output, row);
        boolean isClass = labels[row] == (outputs == 1 ? 1 : output);
        gradients[row] = chance - (isClass ? 1 : 0);
        curvatures[row] = Math.max(1e-12, chance * (1 - chance));
      }
    }

    private static double logistic(double score) {
      return 1 / (1 + Math.exp(-score));
    }

    private static double softmax(double[][] scores, int output, int row) {
      double most = Double.NEGATIVE_INFINITY;
      for (double[] score : scores) {
        most = Math.max(most, score[row]);
      }
      double sum = 0;
      for (double[] score : scores) {
        sum += Math.exp(score[row] - most);
      }
      return Math.exp(scores[output][row] - most) / sum;
    }
  }

  private void grow(double[][] rows, Growth growth, Loss loss) {
    byte[][] columns = bins.columns(rows); // (features, rows)
    double[][] outputs = new double[start.length][rows.length];
    for (int k = 0; k < outputs.length; k++) {
      Arrays.fill(outputs[k], start[k]);
    }
    double[][] gradients = new double[outputs.length][rows.length];
    double[][] curvatures = new double[outputs.length][rows.length];
    for (int round = 0; round < growth.rounds(); round++) {
      // All derivatives first: the classes of a softmax look at each other.
      for (int k = 0; k < outputs.length; k++) {
        loss.derive(k, outputs, gradients[k], curvatures[k]);
      }
      Tree[] trees = new Tree[outputs.length];
      for (int k = 0; k < outputs.length; k++) {
        Growing growing = new Growing(columns, gradients[k], curvatures[k], growth);
        trees[k] = growing.tree();
        for (int row = 0; row < rows.length; row++) {
          outputs[k][row] += trees[k].values[growing.nodeOf[row]];
        }
      }
      rounds.add(trees);
    }
  }

  /**
   * A grown tree; node 0 is the root.
   *
   * @param feature (nodes) that is asked, −1 at a leaf
   * @param isLeft (nodes, bins) whether a bin goes to the left; null at a leaf
   * @param left (nodes) the left child; the right one follows it
   * @param values (nodes) what a leaf adds
   */
  private record Tree(int[] feature, boolean[][] isLeft, int[] left, double[] values) {
    double value(byte[] binned) {
      int node = 0;
      while (feature[node] >= 0) {
        node = left[node] + (isLeft[node][binned[feature[node]]] ? 0 : 1);
      }
      return values[node];
    }
  }

  /** The best split of a node. */
  private record Split(int feature, boolean[] isLeft, double gain) {}

  /** One tree while it grows, level by level. */
  private final class Growing {
    private final byte[][] columns; // (features, rows)
    private final double[] gradients; // (rows)
    private final double[] curvatures; // (rows)
    private final Growth growth;
    private final int[] nodeOf; // (rows)
    private final List<Split> splits = new ArrayList<>(); // (nodes), null at a leaf
    private final List<Integer> left = new ArrayList<>(); // (nodes)

    Growing(byte[][] columns, double[] gradients, double[] curvatures, Growth growth) {
      this.columns = columns;
      this.gradients = gradients;
      this.curvatures = curvatures;
      this.growth = growth;
      this.nodeOf = new int[gradients.length];
    }

    Tree tree() {
      int begin = 0;
      int end = 1;
      for (int level = 0; begin < end; level++) {
        Split[] found = level < growth.depth() ? splits(begin, end) : new Split[end - begin];
        int next = end;
        for (Split split : found) {
          splits.add(split);
          left.add(split == null ? -1 : next);
          next += split == null ? 0 : 2;
          if (split != null) {
            gains[split.feature] += split.gain;
          }
        }
        descend(begin);
        begin = end;
        end = next;
      }
      return new Tree(
          splits.stream().mapToInt(split -> split == null ? -1 : split.feature).toArray(),
          splits.stream()
              .map(split -> split == null ? null : split.isLeft)
              .toArray(boolean[][]::new),
          left.stream().mapToInt(Integer::intValue).toArray(),
          values());
    }

    private void descend(int begin) {
      for (int row = 0; row < nodeOf.length; row++) {
        int node = nodeOf[row];
        Split split = node >= begin ? splits.get(node) : null;
        if (split != null) {
          nodeOf[row] = left.get(node) + (split.isLeft[columns[split.feature][row]] ? 0 : 1);
        }
      }
    }

    private double[] values() {
      double[] slope = new double[splits.size()];
      double[] curve = new double[splits.size()];
      for (int row = 0; row < nodeOf.length; row++) {
        slope[nodeOf[row]] += gradients[row];
        curve[nodeOf[row]] += curvatures[row];
      }
      double[] values = new double[slope.length];
      Arrays.setAll(values, node -> -slope[node] / (curve[node] + PENALTY) * growth.learningRate());
      return values;
    }

    /** The best split of each node of a level, or null. */
    private Split[] splits(int begin, int end) {
      Split[] best = new Split[end - begin];
      for (int f = 0; f < columns.length; f++) {
        int width = bins.count(f);
        double[] slope = new double[best.length * width];
        double[] curve = new double[best.length * width];
        int[] count = new int[best.length * width];
        byte[] column = columns[f];
        for (int row = 0; row < column.length; row++) {
          int node = nodeOf[row] - begin;
          if (node >= 0) {
            int cell = node * width + column[row];
            slope[cell] += gradients[row];
            curve[cell] += curvatures[row];
            count[cell]++;
          }
        }
        for (int node = 0; node < best.length; node++) {
          Split split = split(f, slope, curve, count, node * width, width);
          if (split != null && (best[node] == null || split.gain > best[node].gain)) {
            best[node] = split;
          }
        }
      }
      return best;
    }

    /** The best cut through the bins of a feature: numbers in order, categories by their slope. */
    private Split split(
        int feature, double[] slope, double[] curve, int[] count, int offset, int width) {
      int[] order = IntStream.range(0, width).filter(bin -> count[offset + bin] > 0).toArray();
      double allSlope = 0;
      double allCurve = 0;
      int all = 0;
      for (int bin : order) {
        allSlope += slope[offset + bin];
        allCurve += curve[offset + bin];
        all += count[offset + bin];
      }
      if (order.length < 2 || all < 2 * growth.leastRows()) {
        return null;
      }
      if (bins.isCategory(feature)) {
        order =
            Arrays.stream(order)
                .boxed()
                .sorted(
                    (a, b) ->
                        Double.compare(
                            slope[offset + a] / (curve[offset + a] + RARE),
                            slope[offset + b] / (curve[offset + b] + RARE)))
                .mapToInt(Integer::intValue)
                .toArray();
      }
      double whole = allSlope * allSlope / (allCurve + PENALTY);
      double most = LEAST_GAIN;
      int cut = -1;
      double leftSlope = 0;
      double leftCurve = 0;
      int leftRows = 0;
      for (int i = 0; i + 1 < order.length; i++) {
        leftSlope += slope[offset + order[i]];
        leftCurve += curve[offset + order[i]];
        leftRows += count[offset + order[i]];
        if (leftRows < growth.leastRows() || all - leftRows < growth.leastRows()) {
          continue;
        }
        double rightSlope = allSlope - leftSlope;
        double gain =
            leftSlope * leftSlope / (leftCurve + PENALTY)
                + rightSlope * rightSlope / (allCurve - leftCurve + PENALTY)
                - whole;
        if (gain > most) {
          most = gain;
          cut = i;
        }
      }
      return cut < 0 ? null : new Split(feature, left(feature, order, cut, width), most);
    }

    /** Which bins go to the left; of numbers also those between that no row of the node has. */
    private boolean[] left(int feature, int[] order, int cut, int width) {
      boolean[] isLeft = new boolean[width];
      if (bins.isCategory(feature)) {
        for (int i = 0; i <= cut; i++) {
          isLeft[order[i]] = true;
        }
      } else {
        Arrays.fill(isLeft, 0, order[cut] + 1, true);
      }
      return isLeft;
    }
  }
}
