package org.safesynth.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.when;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.safesynth.codec.ParentColumns;
import org.safesynth.evaluate.ChildCounts;
import org.safesynth.evaluate.EvaluationInput;
import org.safesynth.evaluate.GroupKeys;
import org.safesynth.evaluate.Storage;
import org.safesynth.evaluate.TypedColumn;
import org.safesynth.evaluate.TypedTable;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * Two related tables as the evaluation takes them: the rows with their parents' columns beside
 * them, so that what a parent tells of its rows is judged like any pair of columns; and the parents
 * with the number of their rows. The holdout is of whole parents, found again as {@link HeldOut}
 * does.
 */
final class RelatedEvaluation implements AutoCloseable {
  private static final String HIGH = "id_high";
  private static final String LOW = "id_low";
  private static final String INDEX = "row_of_group";
  private static final String CHILDREN = "number of rows";

  private final RelatedTables tables;
  private final String name;
  private final String parentName;
  private final Optional<GroupKeys> keys;
  private final Dataset<Row> real;
  private final Dataset<Row> synthetic;
  private final Column isHeldOut;
  private final boolean hasHoldout;
  private final RelatedTables.KeyFacts keysWritten;

  private RelatedEvaluation(
      RelatedTables tables,
      String name,
      String parentName,
      Optional<GroupKeys> keys,
      Dataset<Row> real,
      Dataset<Row> synthetic,
      WholeGroups.Cut holdout,
      RelatedTables.KeyFacts keysWritten) {
    this.tables = tables;
    this.name = name;
    this.parentName = parentName;
    this.keys = keys;
    this.real = real;
    this.synthetic = synthetic;
    this.isHeldOut =
        col(HIGH)
            .lt(holdout.high())
            .or(col(HIGH).equalTo(holdout.high()).and(col(LOW).leq(holdout.low())));
    this.hasHoldout = holdout.rows() > 0;
    this.keysWritten = keysWritten;
  }

  /**
   * Reads both pairs of tables.
   *
   * @param split of the rows that the run read
   * @throws BadInputException when a data source has changed
   */
  static RelatedEvaluation of(
      RunContext context, TableSource children, FrozenSchema child, Split split) {
    RelatedTables tables = RelatedTables.ofRun(context, child);
    TableSource parents = RelatedStage.open(context);
    RelatedTables.Pairs pairs =
        pairs(
            context,
            tables,
            new Rows(
                parents.rows(),
                SchemaStage.cells(context.config().data(), parents, tables.parent())),
            new Rows(children.rows(), SchemaStage.cells(context.config().data(), children, child)));
    Dataset<Row> real = typed(context, tables, pairs.members());
    long rows = parents.reading(() -> children.reading(real::count));
    if (rows != split.records()) {
      real.unpersist();
      throw new BadInputException(
          "%s and %s have other rows than when the run learned them: give the same tables"
              .formatted(children.name(), parents.name()));
    }
    WholeGroups.Cut holdout = WholeGroups.of(real, rows - 1, split.holdout())[0];
    RelatedTables.Pairs written = written(context, tables);
    return new RelatedEvaluation(
        tables,
        children.name(),
        parents.name(),
        EvaluateStage.groups(context.config()),
        real,
        typed(context, tables, written.members()),
        holdout,
        written.facts());
  }

  /** A table's rows, and what reads their cells. */
  private record Rows(
      Dataset<Row> rows, org.apache.spark.api.java.function.MapFunction<Row, Object[]> cells) {}

  /** The tables that the run wrote. */
  static RelatedTables.Pairs written(RunContext context, RelatedTables tables) {
    Dataset<Row> parents =
        context.spark().read().parquet(context.folder().syntheticParent().toString());
    Dataset<Row> children = context.spark().read().parquet(context.folder().synthetic().toString());
    return pairs(
        context,
        tables,
        new Rows(parents, SchemaStage.cells(tables.parent(), parents.schema())),
        new Rows(children, SchemaStage.cells(tables.child(), children.schema())));
  }

  private static RelatedTables.Pairs pairs(
      RunContext context, RelatedTables tables, Rows parents, Rows children) {
    String order = context.config().orderColumn();
    return tables.pairs(
        parents.rows(),
        parents.cells(),
        children.rows(),
        children.cells(),
        order == null ? -1 : RelatedTables.names(tables.child()).indexOf(order),
        new RecordIdentity(context.seed()),
        GroupStages.partitions(context));
  }

