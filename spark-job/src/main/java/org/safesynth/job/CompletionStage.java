package org.safesynth.job;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.LongAccumulator;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.FrozenSchema;
import scala.Tuple2;

/**
 * Completes rows of which some cells are given: those of a table ({@code generation.conditions}),
 * or one cell a row by wanted shares ({@code generation.rebalance}).
 */
final class CompletionStage implements AutoCloseable {
  private static final int TASKS_PER_CORE = 2;

  private final RunContext context;
  private final FrozenSchema output; // the schema, of types that hold what is given
  private final RowCompleter model;
  private final boolean writesMissing;
  private final JavaPairRDD<Long, Object[]> given; // row number -> canonical cells, null if open
  private final long rows;
  private final boolean isPersisted;

  private CompletionStage(
      RunContext context,
      FrozenSchema output,
      RowCompleter model,
      boolean writesMissing,
      JavaPairRDD<Long, Object[]> given,
      long rows,
      boolean isPersisted) {
    this.context = context;
    this.output = output;
    this.model = model;
    this.writesMissing = writesMissing;
    this.given = given;
    this.rows = rows;
    this.isPersisted = isPersisted;
  }

  /** Whether the configuration gives something. */
  static boolean isAsked(SafeSynthesizerConfig config) {
    return config.generation().conditions() != null || config.generation().rebalance() != null;
  }

  /** The stage that the configuration asks for; what cannot be met is found here. */
  static CompletionStage of(RunContext context, FrozenSchema schema) {
    return of(context, schema, RowCompleter.of(context, schema));
  }

  static CompletionStage of(RunContext context, FrozenSchema schema, RowCompleter model) {
    String conditions = context.config().generation().conditions();
    if (conditions == null) {
      return ofShares(context, schema, model);
    }
    return ofTable(context, schema, model, conditions(context), true);
  }

  /** Opens the table of {@code generation.conditions}. */
  static TableSource conditions(RunContext context) {
    SafeSynthesizerConfig config = context.config();
    return TableSource.open(
        context.spark(),
        TableSource.Address.beside(
            context.hadoop(),
            config.generation().conditions(),
            config.data(),
            "generation.conditions",
            "complete"));
  }

  /**
   * Completes the cells of a table that are missing.
   *
   * @param writesMissing whether what is written instead may be missing again
   */
  static CompletionStage ofTable(
      RunContext context,
      FrozenSchema schema,
      RowCompleter model,
      TableSource table,
      boolean writesMissing) {
    GivenCells cells =
        GivenCells.of(table, schema, SchemaStage.missing(context.config().data(), table));
    JavaPairRDD<Long, Object[]> numbered =
        table.reading(() -> cells.numbered(table.rows())).persist(StorageLevel.MEMORY_AND_DISK());
    try {
      GivenCells.Checked checked =
          table.reading(() -> cells.check(numbered, model, context.console()));
      FreshKeys.require(checked.output(), model.codec(), column -> checked.openRows().get(column));
      if (context.config().privacy().dpEnabled()) {
        context
            .console()
            .warn(
                "completed rows hold what %s gives: privacy.json covers the model, not those values"
                    .formatted(table.name()));
      }
      return new CompletionStage(
          context, checked.output(), model, writesMissing, numbered, checked.rows(), true);
    } catch (RuntimeException e) {
      numbered.unpersist();
      throw e;
    }
  }

  private static CompletionStage ofShares(
      RunContext context, FrozenSchema schema, RowCompleter model) {
    SafeSynthesizerConfig config = context.config();
    if (model.codec() == null) {
      throw new BadInputException(
          "generation.rebalance needs the values that the adapter has learned, and %s tells none; train it again, or give the rows as generation.conditions"
              .formatted(context.folder().adapter()));
    }
    long rows = config.generation().numRecords();
    Map<String, Map<String, Double>> wanted = config.generation().shares();
    FreshKeys.require(schema, model.codec(), column -> rows);
    List<ShareAssignment> assignments =
        ShareAssignment.read(wanted, schema, model.codec(), rows, config.generationSeed());
    int columns = schema.columns().size();
    long shards = shards(rows);
    JavaRDD<Long> numbers =
        context
            .spark()
            .range(0, shards, 1, partitions(context, shards))
            .as(Encoders.LONG())
            .javaRDD();
    JavaPairRDD<Long, Object[]> given =
        numbers.flatMapToPair(shard -> assigned(shard, rows, columns, assignments));
    return new CompletionStage(context, schema, model, true, given, rows, false);
  }

  private static Iterator<Tuple2<Long, Object[]>> assigned(
      long shard, long rows, int columns, List<ShareAssignment> assignments) {
    List<Tuple2<Long, Object[]>> given = new ArrayList<>();
    long first = shard * CompletedShards.ROWS;
    for (long row = first; row < Math.min(rows, first + CompletedShards.ROWS); row++) {
      Object[] cells = new Object[columns];
      for (ShareAssignment assignment : assignments) {
        cells[assignment.column()] = assignment.of(row);
      }
      given.add(new Tuple2<>(row, cells));
    }
    return given.iterator();
  }

  private static long shards(long rows) {
    return (rows + CompletedShards.ROWS - 1) / CompletedShards.ROWS;
  }

  private static int partitions(RunContext context, long shards) {
    long tasks = (long) TASKS_PER_CORE * context.spark().sparkContext().defaultParallelism();
    return (int) Math.max(1, Math.min(shards, tasks));
  }

  /** Rows that will be written. */
  long rows() {
    return rows;
  }

  /** The completed table's Spark schema. */
  StructType type() {
    return GenerateStage.type(output);
  }

  /** The completed table in the given order; made when it is written. */
  Dataset<Row> table(LongAccumulator rowsDone) {
    return table(partitions(context, shards(rows)), rowsDone);
  }

  /** The table in some number of partitions. */
  Dataset<Row> table(int partitions, LongAccumulator rowsDone) {
    JavaPairRDD<Long, Object[]> inShards =
        given.repartitionAndSortWithinPartitions(new WholeShards(partitions, shards(rows)));
    JavaRDD<Row> rowsOut = inShards.mapPartitions(model.sampler(output, writesMissing, rowsDone));
    return context.spark().createDataFrame(rowsOut, type());
  }

  /** Sends neighbouring shards to the same partition, and partitions in the order of the rows. */
  static final class WholeShards extends Partitioner {
    private final int partitions;
    private final long shards;

    WholeShards(int partitions, long shards) {
      this.partitions = partitions;
      this.shards = shards;
    }

    @Override
    public int numPartitions() {
      return partitions;
    }

    @Override
    public int getPartition(Object row) {
      return (int) ((Long) row / CompletedShards.ROWS * partitions / shards);
    }
  }

  @Override
  public void close() {
    if (isPersisted) {
      given.unpersist();
    }
  }
}
