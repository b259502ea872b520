package org.safesynth.job;

import java.io.Serializable;
import java.util.List;
import org.safesynth.codec.SeriesSpan;
import org.safesynth.generate.SeriesRules;

/**
 * What an adapter has seen of the groups of its table.
 *
 * @param group column that makes them; null for a single series, learned in segments
 * @param order column that orders their rows, or null
 * @param constant columns with one value in each group, the group's own left out
 * @param groups number of groups
 * @param rows of all groups
 * @param mostRows of the longest group that was learned
 * @param units examples that the groups make: each is one, or a series longer than the context
 *     several
 * @param series null for groups that are no time series
 */
record Grouping(
    String group,
    String order,
    List<String> constant,
    long groups,
    long rows,
    int mostRows,
    long units,
    Series series)
    implements Serializable {
  /**
   * The times of time series.
   *
   * @param first tick of all
   * @param last tick of those that value protection leaves
   * @param clock of times of day, those that value protection leaves; null for others
   */
  record Series(SeriesSpan span, long first, long last, double meanStep, SeriesRules.Clock clock)
      implements Serializable {}

  double meanRows() {
    return (double) rows / groups;
  }
}
