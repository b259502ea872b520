package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.random.RandomGenerator;

/**
 * Cuts the plane of two coordinates into cells of about equally many records, and each cell into
 * leaves: a k-d tree (Bentley 1975) that always cuts across the longer side. A leaf is written
 * inside the box of its own records, so that no point lies where there were none nearby.
 */
public final class PlaceTree implements Serializable {
  private static final int AXES = 2;

  private final int[] axes; // (nodes, parents before children) 0 or 1; -1 for a leaf
  private final long[] cuts; // (nodes) greatest tick of the axis that goes to the next node
  private final int[] others; // (nodes) where greater ticks go
  private final int[] numbers; // (nodes) of the leaf, -1 for none
  private final long[][] boxes; // (leaves) least and greatest tick of the first, then the second
  private final double[] weights; // (leaves) records
  private final int[] firsts; // (cells + 1) first leaf of each cell

  @JsonCreator
  PlaceTree(
      @JsonProperty("axes") int[] axes,
      @JsonProperty("cuts") long[] cuts,
      @JsonProperty("others") int[] others,
      @JsonProperty("boxes") long[][] boxes,
      @JsonProperty("weights") double[] weights,
      @JsonProperty("firsts") int[] firsts) {
    this.axes = axes.clone();
    this.cuts = cuts.clone();
    this.others = others.clone();
    this.boxes = boxes.clone();
    this.weights = weights.clone();
    this.firsts = firsts.clone();
    this.numbers = new int[axes.length];
    int leaves = 0;
    for (int node = 0; node < axes.length; node++) {
      numbers[node] = axes[node] < 0 ? leaves++ : -1;
    }
    if (leaves != boxes.length || leaves != weights.length || firsts[cells()] != leaves) {
      throw new IllegalArgumentException("every leaf needs a box and a cell");
    }
  }

  @JsonProperty("axes")
  int[] axes() {
    return axes.clone();
  }

  @JsonProperty("cuts")
  long[] cuts() {
    return cuts.clone();
  }

  @JsonProperty("others")
  int[] others() {
    return others.clone();
  }

  @JsonProperty("boxes")
  long[][] boxes() {
    return boxes.clone();
  }

  @JsonProperty("weights")
  double[] weights() {
    return weights.clone();
  }

  @JsonProperty("firsts")
  int[] firsts() {
    return firsts.clone();
  }

  /**
   * Cuts points.
   *
   * @param first (points) ticks of the first coordinate
   * @param second (points)
   * @param unit lengths of a tick of either coordinate, in a measure that they have in common
   * @param cells wanted
   * @param leafRecords points of a leaf, at least
   * @param mostLeaves of a cell
   */
  public static PlaceTree fit(
      long[] first, long[] second, double[] unit, int cells, int leafRecords, int mostLeaves) {
    return new Fit(first, second, unit, leafRecords, mostLeaves).tree(cells);
  }

  private static final class Fit {
    private final long[][] ticks; // (2, points)
    private final double[] unit;
    private final int leafRecords;
    private final int mostLeaves;
    private final List<Integer> axes = new ArrayList<>();
    private final List<Long> cuts = new ArrayList<>();
    private final List<Integer> others = new ArrayList<>();
    private final List<long[]> boxes = new ArrayList<>();
    private final List<Double> weights = new ArrayList<>();
    private final List<Integer> firsts = new ArrayList<>();

    Fit(long[] first, long[] second, double[] unit, int leafRecords, int mostLeaves) {
      this.ticks = new long[][] {first, second};
      this.unit = unit.clone();
      this.leafRecords = leafRecords;
      this.mostLeaves = mostLeaves;
    }

    PlaceTree tree(int cells) {
      Integer[] points = new Integer[ticks[0].length];
      Arrays.setAll(points, i -> i);
      cut(points, cells, false);
      firsts.add(boxes.size());
      return new PlaceTree(
          axes.stream().mapToInt(Integer::intValue).toArray(),
          cuts.stream().mapToLong(Long::longValue).toArray(),
          others.stream().mapToInt(Integer::intValue).toArray(),
          boxes.toArray(long[][]::new),
          weights.stream().mapToDouble(Double::doubleValue).toArray(),
          firsts.stream().mapToInt(Integer::intValue).toArray());
    }

    /**
     * Cuts points into parts.
     *
     * @param isInside whether the parts are leaves of a cell, not cells
     */
    private void cut(Integer[] points, int parts, boolean isInside) {
      if (parts <= 1 && !isInside) {
        firsts.add(boxes.size());
        cut(points, Math.max(1, Math.min(mostLeaves, points.length / leafRecords)), true);
        return;
      }
      long[] box = box(points);
      int longer = extent(box, 0) >= extent(box, 1) ? 0 : 1;
      int axis = box[2 * longer] < box[2 * longer + 1] ? longer : 1 - longer;
      if (parts <= 1 || box[2 * axis] == box[2 * axis + 1]) {
        if (!isInside) {
          firsts.add(boxes.size()); // all records at one point: a cell of one leaf
        }
        node(-1, 0);
        boxes.add(box);
        weights.add((double) points.length);
        return;
      }
      long[] of = ticks[axis];
      Arrays.sort(points, Comparator.<Integer>comparingLong(p -> of[p]).thenComparing(p -> p));
      int left = parts / 2;
      int at = between(points, of, (int) ((long) points.length * left / parts));
      int node = node(axis, of[points[at - 1]]);
      cut(Arrays.copyOfRange(points, 0, at), left, isInside);
      others.set(node, axes.size());
      cut(Arrays.copyOfRange(points, at, points.length), parts - left, isInside);
    }

