package org.safesynth.schema;

import java.io.Serializable;
import java.util.List;

/** What the passes over the table counted, column by column, in the table's order. */
public record TableProfile(long rows, List<ColumnProfile> columns) implements Serializable {
  public TableProfile {
    columns = List.copyOf(columns);
  }
}
