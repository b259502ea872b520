package org.safesynth.job;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.safesynth.codec.ParentColumns;
import org.safesynth.config.ParentTable;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import scala.Tuple2;

/**
 * A parent table and a child table as one table of groups: a group is a parent with its children.
 *
 * <p>A row of that table holds the parent's columns, a mark whether the parent has children, and
 * the child's columns without the foreign key, whose value the parent's key already is. A parent
 * without children is a group of one row, in which the child's columns are not there. So synthetic
 * parents come first and their children are written in their context, by the model of groups, and
 * every foreign key is its parent's key by construction.
 *
 * <p>More levels would go the same way: a table of a third level makes groups within the groups, so
 * that the memory of the rows would begin anew at each child, with the child's columns and the
 * parent's as what is constant; written rows would carry the numbers of both. Several child tables
 * of one parent would each have a mark and a decoder of their rows, all in the context of the
 * parent's columns.
 */
final class RelatedTables implements Serializable {
  private static final String PREFIX = "parent.";
  private static final String MARK = "has rows";

  private final FrozenSchema parent;
  private final FrozenSchema child;
  private final int key;
  private final int foreignKey;
  private final FrozenSchema joined;

  /**
   * @param key name of the parent's key
   * @param foreignKey name of the child's column that holds it
   */
  RelatedTables(FrozenSchema parent, FrozenSchema child, String key, String foreignKey) {
    this.parent = parent;
    this.child = child;
    this.key = names(parent).indexOf(key);
    this.foreignKey = names(child).indexOf(foreignKey);
    this.joined = new FrozenSchema(joinedColumns());
  }

  /** The tables of a run that has learned them. */
  static RelatedTables ofRun(RunContext context, FrozenSchema child) {
    ParentTable wish = context.config().data().parentTable();
    FrozenSchema parent = SchemaStage.read(context.folder(), RunFolder.PARENT_SCHEMA);
    return new RelatedTables(parent, child, wish.key(), wish.foreignKey());
  }

  /** Of joined rows: whether one is a child. */
  Column isChild() {
    return TableSource.column(names(joined).get(parentColumns() - 1)).equalTo(ParentColumns.SOME);
  }

  /** The child table, from joined rows in their order. */
  Dataset<Row> children(Dataset<Row> rows) {
    List<String> from = names(joined);
    Column[] columns = new Column[child.columns().size()];
    for (int c = 0; c < columns.length; c++) {
      ColumnSchema column = child.columns().get(c);
      Column value = TableSource.column(from.get(ofChild(c)));
      columns[c] =
          (c == foreignKey ? value.cast(DataType.fromDDL(column.type())) : value).as(column.name());
    }
    return rows.where(isChild()).select(columns);
  }

  /** The parent table, from the first joined row of each. */
  Dataset<Row> parents(Dataset<Row> rows) {
    List<String> from = names(joined);
    Column[] columns = new Column[parent.columns().size()];
    for (int c = 0; c < columns.length; c++) {
      columns[c] = TableSource.column(from.get(c)).as(parent.columns().get(c).name());
    }
    return rows.select(columns);
  }

  static List<String> names(FrozenSchema schema) {
    return schema.columns().stream().map(ColumnSchema::name).toList();
  }

  private List<ColumnSchema> joinedColumns() {
    Set<String> taken = new HashSet<>(names(child));
    List<ColumnSchema> columns = new ArrayList<>();
    for (ColumnSchema column : parent.columns()) {
      columns.add(column.withName(free(PREFIX + column.name(), taken)));
    }
    columns.add(
        new ColumnSchema(
            free(PREFIX + MARK, taken),
            "string",
            ColumnKind.CATEGORICAL,
            false,
            0,
            0,
            null,
            null,
            null,
            List.of(ParentColumns.NONE, ParentColumns.SOME),
            0));
    for (int c = 0; c < child.columns().size(); c++) {
      if (c != foreignKey) {
        columns.add(child.columns().get(c));
      }
    }
    return columns;
  }