    private int node(int axis, long cut) {
      axes.add(axis);
      cuts.add(cut);
      others.add(-1);
      return axes.size() - 1;
    }

    /** The place nearest to the wanted one where two neighbours differ. */
    private static int between(Integer[] points, long[] of, int wanted) {
      for (int away = 0; ; away++) {
        int below = wanted - away;
        if (below >= 1 && below < points.length && of[points[below - 1]] < of[points[below]]) {
          return below;
        }
        int above = wanted + away;
        if (above >= 1 && above < points.length && of[points[above - 1]] < of[points[above]]) {
          return above;
        }
      }
    }

    private long[] box(Integer[] points) {
      long[] box = {Long.MAX_VALUE, Long.MIN_VALUE, Long.MAX_VALUE, Long.MIN_VALUE};
      for (int point : points) {
        for (int axis = 0; axis < AXES; axis++) {
          box[2 * axis] = Math.min(box[2 * axis], ticks[axis][point]);
          box[2 * axis + 1] = Math.max(box[2 * axis + 1], ticks[axis][point]);
        }
      }
      return box;
    }

    private double extent(long[] box, int axis) {
      return ((double) box[2 * axis + 1] - box[2 * axis]) * unit[axis];
    }
  }

  int cells() {
    return firsts.length - 1;
  }

  int leaves(int cell) {
    return firsts[cell + 1] - firsts[cell];
  }

  /** Writes the cell and the leaf of a point. */
  void locate(long first, long second, int[] tokens, int at) {
    int node = 0;
    while (axes[node] >= 0) {
      node = (axes[node] == 0 ? first : second) <= cuts[node] ? node + 1 : others[node];
    }
    int leaf = numbers[node];
    int cell = Arrays.binarySearch(firsts, leaf);
    tokens[at] = cell >= 0 ? cell : -cell - 2;
    tokens[at + 1] = leaf - firsts[tokens[at]];
  }

  /** A point of a leaf's box. */
  Long[] draw(
      int cell, int leaf, RoundSteps firstSteps, RoundSteps secondSteps, RandomGenerator random) {
    long[] box = boxes[firsts[cell] + Math.min(leaf, leaves(cell) - 1)];
    return new Long[] {
      firstSteps.draw(box[0], box[1], random), secondSteps.draw(box[2], box[3], random)
    };
  }

  /**
   * What one coordinate tells of the cell: (cells) the logarithm of its density inside each; minus
   * infinity for those that it rules out.
   */
  float[] cellsAt(int axis, long tick) {
    return logDensities(cells(), cell -> firsts[cell], axis, tick);
  }

  /** The same of the leaf: (leaves of the cell). */
  float[] leavesAt(int cell, int axis, long tick) {
    return logDensities(leaves(cell), leaf -> firsts[cell] + leaf, axis, tick);
  }

  /**
   * @param first the first leaf of a part, and of the part after the last
   */
  private float[] logDensities(int parts, IntUnaryOperator first, int axis, long tick) {
    double[] density = new double[parts];
    double[] away = new double[parts];
    for (int part = 0; part < parts; part++) {
      double records = 0;
      away[part] = Double.POSITIVE_INFINITY;
      for (int leaf = first.applyAsInt(part); leaf < first.applyAsInt(part + 1); leaf++) {
        double distance = distance(leaf, axis, tick);
        density[part] += distance == 0 ? weights[leaf] / (1 + side(leaf, axis)) : 0;
        away[part] = Math.min(away[part], distance);
        records += weights[leaf];
      }
      density[part] /= records;
    }
    double nearest = Arrays.stream(away).min().orElseThrow();
    float[] logarithms = new float[parts];
    for (int part = 0; part < parts; part++) {
      // Where no box holds the tick, the nearest ones do.
      double of = nearest == 0 ? density[part] : away[part] == nearest ? 1 : 0;
      logarithms[part] = (float) Math.log(of);
    }
    return logarithms;
  }

  private double side(int leaf, int axis) {
    return (double) boxes[leaf][2 * axis + 1] - boxes[leaf][2 * axis];
  }

  private double distance(int leaf, int axis, long tick) {
    double below = (double) boxes[leaf][2 * axis] - tick;
    double above = (double) tick - boxes[leaf][2 * axis + 1];
    return Math.max(0, Math.max(below, above));
  }
}
