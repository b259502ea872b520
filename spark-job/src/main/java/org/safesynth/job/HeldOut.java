package org.safesynth.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.not;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.safesynth.evaluate.TypedTable;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.FrozenSchema;

/**
 * Finds again which rows of the data source a run held out, by the same identities in the same
 * order: no raw row needs to be kept for it.
 */
final class HeldOut implements AutoCloseable {
  private static final String HIGH = "id_high";
  private static final String LOW = "id_low";

  private final String name;
  private final FrozenSchema schema;
  private final Dataset<Row> identified; // identity, then typed cells
  private final Column isHeldOut;
  private final boolean hasHoldout;

  private HeldOut(
      String name,
      FrozenSchema schema,
      Dataset<Row> identified,
      Column isHeldOut,
      boolean hasHoldout) {
    this.name = name;
    this.schema = schema;
    this.identified = identified;
    this.isHeldOut = isHeldOut;
    this.hasHoldout = hasHoldout;
  }

  /**
   * Splits the data source as the run did.
   *
   * @param split of the rows that the run read
   * @throws BadInputException when the data source has changed
   */
  static HeldOut of(RunContext context, TableSource table, FrozenSchema schema, Split split) {
    MapFunction<Row, Object[]> cells = SchemaStage.cells(context.config().data(), table, schema);
    int group = column(schema, context.config().data().groupTrainingExamplesBy());
    if (context.config().isSingleSeries()) {
      cells = withSegments(context, table, schema, cells);
      group = schema.columns().size();
    }
    Dataset<Row> identified = kept(context, table, cells, schema, group);
    long rows = table.reading(identified::count);
    if (rows != split.records()) {
      identified.unpersist();
      throw new BadInputException(
          "%s has %,d rows, and had %,d when the run learned it: give the same table as --data-source"
              .formatted(table.name(), rows, split.records()));
    }
    if (group >= 0) {
      WholeGroups.Cut cut = WholeGroups.of(identified, rows - 1, split.holdout())[0];
      Column isHeldOut =
          col(HIGH).lt(cut.high()).or(col(HIGH).equalTo(cut.high()).and(col(LOW).leq(cut.low())));
      return new HeldOut(table.name(), schema, identified, isHeldOut, cut.rows() > 0);
    }
    Column isHeldOut = lit(false);
    if (split.holdout() > 0) {
      Row last =
          identified
              .select(HIGH, LOW)
              .orderBy(HIGH, LOW)
              .limit(Math.toIntExact(split.holdout()))
              .orderBy(col(HIGH).desc(), col(LOW).desc())
              .head();
      isHeldOut =
          col(HIGH)
              .lt(last.getLong(0))
              .or(col(HIGH).equalTo(last.getLong(0)).and(col(LOW).leq(last.getLong(1))));
    }
    return new HeldOut(table.name(), schema, identified, isHeldOut, split.holdout() > 0);
  }

  /**
   * Splits the data source of a private run as the run did: each record's, or group's, own identity
   * decides, and a cell that does not fit the agreed domain is missing, as it was for the model.
   */
  static HeldOut ofPrivate(
      RunContext context, TableSource table, FrozenSchema schema, PrivateUnits units) {
    MapFunction<Row, Object[]> cells = PrivateSchema.cells(context.config().data(), table, schema);
    int group = column(schema, context.config().data().groupTrainingExamplesBy());
    Dataset<Row> identified = kept(context, table, cells, schema, group);
    Column isHeldOut = col(HIGH).lt(units.threshold());
    boolean hasHoldout = table.reading(() -> !identified.where(isHeldOut).isEmpty());
    return new HeldOut(table.name(), schema, identified, isHeldOut, hasHoldout);
  }

  /** -1 without a name. */
  private static int column(FrozenSchema schema, String name) {
    return name == null ? -1 : GroupStages.column(schema, name);
  }

  /** The cells of a single series, behind which stands the segment that is held out or not. */
  private static MapFunction<Row, Object[]> withSegments(
      RunContext context,
      TableSource table,
      FrozenSchema schema,
      MapFunction<Row, Object[]> cells) {
    int order = GroupStages.column(schema, context.config().orderColumn());
    return table.reading(
        () ->
            SingleSeries.cells(
                table.rows(),
                cells,
                schema.columns().get(order),
                order,
                SchemaStage.missing(context.config().data(), table)));
  }

