package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.Serializable;

/**
 * Where the groups are rows of a parent table with their children: which columns of a row are the
 * parent's. They come first, the same in all rows of the group, and behind them whether there are
 * children; a parent without any is a group of one row, whose other columns are not there.
 *
 * @param columns leading columns that are the parent's, the mark included
 * @param meanChildren children of a parent, on average, those without any counted
 * @param origin the parent's date that no child's comes before, from which the first child's is
 *     measured; null where there is none
 */
public record ParentColumns(
    @JsonProperty("columns") int columns,
    @JsonProperty("mean_children") double meanChildren,
    @JsonProperty("origin") Integer origin)
    implements Serializable {
  /** What the mark says of a parent without children; its first value. */
  public static final String NONE = "false";

  /** What the mark says of one with children; its second value. */
  public static final String SOME = "true";

  /** The column of the mark. */
  public int marker() {
    return columns - 1;
  }
}
