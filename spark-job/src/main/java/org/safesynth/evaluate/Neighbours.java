package org.safesynth.evaluate;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;

/**
 * The nearest points of each query by Euclidean distance, exactly: blocks of queries against all
 * points, as Spark tasks. Differences are squared and added, not expanded, so that equal rows have
 * a distance of 0.
 *
 * @param distances (queries, k) ascending; infinite where there are fewer points than k
 * @param places (queries, k) of the points; −1 likewise; of equally near points the first
 */
record Neighbours(double[][] distances, int[][] places) {
  private static final int BLOCK = 256;

  /** Points that are other rows than the queries. */
  static Neighbours of(SparkSession spark, double[][] queries, double[][] points, int k) {
    return of(spark, queries, points, k, Integer.MIN_VALUE);
  }

  /**
   * @param queries (queries, dimensions)
   * @param points (points, dimensions)
   * @param ownShift query q is the point q + ownShift and not its own neighbour
   */
  static Neighbours of(
      SparkSession spark, double[][] queries, double[][] points, int k, int ownShift) {
    List<Block> blocks = new ArrayList<>();
    for (int begin = 0; begin < queries.length; begin += BLOCK) {
      int end = Math.min(queries.length, begin + BLOCK);
      blocks.add(new Block(begin, Arrays.copyOfRange(queries, begin, end)));
    }
    double[][] distances = new double[queries.length][];
    int[][] places = new int[queries.length][];
    if (blocks.isEmpty()) {
      return new Neighbours(distances, places);
    }
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    Broadcast<double[][]> shared = context.broadcast(points);
    List<Found> found =
        context
            .parallelize(blocks, Math.min(blocks.size(), 4 * context.defaultParallelism()))
            .map(block -> search(block, shared.value(), k, ownShift))
            .collect();
    shared.destroy();
    for (Found block : found) {
      for (int q = 0; q < block.distances.length; q++) {
        distances[block.begin + q] = block.distances[q];
        places[block.begin + q] = block.places[q];
      }
    }
    return new Neighbours(distances, places);
  }

  private record Block(int begin, double[][] queries) implements Serializable {}

  private record Found(int begin, double[][] distances, int[][] places) implements Serializable {}

  private static Found search(Block block, double[][] points, int k, int ownShift) {
    int count = block.queries.length;
    double[][] squares = new double[count][k];
    int[][] places = new int[count][k];
    for (int q = 0; q < count; q++) {
      Arrays.fill(squares[q], Double.POSITIVE_INFINITY);
      Arrays.fill(places[q], -1);
    }
    for (int p = 0; p < points.length; p++) {
      for (int q = 0; q < count; q++) {
        if (block.begin + q + ownShift == p) {
          continue;
        }
        double worst = squares[q][k - 1];
        double square = square(block.queries[q], points[p], worst);
        if (square < worst) {
          insert(squares[q], places[q], square, p);
        }
      }
    }
    for (double[] row : squares) {
      for (int i = 0; i < k; i++) {
        row[i] = Math.sqrt(row[i]);
      }
    }
    return new Found(block.begin, squares, places);
  }

  /** The squared distance, or something larger than {@code worst} as soon as that is certain. */
  private static double square(double[] a, double[] b, double worst) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      double difference = a[i] - b[i];
      sum += difference * difference;
      if (sum > worst) {
        return sum;
      }
    }
    return sum;
  }

  private static void insert(double[] squares, int[] places, double square, int place) {
    int i = squares.length - 1;
    while (i > 0 && squares[i - 1] > square) {
      squares[i] = squares[i - 1];
      places[i] = places[i - 1];
      i--;
    }
    squares[i] = square;
    places[i] = place;
  }

  /** The distance to the nearest point of each query. */
  double[] nearest() {
    return Arrays.stream(distances).mapToDouble(row -> row[0]).toArray();
  }
}