  private static Dataset<Row> kept(
      RunContext context,
      TableSource table,
      MapFunction<Row, Object[]> cells,
      FrozenSchema schema,
      int group) {
    return identified(table.rows(), cells, schema, new RecordIdentity(context.seed()), group)
        .persist(StorageLevel.MEMORY_AND_DISK());
  }

  /**
   * Every row of a table with its identity, whose columns come first, and its typed cells.
   *
   * @param group column whose value is the identity of all rows of a group, which may stand behind
   *     those of the schema; -1: each row has its own
   */
  static Dataset<Row> identified(
      Dataset<Row> rows,
      MapFunction<Row, Object[]> cells,
      FrozenSchema schema,
      RecordIdentity identity,
      int group) {
    StructType type = new StructType().add(HIGH, DataTypes.LongType).add(LOW, DataTypes.LongType);
    int number = 0;
    for (StructField field : TypedTable.type(schema).fields()) {
      type = type.add("c" + number++, field.dataType()); // names may hold dots
    }
    StructType hashed = type;
    Column[] all = new Column[hashed.size()];
    for (int f = 0; f < all.length; f++) {
      all[f] = col(hashed.fieldNames()[f]);
    }
    Dataset<Row> named =
        rows.mapPartitions(
            (MapPartitionsFunction<Row, Row>) part -> hashed(part, cells, schema, identity, group),
            Encoders.row(hashed));
    if (group >= 0) {
      return named;
    }
    return named
        .groupBy(all)
        .count()
        .flatMap((FlatMapFunction<Row, Row>) row -> copies(row, identity), Encoders.row(hashed));
  }

  /** Rows of content hash and typed cells. */
  private static Iterator<Row> hashed(
      Iterator<Row> rows,
      MapFunction<Row, Object[]> cells,
      FrozenSchema schema,
      RecordIdentity identity,
      int group) {
    RecordIdentity.Hasher hasher = identity.hasher();
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return rows.hasNext();
      }

      @Override
      public Row next() {
        Object[] canonical = EncodedRows.called(cells, rows.next());
        boolean isOfGroup = group >= 0;
        RecordIdentity.Hash hash =
            hasher.ofCells(isOfGroup ? new Object[] {canonical[group]} : canonical);
        int columns = schema.columns().size();
        Object[] row = new Object[columns + 2];
        row[0] = isOfGroup ? NumberedCopies.signed(hash.high()) : hash.high();
        row[1] = isOfGroup ? NumberedCopies.signed(hash.low()) : hash.low();
        for (int c = 0; c < columns; c++) {
          row[c + 2] = TypedTable.cell(schema.columns().get(c), canonical[c]);
        }
        return RowFactory.create(row);
      }
    };
  }

  /** One row with an identity of its own for each of some equal rows. */
  private static Iterator<Row> copies(Row row, RecordIdentity identity) {
    RecordIdentity.Hasher hasher = identity.hasher();
    long copies = row.getLong(row.size() - 1);
    List<Row> rows = new ArrayList<>();
    for (long copy = 0; copy < copies; copy++) {
      RecordIdentity.Hash id = hasher.ofOccurrence(row.getLong(0), row.getLong(1), copy);
      Object[] cells = new Object[row.size() - 1];
      cells[0] = NumberedCopies.signed(id.high());
      cells[1] = NumberedCopies.signed(id.low());
      for (int c = 2; c < cells.length; c++) {
        cells[c] = row.get(c);
      }
      rows.add(RowFactory.create(cells));
    }
    return rows.iterator();
  }

  /** The rows that were not held out: those that were trained on or decided when to stop. */
  TypedTable reference() {
    return part(name, identified.where(not(isHeldOut)));
  }

  /** The rows that nothing was learned from. */
  Optional<TypedTable> holdout() {
    return hasHoldout
        ? Optional.of(part("the holdout of " + name, identified.where(isHeldOut)))
        : Optional.empty();
  }

  private TypedTable part(String label, Dataset<Row> rows) {
    Dataset<Row> cells = rows.drop(HIGH, LOW).toDF(TypedTable.type(schema).fieldNames());
    return new TypedTable(label, cells, TypedTable.columns(schema));
  }

  @Override
  public void close() {
    identified.unpersist();
  }
}
