package org.safesynth.job;

import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;
import org.safesynth.generate.Endings;
import org.safesynth.marginal.Marginals;
import org.safesynth.marginal.Simplex;
import org.safesynth.privacy.CountNoise;
import org.safesynth.privacy.LedgerEntry;
import org.safesynth.privacy.SecretStreams;
import org.safesynth.privacy.SecretStreams.Purpose;

/**
 * Buys noisy counts of groups: how long they are, which columns never change within one, and the
 * histogram of every column.
 *
 * <p>One group more or less changes the histogram of sizes by one in one cell: L2 sensitivity 1. It
 * changes the number of groups in which a column varies by at most one for each of T columns: √T.
 * It changes the histogram of each of T positions by at most K in L2, since {@link
 * GroupCounts#ofPositions} scales a group's own histogram down to that: K√T. Without that bound it
 * would be L√T, L the most rows of a group, and noise would leave little. Tables of pairs are not
 * of all rows, for which they would cost K again, but of one record a group ({@link GroupRecords}):
 * their sensitivities are those of {@link MarginalStage}.
 */
final class GroupMarginalStage {
  /** Of larger groups only so many rows are told apart. */
  private static final int MOST_ROWS = 2_000;

  private static final double SIZES = 0.05;
  private static final double VARYING = 0.05;
  private static final double ONES = 0.2;
  private static final double FIRSTS = 0.3;
  private static final double NOISE_EXCEEDS = 0.01; // probability that any cell's noise is above
  private static final double NEARLY_ALL = 0.995;
  private static final int LEAST_ROWS = 2;
  private static final double FEW_LEFT = 0.03; // of all groups: noise is seen among them
  private static final double LEAST_SHARE = 1e-3;
  private static final double FEW = 0.005; // of groups with a second row

  private final Purchases purchases;
  private final SecretStreams streams;
  private final double rho;

  /**
   * @param rho zero-concentrated budget of all counts together
   */
  GroupMarginalStage(Purchases purchases, SecretStreams streams, double rho) {
    this.purchases = purchases;
    this.streams = streams;
    this.rho = rho;
  }

  /** Those of {@link #sizeCells} that a group of at most so many rows can have. */
  static int[] sizeCells(int mostRows) {
    return Arrays.stream(sizeCells()).filter(low -> low <= mostRows).toArray();
  }

  /** Least sizes of the histogram's cells: single ones, then eighths of what they are. */
  static int[] sizeCells() {
    int[] lows = new int[MOST_ROWS];
    int cells = 0;
    for (int low = 1; low <= MOST_ROWS; low += Math.max(1, low / 8)) {
      lows[cells++] = low;
    }
    return Arrays.copyOf(lows, cells);
  }

  /**
   * Numbers of groups by their number of rows.
   *
   * @param lows (cells) least number of rows
   * @param groups (cells) noisy, none negative
   */
  record Sizes(int[] lows, double[] groups) {
    private double total() {
      return Arrays.stream(groups).sum();
    }

    /** The number of rows that nearly all groups do not exceed. */
    int nearlyAll() {
      double seen = 0;
      for (int i = 0; i < lows.length; i++) {
        seen += groups[i];
        if (seen >= NEARLY_ALL * total()) {
          return Math.max(LEAST_ROWS, highest(i));
        }
      }
      return MOST_ROWS;
    }

    private int highest(int cell) {
      return cell + 1 < lows.length ? lows[cell + 1] - 1 : MOST_ROWS;
    }

    /** Mean number of rows where at most so many are kept. */
    double meanRows(int mostRows) {
      double rows = 0;
      for (int i = 0; i < lows.length; i++) {
        rows += groups[i] * Math.min(mostRows, (lows[i] + highest(i)) / 2.0);
      }
      return Math.max(1, rows / total());
    }

    /**
     * Of the groups that have so many rows, the share that ends there, for fewer than so many rows.
     * Where few groups are left it is one share for all further rows.
     */
    Endings endings(int mostRows) {
      double[] shares = new double[mostRows - 1];
      double left = total();
      for (int i = 0; i < lows.length && lows[i] < mostRows; i++) {
        int cellEnd = Math.min(mostRows - 1, highest(i));
        boolean isTail = left < FEW_LEFT * total();
        double ending = 0;
        double rows = 0; // of groups that could end
        for (int k = i; isTail && k < lows.length && lows[k] < mostRows; k++) {
          double width = highest(k) - lows[k] + 1.0;
          ending += groups[k];
          rows += after(k) * width + groups[k] * (width + 1) / 2;
        }
        if (!isTail) {
          double width = cellEnd - lows[i] + 1.0;
          ending = groups[i];
          rows = after(i) * width + groups[i] * (width + 1) / 2;
        }
        double share = Math.max(LEAST_SHARE, Math.min(1 - LEAST_SHARE, ending / Math.max(1, rows)));
        Arrays.fill(shares, lows[i] - 1, isTail ? shares.length : cellEnd, share);
        if (isTail) {
          break;
        }
        left -= groups[i];
      }
      return new Endings(shares);
    }

    /** Groups of more rows than a cell's. */
    private double after(int cell) {
      return Arrays.stream(groups, cell + 1, groups.length).sum();
    }