  private static String free(String name, Set<String> taken) {
    String free = name;
    while (!taken.add(free)) {
      free = PREFIX + free;
    }
    return free;
  }

  FrozenSchema parent() {
    return parent;
  }

  FrozenSchema child() {
    return child;
  }

  /** The columns of the table of groups. */
  FrozenSchema joined() {
    return joined;
  }

  /** The joined column whose equal values make a group. */
  int groupColumn() {
    return key;
  }

  /** Leading joined columns that are the parent's, the mark included. */
  int parentColumns() {
    return parent.columns().size() + 1;
  }

  /** The joined column of a child's column. */
  int ofChild(int column) {
    return column == foreignKey ? key : parentColumns() + column - (column > foreignKey ? 1 : 0);
  }

  /** A parent or a child, at its place. */
  private record Side(boolean isParent, Object[] cells) implements Serializable {}

  /**
   * Both tables' rows, those of a key together, the parent first.
   *
   * @param orderColumn of the child table; -1 for the source's order
   */
  Pairs pairs(
      Dataset<Row> parents,
      MapFunction<Row, Object[]> parentCells,
      Dataset<Row> children,
      MapFunction<Row, Object[]> childCells,
      int orderColumn,
      RecordIdentity identity,
      int partitions) {
    JavaPairRDD<GroupedRows.Place, Side> ofParents =
        parents
            .javaRDD()
            .mapPartitionsToPair(
                part -> {
                  RecordIdentity.Hasher hasher = identity.hasher();
                  return mapped(
                      part,
                      row -> {
                        Object[] cells = EncodedRows.called(parentCells, row);
                        RecordIdentity.Hash group = hash(hasher, cells[key]);
                        return new Tuple2<>(
                            new GroupedRows.Place(group.high(), group.low(), Long.MIN_VALUE, 0, 0),
                            new Side(true, cells));
                      });
                });
    JavaPairRDD<GroupedRows.Place, Side> ofChildren =
        GroupedRows.numbered(children, orderColumn)
            .mapPartitionsToPair(
                part -> {
                  RecordIdentity.Hasher hasher = identity.hasher();
                  return mapped(
                      part,
                      row -> {
                        Object[] cells = EncodedRows.called(childCells, row._1());
                        RecordIdentity.Hash group = hash(hasher, cells[foreignKey]);
                        RecordIdentity.Hash tie = hasher.ofCells(cells);
                        long order = orderColumn < 0 ? row._2() : (Long) cells[orderColumn];
                        return new Tuple2<>(
                            new GroupedRows.Place(
                                group.high(), group.low(), order, tie.high(), tie.low()),
                            new Side(false, cells));
                      });
                });
    int order = orderColumn < 0 ? -1 : ofChild(orderColumn);
    return new Pairs(
        ofParents
            .union(ofChildren)
            .repartitionAndSortWithinPartitions(
                new GroupedRows.ByGroup(partitions), new GroupedRows.ByPlace()),
        order);
  }

  /** Keys are compared as texts: one table may hold them as numbers and the other as texts. */
  private static RecordIdentity.Hash hash(RecordIdentity.Hasher hasher, Object key) {
    return hasher.ofCells(new Object[] {String.valueOf(key)});
  }

