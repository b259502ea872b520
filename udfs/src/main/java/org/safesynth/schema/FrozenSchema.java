package org.safesynth.schema;

import java.io.Serializable;
import java.util.List;

/** The table's columns, in its order, once agreed: nothing after inference changes it. */
public record FrozenSchema(List<ColumnSchema> columns) implements Serializable {
  public FrozenSchema {
    columns = List.copyOf(columns);
  }
}
