package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Cuts the plane of two coordinates into areas of about equally many records, each area into cells,
 * and each cell into leaves: a k-d tree (Bentley 1975) that always cuts across the longer side. A
 * leaf is written inside the box of its own records, so that no point lies where there were none
 * nearby. Several small steps are learned better than one large one, since a later token may depend
 * on the earlier ones in any way.
 */
public final class PlaceTree implements Serializable {
  /** Tokens of a point: area, cell, leaf. */
  static final int LEVELS = 3;

  private static final int AXES = 2;

  private final int[] axes; // (nodes, parents before children) 0 or 1; -1 for a leaf
  private final long[] cuts; // (nodes) greatest tick of the axis that goes to the next node
  private final int[] others; // (nodes) where greater ticks go
  private final int[] numbers; // (nodes) of the leaf, -1 for none
  private final long[][] boxes; // (leaves) least and greatest tick of the first, then the second
  private final double[] weights; // (leaves) records
  private final int[][] paths; // (leaves, levels) tokens, ascending
  private final int[] sizes; // (levels) vocabularies

  @JsonCreator
  PlaceTree(
      @JsonProperty("axes") int[] axes,
      @JsonProperty("cuts") long[] cuts,
      @JsonProperty("others") int[] others,
      @JsonProperty("boxes") long[][] boxes,
      @JsonProperty("weights") double[] weights,
      @JsonProperty("paths") int[][] paths) {
    this.axes = axes.clone();
    this.cuts = cuts.clone();
    this.others = others.clone();
    this.boxes = boxes.clone();
    this.weights = weights.clone();
    this.paths = paths.clone();
    this.numbers = new int[axes.length];
    int leaves = 0;
    for (int node = 0; node < axes.length; node++) {
      numbers[node] = axes[node] < 0 ? leaves++ : -1;
    }
    if (leaves != boxes.length || leaves != weights.length || leaves != paths.length) {
      throw new IllegalArgumentException("every leaf needs a box and a path");
    }
    this.sizes = new int[LEVELS];
    for (int[] path : paths) {
      for (int level = 0; level < LEVELS; level++) {
        sizes[level] = Math.max(sizes[level], path[level] + 1);
      }
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

  @JsonProperty("paths")
  int[][] paths() {
    return paths.clone();
  }

  /**
   * Cuts points.
   *
   * @param first (points) ticks of the first coordinate
   * @param second (points)
   * @param unit lengths of a tick of either coordinate, in a measure that they have in common
   * @param parts (levels) wanted: areas, cells of an area, leaves of a cell
   * @param leafRecords points of a leaf, at least
   */
  public static PlaceTree fit(
      long[] first, long[] second, double[] unit, int[] parts, int leafRecords) {
    return new Fit(first, second, unit, parts, leafRecords).tree();
  }

  private static final class Fit {
    private final long[][] ticks; // (2, points)
    private final double[] unit;
    private final int[] wanted;
    private final int leafRecords;
    private final List<Integer> axes = new ArrayList<>();
    private final List<Long> cuts = new ArrayList<>();
    private final List<Integer> others = new ArrayList<>();
    private final List<long[]> boxes = new ArrayList<>();
    private final List<Double> weights = new ArrayList<>();
    private final List<int[]> paths = new ArrayList<>();
    private final int[] path = new int[LEVELS];

    Fit(long[] first, long[] second, double[] unit, int[] wanted, int leafRecords) {
      this.ticks = new long[][] {first, second};
      this.unit = unit.clone();
      this.wanted = wanted.clone();
      this.leafRecords = leafRecords;
    }

    PlaceTree tree() {
      Integer[] points = new Integer[ticks[0].length];
      Arrays.setAll(points, i -> i);
      cut(points, 0, wanted[0]);
      return new PlaceTree(
          axes.stream().mapToInt(Integer::intValue).toArray(),
          cuts.stream().mapToLong(Long::longValue).toArray(),
          others.stream().mapToInt(Integer::intValue).toArray(),
          boxes.toArray(long[][]::new),
          weights.stream().mapToDouble(Double::doubleValue).toArray(),
          paths.toArray(int[][]::new));
    }

    /** Cuts points into parts of a level; points at one place are one part. */
    private void cut(Integer[] points, int level, int parts) {
      long[] box = box(points);
      int longer = extent(box, 0) >= extent(box, 1) ? 0 : 1;
      int axis = box[2 * longer] < box[2 * longer + 1] ? longer : 1 - longer;
      if (parts <= 1 || box[2 * axis] == box[2 * axis + 1]) {
        finish(points, box, level);
        return;
      }
      long[] of = ticks[axis];
      Arrays.sort(points, Comparator.<Integer>comparingLong(p -> of[p]).thenComparing(p -> p));
      int left = parts / 2;
      int at = between(points, of, (int) ((long) points.length * left / parts));
      int node = node(axis, of[points[at - 1]]);
      cut(Arrays.copyOfRange(points, 0, at), level, left);
      others.set(node, axes.size());
      cut(Arrays.copyOfRange(points, at, points.length), level, parts - left);
    }

    /** Cuts a part into those of the next level, or makes it a leaf. */
    private void finish(Integer[] points, long[] box, int level) {
      if (level < LEVELS - 1) {
        cut(points, level + 1, Math.min(wanted[level + 1], points.length / leafRecords));
      } else {
        node(-1, 0);
        boxes.add(box);
        weights.add((double) points.length);
        paths.add(path.clone());
      }
      path[level]++;
      Arrays.fill(path, level + 1, LEVELS, 0);
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

  /** Vocabularies (levels). */
  int[] sizes() {
    return sizes.clone();
  }

  /** Cells of an area. */
  int cells(int area) {
    int cells = 0;
    for (int[] path : paths) {
      cells = path[0] == area ? path[1] + 1 : cells;
    }
    return cells;
  }

  /** Writes the tokens of a point. */
  void locate(long first, long second, int[] tokens, int at) {
    int node = 0;
    while (axes[node] >= 0) {
      node = (axes[node] == 0 ? first : second) <= cuts[node] ? node + 1 : others[node];
    }
    System.arraycopy(paths[numbers[node]], 0, tokens, at, LEVELS);
  }

  /** A point of a leaf's box; a token that its area or cell does not have stands for the last. */
  Long[] draw(
      int[] tokens, int at, RoundSteps firstSteps, RoundSteps secondSteps, RandomGenerator random) {
    int from = 0;
    int to = paths.length;
    for (int level = 0; level < LEVELS; level++) {
      int token = Math.min(tokens[at + level], paths[to - 1][level]);
      from = firstAt(from, to, level, token);
      to = firstAt(from, to, level, token + 1);
    }
    long[] box = boxes[from];
    return new Long[] {
      firstSteps.draw(box[0], box[1], random), secondSteps.draw(box[2], box[3], random)
    };
  }

  /** The first leaf of a range whose token at a level is at least this one. */
  private int firstAt(int from, int to, int level, int token) {
    int low = from;
    int high = to;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (paths[middle][level] < token) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /**
   * What one coordinate tells of a token, when those before are known: the logarithm of its density
   * inside each part of the level; minus infinity for those that it rules out.
   *
   * @param tokens the point's, from {@code at} on
   * @return (V) of the level
   */
  float[] known(int level, int[] tokens, int at, int axis, long tick) {
    int from = 0;
    int to = paths.length;
    for (int l = 0; l < level; l++) {
      int token = Math.min(tokens[at + l], paths[to - 1][l]);
      from = firstAt(from, to, l, token);
      to = firstAt(from, to, l, token + 1);
    }
    double[] density = new double[sizes[level]];
    double[] records = new double[sizes[level]];
    double[] away = new double[sizes[level]];
    Arrays.fill(away, Double.POSITIVE_INFINITY);
    for (int leaf = from; leaf < to; leaf++) {
      int part = paths[leaf][level];
      double distance = distance(leaf, axis, tick);
      density[part] += distance == 0 ? weights[leaf] / (1 + side(leaf, axis)) : 0;
      away[part] = Math.min(away[part], distance);
      records[part] += weights[leaf];
    }
    double nearest = Arrays.stream(away).min().orElseThrow();
    float[] logarithms = new float[density.length];
    for (int part = 0; part < logarithms.length; part++) {
      // Where no box holds the tick, the nearest ones do.
      double of = nearest == 0 ? density[part] / records[part] : away[part] == nearest ? 1 : 0;
      logarithms[part] = records[part] == 0 ? Float.NEGATIVE_INFINITY : (float) Math.log(of);
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