    /** Groups with a second row. */
    double ofSeveralRows() {
      return total() - groups[0];
    }
  }

  /**
   * The sizes.
   *
   * @param records number of groups, public or noisy
   */
  Sizes sizes(double records, Supplier<long[]> exact) {
    CountNoise noise = CountNoise.gaussian(Math.sqrt(1 / (2 * SIZES * rho)));
    double[] noisy =
        purchases
            .once(
                LedgerEntry.of(
                    "group sizes", "how many groups have how many rows", noise.mechanism(1)),
                () -> noisy(new long[][] {exact.get()}, noise, 4))[0];
    return new Sizes(sizeCells(), Simplex.project(noisy, records));
  }

  private double[][] noisy(long[][] exact, CountNoise noise, long part) {
    double[][] noisy = new double[exact.length][];
    for (int k = 0; k < exact.length; k++) {
      noisy[k] = noise.addTo(exact[k], streams, Purpose.MARGINAL_NOISE, part, k);
    }
    return noisy;
  }

  /**
   * Which columns have one value in every group, as far as noise lets see: those that vary in few
   * of the groups that could show it.
   */
  boolean[] constant(int columns, double ofSeveralRows, Supplier<long[]> exact) {
    CountNoise noise = CountNoise.gaussian(Math.sqrt(columns / (2 * VARYING * rho)));
    double[] varying =
        purchases
            .once(
                LedgerEntry.of(
                    "varying columns",
                    "in how many groups each column has more than one value",
                    noise.mechanism(Math.sqrt(columns))),
                () -> noisy(new long[][] {exact.get()}, noise, 5))[0];
    double slack = noise.sigma() * Math.sqrt(2 * Math.log(columns / NOISE_EXCEEDS));
    boolean[] constant = new boolean[columns];
    for (int c = 0; c < columns; c++) {
      constant[c] = ofSeveralRows > 4 * slack && varying[c] <= slack + FEW * ofSeveralRows;
    }
    return constant;
  }

  /**
   * Counts of rows at each position, none negative.
   *
   * @param bound K
   * @param exact (positions, tokens) in {@link GroupCounts#UNIT}, counted when they are needed
   */
  double[][] ones(int positions, double bound, Supplier<long[][]> exact) {
    double budget = ONES * rho;
    double sensitivity = bound * GroupCounts.UNIT * Math.sqrt(positions);
    CountNoise noise = CountNoise.gaussian(sensitivity / Math.sqrt(2 * budget));
    double[][] noisy =
        purchases.once(
            LedgerEntry.of(
                "single columns",
                "noisy histogram of every column, a row of a group counting %d and a group at most %s rows in L2"
                    .formatted(GroupCounts.UNIT, bound),
                noise.mechanism(sensitivity)),
            () -> noisy(exact.get(), noise, 0));
    double[][] counts = new double[noisy.length][];
    for (int t = 0; t < counts.length; t++) {
      double[] rows = Arrays.stream(noisy[t]).map(x -> x / GroupCounts.UNIT).toArray();
      counts[t] = Simplex.project(rows, Math.max(1, Arrays.stream(rows).sum()));
    }
    return counts;
  }

  /**
   * Tables of first rows and of steps between rows; empty where they have too many cells.
   *
   * @param groups number of groups
   * @param ofSeveralRows number of groups with a second row
   * @param firsts counts (pairs, cells) of first rows when they are needed
   * @param steps likewise of steps
   */
  Optional<GroupNetwork> network(
      GroupRecords records,
      double groups,
      double ofSeveralRows,
      Supplier<long[][]> firsts,
      Supplier<long[][]> steps) {
    int[] ofFirst = records.sizesOfFirst();
    int[] ofStep = records.sizesOfStep();
    long cells = TokenCounts.cellsOfPairs(ofFirst) + TokenCounts.cellsOfPairs(ofStep);
    if (ofFirst.length < 2 || cells > MarginalStage.MOST_CELLS) {
      return Optional.empty();
    }
    boolean[] root = new boolean[ofFirst.length];
    root[0] = true;
    Marginals first =
        marginals(
            new MarginalStage.Kind("first rows ", "first rows of groups: ", 1),
            FIRSTS * rho,
            ofFirst,
            root,
            groups,
            firsts);
    Marginals ofSteps =
        marginals(
            new MarginalStage.Kind("steps ", "one step of a group from a row to the next: ", 2),
            (1 - SIZES - VARYING - ONES - FIRSTS) * rho,
            ofStep,
            records.knownOfStep(),
            Math.max(1, ofSeveralRows),
            steps);
    return Optional.of(new GroupNetwork(records, first, ofSteps));
  }

  private Marginals marginals(
      MarginalStage.Kind kind,
      double budget,
      int[] sizes,
      boolean[] known,
      double records,
      Supplier<long[][]> pairs) {
    MarginalStage stage = new MarginalStage(purchases, streams, budget, false, kind);
    MarginalStage.Once counts = new MarginalStage.Once(pairs);
    double[][] ones =
        stage.ones(sizes.length, records, () -> TokenCounts.ofPositions(counts.get(), sizes));
    return stage.pairs(ones, records, known, -1, counts);
  }
}
