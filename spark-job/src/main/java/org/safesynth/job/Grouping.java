package org.safesynth.job;

import java.io.Serializable;
import java.util.List;

/**
 * What an adapter has seen of the groups of its table.
 *
 * @param group column that makes them
 * @param order column that orders their rows, or null
 * @param constant columns with one value in each group, the group's own left out
 * @param groups number of groups
 * @param rows of all groups
 * @param mostRows of the longest group that was learned
 */
record Grouping(
    String group, String order, List<String> constant, long groups, long rows, int mostRows)
    implements Serializable {
  double meanRows() {
    return (double) rows / groups;
  }
}
