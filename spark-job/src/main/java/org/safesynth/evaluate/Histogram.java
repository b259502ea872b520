package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How a column's values are spread in both tables, coarse enough to be drawn: shares of the rows.
 *
 * @param edges of the bins of numbers, one more than there are bins; null for categories
 * @param labels of categories, the most frequent real ones first; null for numbers
 * @param real share of each bin or category
 * @param synthetic likewise
 */
public record Histogram(double[] edges, List<String> labels, double[] real, double[] synthetic) {
  private static final int MOST_BINS = 60;
  private static final int MOST_CATEGORIES = 20;
  private static final int LONGEST_LABEL = 60;

  /** Of the numbers that are there. */
  static Histogram ofNumbers(NumericBins bins, double[] real, double[] synthetic) {
    double[] edges = bins.edges();
    NumericBins drawn =
        edges.length - 1 <= MOST_BINS
            ? bins
            : NumericBins.equal(edges[0], edges[edges.length - 1], MOST_BINS);
    return new Histogram(
        drawn.edges(), null, shares(drawn.count(real)), shares(drawn.count(synthetic)));
  }

  /** Of categories; the rarest are put together. */
  static Histogram ofCategories(Categories categories) {
    double[] real = shares(categories.realCounts());
    double[] synthetic = shares(categories.syntheticCounts());
    List<Integer> order =
        IntStream.range(0, categories.size())
            .boxed()
            .sorted(Comparator.comparingDouble((Integer c) -> -real[c] - synthetic[c] / 1e3))
            .toList();
    int shown = order.size() > MOST_CATEGORIES ? MOST_CATEGORIES - 1 : order.size();
    int cells = Math.min(order.size(), MOST_CATEGORIES);
    List<String> labels = new ArrayList<>();
    double[] realShown = new double[cells];
    double[] syntheticShown = new double[cells];
    for (int i = 0; i < order.size(); i++) {
      int cell = Math.min(i, cells - 1);
      realShown[cell] += real[order.get(i)];
      syntheticShown[cell] += synthetic[order.get(i)];
      if (i < shown) {
        labels.add(label(categories.values().get(order.get(i))));
      }
    }
    if (shown < cells) {
      labels.add("(%,d others)".formatted(order.size() - shown));
    }
    return new Histogram(null, labels, realShown, syntheticShown);
  }

  private static String label(String value) {
    return value.length() <= LONGEST_LABEL ? value : value.substring(0, LONGEST_LABEL) + "…";
  }

  private static double[] shares(double[] counts) {
    double sum = 0;
    for (double count : counts) {
      sum += count;
    }
    double[] shares = new double[counts.length];
    for (int i = 0; i < counts.length; i++) {
      shares[i] = sum == 0 ? 0 : counts[i] / sum;
    }
    return shares;
  }
}
