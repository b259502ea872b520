package org.safesynth.evaluate;

import java.util.Arrays;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/**
 * Distance to the closest record: are synthetic rows nearer to the rows that were learned from than
 * to unseen ones? The whole tables take part, in one Spark pass; the odds are corrected for the
 * tables' sizes, since a larger table has a nearer row by chance. The usual form, against a sample
 * of the size of the holdout, overlooks a copy of a row outside of that sample.
 *
 * @param share of synthetic rows nearer to the learned ones, corrected: .5 is ideal, 1 are copies
 * @param low lower end of the share's 95 % interval
 * @param high upper end
 * @param isSuspicious whether the interval lies above .5
 * @param queries synthetic rows that were looked up
 * @param referenceRows rows that were learned from
 * @param holdoutRows unseen rows
 * @param synthetic distances of synthetic rows to the learned ones
 * @param holdout distances of unseen rows to the learned ones, to compare with; null without
 * @param copies share of all synthetic rows that equal a learned row
 * @param holdoutCopies share of all unseen rows that equal a learned row; NaN without
 */
public record ClosestRecords(
    double share,
    double low,
    double high,
    boolean isSuspicious,
    int queries,
    long referenceRows,
    long holdoutRows,
    Distances synthetic,
    Distances holdout,
    double copies,
    double holdoutCopies)
    implements Finding {
  private static final long PAIRS = 100_000_000;
  private static final int LEAST_QUERIES = 500;

  /** Unseen rows give a median and a quantile only. */
  private static final int MOST_UNSEEN_QUERIES = 1_000;

  private static final double Z = 1.959963984540054; // 95 %

  /**
   * Distances to the nearest row: the mean over columns of 0 (equal) to 1.
   *
   * @param nndr mean of nearest over second nearest distance: small when a row is like one only
   */
  public record Distances(double median, double p05, double zeros, double nndr) {}

  static Finding of(Evidence evidence) {
    long rows = evidence.count(Side.REFERENCE);
    int most = (int) Math.max(LEAST_QUERIES, Math.min(PAIRS / rows, Integer.MAX_VALUE));
    Frame synthetic = evidence.synthetic().head(most);
    Frame holdout =
        evidence.holdout().map(h -> h.head(Math.min(most, MOST_UNSEEN_QUERIES))).orElse(null);
    RecordSpace space =
        RecordSpace.of(evidence.reference(), evidence.contents().fields(Side.REFERENCE));
    RecordSpace.Points made = space.points(synthetic);
    RecordSpace.Points unseen = holdout == null ? RecordSpace.Points.none() : space.points(holdout);
    Nearest nearest = search(evidence, space.withQueries(made, unseen));
    Distances ofSynthetic = distances(nearest.toReference, 0, synthetic.rows(), evidence.columns());
    double copies =
        (double) evidence.contents().copied(Side.SYNTHETIC) / evidence.count(Side.SYNTHETIC);
    if (holdout == null) {
      return new ClosestRecords(
          Double.NaN,
          Double.NaN,
          Double.NaN,
          false,
          synthetic.rows(),
          rows,
          0,
          ofSynthetic,
          null,
          copies,
          Double.NaN);
    }
    long unseenRows = evidence.count(Side.HOLDOUT);
    double raw = shareNearer(nearest, synthetic.rows());
    double size = (double) unseenRows / rows;
    double[] interval = wilson(raw, synthetic.rows());
    double low = corrected(interval[0], size);
    return new ClosestRecords(
        corrected(raw, size),
        low,
        corrected(interval[1], size),
        low > 0.5,
        synthetic.rows(),
        rows,
        unseenRows,
        ofSynthetic,
        distances(nearest.toReference, synthetic.rows(), holdout.rows(), evidence.columns()),
        copies,
        (double) evidence.contents().copied(Side.HOLDOUT) / unseenRows);
  }

  /** What each query is nearest to. */
  private record Nearest(NearestTwo toReference, NearestTwo toHoldout)
      implements java.io.Serializable {}

  private static Nearest search(Evidence evidence, RecordSpace space) {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(evidence.spark().sparkContext());
    Broadcast<RecordSpace> shared = context.broadcast(space);
    int all = space.queries();
    int made = space.syntheticQueries();
    Nearest nearest =
        evidence
            .contents()
            .rows()
            .javaRDD()
            .mapPartitions(
                rows -> {
                  RecordSpace known = shared.value();
                  RecordSpace.Reader reader = known.reader();
                  NearestTwo toReference = new NearestTwo(all);
                  NearestTwo toHoldout = new NearestTwo(made);
                  rows.forEachRemaining(
                      row -> {
                        long real = row.getLong(Side.REFERENCE.ordinal());
                        long unseen = row.getLong(Side.HOLDOUT.ordinal());
                        if (real > 0 || unseen > 0) {
                          reader.read(row);
                        }
                        if (real > 0) {
                          reader.search(toReference, real);
                        }
                        if (unseen > 0) {
                          reader.search(toHoldout, unseen);
                        }
                      });
                  return java.util.List.of(new Nearest(toReference, toHoldout)).iterator();
                })
            .treeReduce(
                (a, b) ->
                    new Nearest(a.toReference.plus(b.toReference), a.toHoldout.plus(b.toHoldout)));
    shared.destroy();
    return nearest;
  }

  /** Ties give each table its part of the tied rows: for rows drawn afresh that is fair. */
  private static double shareNearer(Nearest nearest, int queries) {
    double sum = 0;
    for (int q = 0; q < queries; q++) {
      long real = nearest.toReference.first(q);
      long unseen = nearest.toHoldout.first(q);
      if (real < unseen) {
        sum += 1;
      } else if (real == unseen) {
        double realTies = nearest.toReference.ties(q);
        sum += realTies / (realTies + nearest.toHoldout.ties(q));
      }
    }
    return sum / queries;
  }

  /**
   * The share that two tables of one size would have.
   *
   * @param size of the holdout in terms of the reference
   */
  static double corrected(double share, double size) {
    if (share >= 1) {
      return 1;
    }
    double odds = share / (1 - share) * size;
    return odds / (1 + odds);
  }

  /** Wilson's interval of a share (1927). */
  static double[] wilson(double share, long n) {
    double middle = share + Z * Z / (2 * n);
    double spread = Z * Math.sqrt(share * (1 - share) / n + Z * Z / (4.0 * n * n));
    double scale = 1 + Z * Z / n;
    return new double[] {
      Math.max(0, (middle - spread) / scale), Math.min(1, (middle + spread) / scale)
    };
  }

  private static Distances distances(NearestTwo nearest, int begin, int count, int columns) {
    double[] first = new double[count];
    double zeros = 0;
    double ratios = 0;
    for (int q = 0; q < count; q++) {
      long nearestDistance = nearest.first(begin + q);
      long second = nearest.second(begin + q);
      first[q] = RecordSpace.distance(nearestDistance) / columns;
      zeros += nearestDistance == 0 ? 1 : 0;
      ratios += second == 0 || second == Long.MAX_VALUE ? 1 : (double) nearestDistance / second;
    }
    Arrays.sort(first);
    return new Distances(
        quantile(first, 0.5), quantile(first, 0.05), zeros / count, ratios / count);
  }

  private static double quantile(double[] sorted, double share) {
    double position = share * (sorted.length - 1);
    int low = (int) position;
    int high = Math.min(sorted.length - 1, low + 1);
    return sorted[low] + (position - low) * (sorted[high] - sorted[low]);
  }
}