  private static <A, B> Iterator<B> mapped(
      Iterator<A> rows, java.util.function.Function<A, B> function) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return rows.hasNext();
      }

      @Override
      public B next() {
        return function.apply(rows.next());
      }
    };
  }

  /**
   * How the keys of both tables fit.
   *
   * @param parents rows of the parent table
   * @param childless parents without children
   * @param repeated rows of the parent table whose key an earlier row has
   * @param orphans rows of the child table whose parent is not there
   */
  record KeyFacts(long parents, long childless, long repeated, long orphans)
      implements Serializable {
    KeyFacts plus(KeyFacts other) {
      return new KeyFacts(
          parents + other.parents,
          childless + other.childless,
          repeated + other.repeated,
          orphans + other.orphans);
    }
  }

  /** The rows of both tables by key. */
  final class Pairs {
    private final JavaPairRDD<GroupedRows.Place, Side> sorted;
    private final int order;

    private Pairs(JavaPairRDD<GroupedRows.Place, Side> sorted, int order) {
      this.sorted = sorted;
      this.order = order;
    }

    /** Counts keys that do not fit. */
    KeyFacts facts() {
      return sorted
          .mapPartitions(part -> Arrays.asList(counted(part)).iterator())
          .reduce(KeyFacts::plus);
    }

    /** The table of groups; to be asked for only where all keys fit. */
    JavaRDD<GroupedRows.Member> members() {
      RelatedTables tables = RelatedTables.this;
      int orderOfRows = order;
      return sorted.mapPartitions(
          part -> new GroupedRows.Members(new Joining(part, tables), orderOfRows));
    }
  }

  private static KeyFacts counted(Iterator<Tuple2<GroupedRows.Place, Side>> rows) {
    long parents = 0;
    long withChildren = 0;
    long repeated = 0;
    long orphans = 0;
    GroupedRows.Place group = null;
    boolean hasParent = false;
    boolean hasChild = false;
    while (rows.hasNext()) {
      Tuple2<GroupedRows.Place, Side> row = rows.next();
      if (group == null || !isOfGroup(group, row._1())) {
        group = row._1();
        hasParent = false;
        hasChild = false;
      }
      if (row._2().isParent()) {
        parents++;
        repeated += hasParent ? 1 : 0;
        hasParent = true;
      } else {
        orphans += hasParent ? 0 : 1;
        withChildren += hasParent && !hasChild ? 1 : 0;
        hasChild = true;
      }
    }
    return new KeyFacts(parents, parents - withChildren, repeated, orphans);
  }

  private static boolean isOfGroup(GroupedRows.Place group, GroupedRows.Place row) {
    return row.high() == group.high() && row.low() == group.low();
  }

  /** Puts the parent's cells before each child's; looks one row ahead. */
  private static final class Joining implements Iterator<Tuple2<GroupedRows.Place, Object[]>> {
    private final Iterator<Tuple2<GroupedRows.Place, Side>> sorted;
    private final RelatedTables tables;
    private Tuple2<GroupedRows.Place, Side> next;
    private Object[] parent;

    Joining(Iterator<Tuple2<GroupedRows.Place, Side>> sorted, RelatedTables tables) {
      this.sorted = sorted;
      this.tables = tables;
      advance();
    }

    private void advance() {
      next = sorted.hasNext() ? sorted.next() : null;
    }

    @Override
    public boolean hasNext() {
      return next != null;
    }

    @Override
    public Tuple2<GroupedRows.Place, Object[]> next() {
      if (next == null) {
        throw new NoSuchElementException();
      }
      Tuple2<GroupedRows.Place, Side> row = next;
      advance();
      if (!row._2().isParent()) {
        return new Tuple2<>(row._1(), tables.joined(parent, row._2().cells()));
      }
      parent = row._2().cells();
      if (next == null || next._2().isParent()) {
        return new Tuple2<>(row._1(), tables.joined(parent, null));
      }
      return next();
    }
  }

  /**
   * A row of the table of groups.
   *
   * @param ofChild null for a parent without children
   */
  private Object[] joined(Object[] ofParent, Object[] ofChild) {
    Object[] cells = new Object[joined.columns().size()];
    System.arraycopy(ofParent, 0, cells, 0, ofParent.length);
    cells[ofParent.length] = ofChild == null ? ParentColumns.NONE : ParentColumns.SOME;
    for (int c = 0; ofChild != null && c < ofChild.length; c++) {
      if (c != foreignKey) {
        cells[ofChild(c)] = ofChild[c];
      }
    }
    return cells;
  }
}
