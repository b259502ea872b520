package org.safesynth.codec;

import java.util.ArrayList;
import java.util.List;

/**
 * Cuts sorted weighted items into cells of about equal weight, where an item heavier than 1.5 times
 * the mean cell of what is left gets a cell of its own, repeated until nothing changes.
 */
final class SpikeOrQuantile {
  private static final double SPIKE = 1.5;

  /** Items of one cell: a spike, or a run of items in which spikes of other cells may lie. */
  record Cell(boolean spike, List<Integer> items) {}

  private SpikeOrQuantile() {}

  /**
   * Cells in the order of their first item.
   *
   * @param weights (items) in the items' order, each above 0
   * @param cells about how many; never more than there are items
   * @param mostItems greatest number of items in a cell
   */
  static List<Cell> cut(double[] weights, int cells, int mostItems) {
    boolean[] spike = new boolean[weights.length];
    int spikes = 0;
    double rest = sum(weights);
    for (boolean changed = true; changed && cells - spikes > 1; ) {
      changed = false;
      double mean = rest / (cells - spikes);
      for (int i = 0; i < weights.length && cells - spikes > 1; i++) {
        if (!spike[i] && weights[i] > SPIKE * mean) {
          spike[i] = true;
          spikes++;
          rest -= weights[i];
          changed = true;
        }
      }
    }
    int intervals = Math.max(1, cells - spikes);
    List<Cell> result = new ArrayList<>();
    List<Integer> open = null;
    double before = 0;
    int cut = 0;
    for (int i = 0; i < weights.length; i++) {
      if (spike[i]) {
        result.add(new Cell(true, List.of(i)));
        continue;
      }
      int wanted = rest <= 0 ? 0 : (int) ((before + weights[i] / 2) * intervals / rest);
      if (open == null || wanted > cut || open.size() >= mostItems) {
        cut = Math.max(cut, wanted);
        open = new ArrayList<>();
        result.add(new Cell(false, open));
      }
      open.add(i);
      before += weights[i];
    }
    return result;
  }

  private static double sum(double[] weights) {
    double sum = 0;
    for (double weight : weights) {
      sum += weight;
    }
    return sum;
  }
}
