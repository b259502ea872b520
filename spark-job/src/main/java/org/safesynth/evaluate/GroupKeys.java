package org.safesynth.evaluate;

import java.util.List;

/**
 * The columns that make a table one of groups.
 *
 * @param group rows with the same value belong together
 * @param order by which the rows of a group follow one another, or null
 */
public record GroupKeys(String group, String order) {
  /** Both, or the one there is. */
  List<String> names() {
    return order == null ? List.of(group) : List.of(group, order);
  }
}
