package org.safesynth.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.safesynth.fault.RunFailedException;

/**
 * Groups in a token store of rows, which say whether they end their group. A very long group is
 * learned in windows, each a unit of its own: the last rows before it are read without loss, so
 * that the memory knows what came before, and its rows keep their numbers and times.
 */
public final class GroupStore {
  /** What the last position holds in the last row of a group that was cut there. */
  private static final int CUT = 2;

  private final TokenStore store;
  private final int[] noFeatures; // (features)
  private final boolean[] onlyFirst; // (positions)
  private final boolean[] neverFirst; // (positions)
  private final int marker;
  private final long firstRow;
  private final Windows windows;
  private long[] starts; // (units + 1) rows from firstRow
  private int[] earlier; // (units) rows of the group before the unit
  private int groups;

  /**
   * How long groups are cut.
   *
   * @param whole rows of a group that is learned whole, at most
   * @param rows of a window of a longer one, about
   * @param priming rows before a window that are read without loss, at most
   */
  public record Windows(int whole, int rows, int priming) {
    /**
     * What a group of 2,000 rows takes is still one piece. Windows are as long as segments of a
     * single series, since more of them make for better batches, and begin with a quarter more,
     * after which a gated memory that started empty knows what one that did not knows.
     */
    public static final Windows USUAL = new Windows(2_000, 500, 125);

    /** Every group is one unit. */
    public static final Windows NONE = new Windows(Integer.MAX_VALUE, 1, 0);
  }

  /**
   * Finds the groups of a store.
   *
   * @param store rows of positions and features; the last position's token 1 ends a group, and 2
   *     where it was cut
   * @param noFeatures (features) what the numbers behind a row's tokens, which tell its group's
   *     times up to it, are before the first row
   * @param firstRow number of the first row that is looked at
   * @param onlyFirst (positions) whether a position is drawn in a group's first row only
   * @param neverFirst (positions) whether a position is drawn in all rows but the first
   * @param marker position whose token 0 says that no position behind it is drawn; -1 for none
   * @param windows how long groups are cut
   */
  public GroupStore(
      TokenStore store,
      int[] noFeatures,
      long firstRow,
      boolean[] onlyFirst,
      boolean[] neverFirst,
      int marker,
      Windows windows) {
    this.store = store;
    this.noFeatures = noFeatures.clone();
    this.firstRow = firstRow;
    this.onlyFirst = onlyFirst.clone();
    this.neverFirst = neverFirst.clone();
    this.marker = marker;
    this.windows = windows;
    this.starts = new long[1024];
    this.earlier = new int[1024];
    int[] tokens = new int[store.positions()];
    for (long row = firstRow; row < store.records(); row++) {
      store.read(row, tokens);
      if (tokens[positions() - 1] >= 1) {
        addGroup(row + 1 - firstRow);
      }
    }
    if (allRows() != store.records() - firstRow) {
      throw new RunFailedException(
          "the encoded examples are corrupt: their last group has no end; delete the run's work folder and start again");
    }
  }

  private void addGroup(long end) {
    long start = starts[groups];
    long rows = end - start;
    long units = rows <= windows.whole() ? 1 : Math.round((double) rows / windows.rows());
    for (long unit = 0; unit < units; unit++) {
      if (groups + 2 > starts.length) {
        starts = Arrays.copyOf(starts, 2 * starts.length);
        earlier = Arrays.copyOf(earlier, 2 * earlier.length);
      }
      earlier[groups] = Math.toIntExact(starts[groups] - start);
      starts[++groups] = start + rows * (unit + 1) / units;
    }
  }

  /** Number of groups, where each window of a long one counts. */
  public int groups() {
    return groups;
  }

  /** Tokens of a row. */
  public int positions() {
    return store.positions() - noFeatures.length;
  }

  int features() {
    return noFeatures.length;
  }

  /** What a feature is before a group's first row. */
  int noFeature(int feature) {
    return noFeatures[feature];
  }

  /** Rows of all groups. */
  public long allRows() {
    return starts[groups];
  }

  /** Number of groups that make up the first rows. */
  public int groupsOf(long rows) {
    int found = Arrays.binarySearch(starts, 0, groups + 1, rows);
    if (found < 0 || (found < groups && earlier[found] > 0)) {
      throw new RunFailedException("the split of the examples cuts a group; start the run again");
    }
    return found;
  }

  /** Whether long groups are several units. */
  boolean hasWindows() {
    return windows.whole() < Integer.MAX_VALUE;
  }

  /** Mean rows of a unit that are learned. */
  public double meanRows() {
    return (double) allRows() / groups;
  }

  /** Rows that a unit has, those among them that come before it. */
  int rows(long group) {
    return (int) (starts[(int) group + 1] - starts[(int) group]) + priming(group);
  }

  /** First rows of a unit that are read without loss. */
  int priming(long group) {
    return Math.min(windows.priming(), earlier[(int) group]);
  }

  /** The number in the whole group of a unit's first row. */
  int firstIndex(long group) {
    return earlier[(int) group] - priming(group);
  }

  /**
   * Reads a row into {@code tokens} (positions + features).
   *
   * @param row of the unit; from {@code -firstIndex(group)}, those before it
   */
  void read(long group, int row, int[] tokens) {
    store.read(firstRow + starts[(int) group] - priming(group) + row, tokens);
  }

  /**
   * Whether a position is drawn in a group's row.
   *
   * @param row number in the whole group
   * @param tokens of the row
   */
  boolean isDrawn(int position, int row, int[] tokens) {
    if (marker >= 0 && position > marker && tokens[marker] == 0) {
      return false;
    }
    return row == 0 ? !neverFirst[position] : !onlyFirst[position];
  }

  /** Whether what a row says of its position is known: whether a cut group goes on is not. */
  boolean isKnown(int position, int token) {
    return position < positions() - 1 || token < CUT;
  }

  /**
   * Groups from the longest to the shortest, in parts of about so many rows.
   *
   * @param leastGroups of a part, but for the last one
   */
  List<long[]> parts(long[] drawn, int rowsOfAPart, int leastGroups) {
    Long[] sorted = Arrays.stream(drawn).boxed().toArray(Long[]::new);
    Arrays.sort(sorted, Comparator.comparingInt((Long g) -> rows(g)).reversed());
    List<long[]> parts = new ArrayList<>();
    int from = 0;
    int rows = 0;
    for (int i = 0; i < sorted.length; i++) {
      rows += rows(sorted[i]);
      if ((rows >= rowsOfAPart && i - from + 1 >= leastGroups) || i == sorted.length - 1) {
        parts.add(Arrays.stream(sorted, from, i + 1).mapToLong(Long::longValue).toArray());
        from = i + 1;
        rows = 0;
      }
    }
    return parts;
  }
}