  /** Identity, number in the group, typed cells of the joined columns. */
  private static Dataset<Row> typed(
      RunContext context, RelatedTables tables, JavaRDD<GroupedRows.Member> members) {
    FrozenSchema schema = tables.joined();
    StructType type =
        new StructType()
            .add(HIGH, DataTypes.LongType)
            .add(LOW, DataTypes.LongType)
            .add(INDEX, DataTypes.IntegerType);
    int number = 0;
    for (StructField field : TypedTable.type(schema).fields()) {
      type = type.add(cell(number++), field.dataType()); // names may hold dots
    }
    JavaRDD<Row> rows =
        members.map(
            member -> {
              Object[] row = new Object[member.cells().length + 3];
              row[0] = NumberedCopies.signed(member.high());
              row[1] = NumberedCopies.signed(member.low());
              row[2] = member.index();
              for (int c = 0; c < member.cells().length; c++) {
                row[c + 3] = TypedTable.cell(schema.columns().get(c), member.cells()[c]);
              }
              return RowFactory.create(row);
            });
    return context.spark().createDataFrame(rows, type).persist(StorageLevel.MEMORY_AND_DISK());
  }

  private static String cell(int column) {
    return "c" + column;
  }

  private Column isChild() {
    return col(cell(tables.parentColumns() - 1)).equalTo(ParentColumns.SOME);
  }

  /** The rows, each with its parent's columns. */
  EvaluationInput ofChildren() {
    return new EvaluationInput(
        children(name, real.where(not(isHeldOut))),
        children("the synthetic table", synthetic),
        hasHoldout
            ? Optional.of(children("the holdout of " + name, real.where(isHeldOut)))
            : Optional.empty(),
        keys,
        Optional.of(
            new ChildCounts(
                name,
                sizes(real.where(not(isHeldOut))),
                sizes(synthetic),
                keysWritten.orphans(),
                keysWritten.repeated())),
        Optional.empty());
  }

  /** The parents without their key, each with the number of its rows. */
  EvaluationInput ofParents() {
    return new EvaluationInput(
        parents(parentName, real.where(not(isHeldOut))),
        parents("the synthetic parent table", synthetic),
        hasHoldout
            ? Optional.of(parents("the holdout of " + parentName, real.where(isHeldOut)))
            : Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  private TypedTable children(String label, Dataset<Row> joined) {
    List<Integer> from = new ArrayList<>();
    List<ColumnSchema> columns = new ArrayList<>();
    for (int c = 0; c < tables.child().columns().size(); c++) {
      from.add(tables.ofChild(c));
      ColumnSchema column = tables.joined().columns().get(tables.ofChild(c));
      columns.add(column.withName(tables.child().columns().get(c).name()));
    }
    for (int c = 0; c < tables.parentColumns() - 1; c++) {
      if (c != tables.groupColumn()) {
        from.add(c);
        columns.add(tables.joined().columns().get(c));
      }
    }
    FrozenSchema schema = new FrozenSchema(columns);
    Column[] cells = from.stream().map(c -> col(cell(c))).toArray(Column[]::new);
    Dataset<Row> rows = joined.where(isChild()).select(cells);
    return new TypedTable(
        label, rows.toDF(TypedTable.type(schema).fieldNames()), TypedTable.columns(schema));
  }

  private TypedTable parents(String label, Dataset<Row> joined) {
    List<String> names = RelatedTables.names(tables.parent());
    List<TypedColumn> of = TypedTable.columns(tables.parent());
    List<TypedColumn> columns = new ArrayList<>();
    List<Column> cells = new ArrayList<>();
    for (int c = 0; c < names.size(); c++) {
      if (c != tables.groupColumn()) { // the key is a name, and no score should look at it
        columns.add(of.get(c));
        cells.add(col(cell(c)));
      }
    }
    columns.add(new TypedColumn(free(CHILDREN, names), Storage.INTEGER));
    cells.add(col(CHILDREN).cast(DataTypes.DoubleType));
    Dataset<Row> rows =
        joined
            .where(col(INDEX).equalTo(0))
            .join(counted(joined), new String[] {HIGH, LOW})
            .select(cells.toArray(Column[]::new));
    return new TypedTable(label, rows, columns);
  }

  /** The number of rows of each parent. */
  private Dataset<Row> counted(Dataset<Row> joined) {
    return joined.groupBy(HIGH, LOW).agg(count(when(isChild(), lit(1))).as(CHILDREN));
  }

  private static String free(String name, List<String> taken) {
    return taken.contains(name) ? free(name + " ", taken) : name;
  }

  private TreeMap<Long, Long> sizes(Dataset<Row> joined) {
    TreeMap<Long, Long> sizes = new TreeMap<>();
    for (Row row : counted(joined).groupBy(CHILDREN).count().collectAsList()) {
      sizes.put(row.getLong(0), row.getLong(1));
    }
    return sizes;
  }

  @Override
  public void close() {
    real.unpersist();
    synthetic.unpersist();
  }
}
