package org.safesynth.evaluate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;

import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.storage.StorageLevel;

/**
 * All compared tables as one: every distinct row once, with how often each table holds it. One
 * shuffle serves samples, copies and nearest neighbours.
 *
 * <p>A column that is numbers on one side and texts on the other takes two fields, of which each
 * side fills its own.
 */
final class Contents implements AutoCloseable {
  private final SharedColumns shared;
  private final Dataset<Row> rows; // counts of the three sides, then the fields
  private final int[] referenceFields; // (columns) field of a real cell
  private final int[] syntheticFields; // (columns) field of a synthetic cell
  private final long[] counts; // (sides) rows of each table
  private final long[] copied; // (sides) rows whose content the reference holds too

  private Contents(
      SharedColumns shared,
      Dataset<Row> rows,
      int[] referenceFields,
      int[] syntheticFields,
      long[] counts,
      long[] copied) {
    this.shared = shared;
    this.rows = rows;
    this.referenceFields = referenceFields;
    this.syntheticFields = syntheticFields;
    this.counts = counts;
    this.copied = copied;
  }

  /** Groups the tables' rows and keeps them until closed. */
  static Contents of(EvaluationInput input, SharedColumns shared) {
    int columns = shared.columns().size();
    int[] referenceFields = new int[columns];
    int[] syntheticFields = new int[columns];
    int fields = Side.values().length;
    for (int c = 0; c < columns; c++) {
      referenceFields[c] = fields++;
      syntheticFields[c] = shared.columns().get(c).isSameForm() ? referenceFields[c] : fields++;
    }
    Dataset<Row> all =
        side(input.reference(), shared, Side.REFERENCE, referenceFields, fields)
            .unionAll(side(input.synthetic(), shared, Side.SYNTHETIC, syntheticFields, fields));
    if (input.holdout().isPresent()) {
      all =
          all.unionAll(side(input.holdout().get(), shared, Side.HOLDOUT, referenceFields, fields));
    }
    Column[] keys = new Column[fields - Side.values().length];
    Column[] selected = new Column[fields];
    for (int f = 0; f < fields; f++) {
      selected[f] = col(name(f));
      if (f >= Side.values().length) {
        keys[f - Side.values().length] = col(name(f));
      }
    }
    Dataset<Row> grouped =
        all.groupBy(keys)
            .agg(sum(name(0)).as(name(0)), sum(name(1)).as(name(1)), sum(name(2)).as(name(2)))
            .select(selected)
            .persist(StorageLevel.MEMORY_AND_DISK());
    Row total = totals(grouped);
    return new Contents(
        shared,
        grouped,
        referenceFields,
        syntheticFields,
        new long[] {total.getLong(0), total.getLong(1), total.getLong(2)},
        new long[] {total.getLong(0), total.getLong(3), total.getLong(4)});
  }

  private static Row totals(Dataset<Row> grouped) {
    Column isReal = col(name(0)).gt(0);
    Column zero = lit(0L);
    return grouped
        .select(
            col(name(0)),
            col(name(1)),
            col(name(2)),
            org.apache.spark.sql.functions.when(isReal, col(name(1))).otherwise(zero).as("c1"),
            org.apache.spark.sql.functions.when(isReal, col(name(2))).otherwise(zero).as("c2"))
        .agg(sum(name(0)), sum(name(1)), sum(name(2)), sum("c1"), sum("c2"))
        .na()
        .fill(0L)
        .head();
  }

  private static Dataset<Row> side(
      TypedTable table, SharedColumns shared, Side side, int[] places, int fields) {
    Column[] selected = new Column[fields];
    for (Side any : Side.values()) {
      selected[any.ordinal()] = lit(any == side ? 1L : 0L).as(name(any.ordinal()));
    }
    int[] columns = shared.places(table);
    // Fields by place: names may hold dots and differ by case only.
    Dataset<Row> rows = table.rows().toDF(numbered(table.columns().size()));
    for (int c = 0; c < columns.length; c++) {
      selected[places[c]] = col("in" + columns[c]).as(name(places[c]));
    }
    List<SharedColumns.Pair> pairs = shared.columns();
    for (int c = 0, f = Side.values().length; c < pairs.size(); c++) {
      f = fill(selected, f, pairs.get(c).reference());
      if (!pairs.get(c).isSameForm()) {
        f = fill(selected, f, pairs.get(c).synthetic());
      }
    }
    return rows.select(selected);
  }

  private static int fill(Column[] selected, int field, Storage storage) {
    if (selected[field] == null) {
      selected[field] =
          lit(null)
              .cast(storage.isNumber() ? DataTypes.DoubleType : DataTypes.StringType)
              .as(name(field));
    }
    return field + 1;
  }

  private static String[] numbered(int columns) {
    List<String> names = new ArrayList<>();
    for (int c = 0; c < columns; c++) {
      names.add("in" + c);
    }
    return names.toArray(String[]::new);
  }

  private static String name(int field) {
    return "f" + field;
  }

  SharedColumns shared() {
    return shared;
  }

  /**
   * Every distinct row: at the places of {@link Side} how often each table holds it, then its
   * fields.
   */
  Dataset<Row> rows() {
    return rows;
  }

  /** Fields of the shared columns in the rows of a side. */
  int[] fields(Side side) {
    return side == Side.SYNTHETIC ? syntheticFields.clone() : referenceFields.clone();
  }

  long count(Side side) {
    return counts[side.ordinal()];
  }

  /** How many rows of a side equal a row of the reference in every shared column. */
  long copied(Side side) {
    return copied[side.ordinal()];
  }

  @Override
  public void close() {
    rows.unpersist();
  }
}
