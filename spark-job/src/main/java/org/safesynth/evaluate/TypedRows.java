package org.safesynth.evaluate;

import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.safesynth.schema.CellReader;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/** Turns the rows of a partition into those of a {@link TypedTable}. */
final class TypedRows implements Iterator<Row> {
  private final Iterator<Row> rows;
  private final List<ColumnSchema> columns;
  private final CellReader[] readers;

  TypedRows(Iterator<Row> rows, FrozenSchema schema, Set<String> missing) {
    this.rows = rows;
    this.columns = schema.columns();
    this.readers =
        columns.stream().map(column -> CellReader.of(column, missing)).toArray(CellReader[]::new);
  }

  @Override
  public boolean hasNext() {
    return rows.hasNext();
  }

  @Override
  public Row next() {
    Row row = rows.next();
    Object[] cells = new Object[readers.length];
    for (int c = 0; c < cells.length; c++) {
      cells[c] = TypedTable.cell(columns.get(c), readers[c].read(row.get(c)));
    }
    return RowFactory.create(cells);
  }
}
