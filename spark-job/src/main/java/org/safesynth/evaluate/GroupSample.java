package org.safesynth.evaluate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.xxhash64;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.expressions.WindowSpec;

/**
 * The groups of a table: how many rows all of them have, and the rows of some, one group behind the
 * other and in order. Which ones depends on a keyed hash of the group's name alone.
 *
 * @param sizes number of groups by their number of rows
 * @param starts places in the rows at which groups begin, and the number of rows behind them
 * @param rows of the sampled groups: the columns that were asked for
 */
record GroupSample(TreeMap<Long, Long> sizes, int[] starts, Frame rows) {
  private static final int FEWEST_GROUPS = 30;

  /**
   * Draws groups of about as many rows as wanted, and some thirty groups where these are long.
   *
   * @param names the columns wanted; the order's first where there is one
   * @param limit rows wanted, and the most of a group, its first
   * @param key of the hash
   */
  static GroupSample draw(
      TypedTable table, GroupKeys keys, List<String> names, int limit, long key) {
    String[] numbered = new String[table.columns().size()];
    Column[] all = new Column[numbered.length + 1];
    for (int c = 0; c < numbered.length; c++) {
      numbered[c] = "in" + c; // names may hold dots and differ by case only
      all[c] = col(numbered[c]);
    }
    all[numbered.length] = lit(key);
    Column group = col(numbered[table.indexOf(keys.group())]);
    Dataset<Row> rows = table.rows().toDF(numbered).where(group.isNotNull());
    TreeMap<Long, Long> sizes = sizes(rows, group);
    long total = sizes.entrySet().stream().mapToLong(e -> e.getKey() * e.getValue()).sum();
    long groups = sizes.values().stream().mapToLong(n -> n).sum();
    double expected = // groups
        Math.max((double) groups * limit / Math.max(1, total), FEWEST_GROUPS);
    long threshold = KeyedSample.threshold(expected, groups);
    Column hash = xxhash64(group, lit(key));
    WindowSpec ofGroup = Window.partitionBy(group);
    // Rows that the order does not tell apart follow one another by a hash of what they hold.
    Column tie = xxhash64(all);
    WindowSpec inOrder =
        keys.order() == null
            ? ofGroup.orderBy(tie)
            : ofGroup.orderBy(col(numbered[table.indexOf(keys.order())]).asc_nulls_first(), tie);
    Column[] wanted = new Column[names.size() + 1];
    wanted[0] = col("place");
    for (int c = 0; c < names.size(); c++) {
      wanted[c + 1] = col(numbered[table.indexOf(names.get(c))]);
    }
    List<Row> drawn =
        rows.where(hash.leq(threshold))
            .withColumn("hash", hash)
            .withColumn("place", row_number().over(inOrder))
            .where(col("place").leq(limit))
            .orderBy(col("hash"), group, col("place"))
            .select(wanted)
            .collectAsList();
    return new GroupSample(sizes, starts(drawn), frame(table, names, drawn));
  }

  private static TreeMap<Long, Long> sizes(Dataset<Row> rows, Column group) {
    TreeMap<Long, Long> sizes = new TreeMap<>();
    rows.groupBy(group)
        .agg(count(lit(1)).as("rows"))
        .groupBy("rows")
        .agg(count(lit(1)))
        .collectAsList()
        .forEach(row -> sizes.put(row.getLong(0), row.getLong(1)));
    return sizes;
  }

  private static int[] starts(List<Row> drawn) {
    List<Integer> starts = new ArrayList<>();
    for (int i = 0; i < drawn.size(); i++) {
      if (drawn.get(i).getInt(0) == 1) {
        starts.add(i);
      }
    }
    starts.add(drawn.size());
    return starts.stream().mapToInt(i -> i).toArray();
  }

  private static Frame frame(TypedTable table, List<String> names, List<Row> drawn) {
    List<FrameColumn> columns = new ArrayList<>();
    for (int c = 0; c < names.size(); c++) {
      int field = c + 1;
      Storage storage = table.columns().get(table.indexOf(names.get(c))).storage();
      columns.add(
          storage.isNumber()
              ? FrameColumn.ofNumbers(
                  names.get(c),
                  storage,
                  drawn.stream()
                      .mapToDouble(row -> row.isNullAt(field) ? Double.NaN : row.getDouble(field))
                      .toArray())
              : FrameColumn.ofTexts(
                  names.get(c),
                  storage,
                  drawn.stream().map(row -> row.getString(field)).toArray(String[]::new)));
    }
    return new Frame(drawn.size(), columns);
  }

  /** Number of groups of the whole table. */
  long groups() {
    return sizes.values().stream().mapToLong(n -> n).sum();
  }

  /** Number of sampled groups. */
  int sampled() {
    return starts.length - 1;
  }
}
