package org.safesynth.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count_if;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.monotonically_increasing_id;
import static org.apache.spark.sql.functions.not;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Observation;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.LongAccumulator;
import org.safesynth.codec.FieldCodec;
import org.safesynth.fault.RunFailedException;
import org.safesynth.schema.CellWriter;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.OutputType;
import scala.Tuple2;

/**
 * Rows that meet {@code generation.constraints}: sampled freely, and those that do not are thrown
 * away and counted, so that what is left is distributed as the model's rows that meet them. Masking
 * tokens instead would leave the columns written before as if nothing had been asked for; of a
 * pretrained model, whose rows are dear, ranges are masked all the same.
 */
final class ConstrainedStage {
  /** Rows that are sampled for each that is wanted, at most. */
  private static final long MOST_TRIES = 200;

  private static final long LEAST_LIMIT = 50_000; // a few seconds of the embedded model's
  private static final double SPARE = 1.1;
  private static final String ROUND = "__safesynth_round";
  private static final String PLACE = "__safesynth_place";

  private final RunContext context;
  private final FrozenSchema schema;
  private final RowConstraints constraints;
  private final long leastLimit;
  private final Candidates candidates;
  private final Long[] lastKeys; // (columns) null for what has no fresh keys
  private final long[] missed; // (constraints)
  private long tried;
  private long kept;

  /** Samples further rows of a table that has no end. */
  interface Candidates {
    /**
     * Rows.
     *
     * @param from number of the first, with which a shard begins
     * @param rows how many at least: the last shard is whole
     * @param output the schema of the rows, whose types hold the keys of any number of them
     * @param rowsDone tasks add the rows of each finished shard
     */
    Dataset<Row> of(long from, long rows, FrozenSchema output, LongAccumulator rowsDone);
  }

  /**
   * @param codec that makes fresh keys; null where nothing is known of them
   * @param leastLimit rows that are sampled before a run is given up, however few are wanted
   */
  ConstrainedStage(
      RunContext context,
      FrozenSchema schema,
      FieldCodec codec,
      RowConstraints constraints,
      long leastLimit,
      Candidates candidates) {
    this.context = context;
    this.schema = schema;
    this.constraints = constraints;
    this.leastLimit = leastLimit;
    this.candidates = candidates;
    this.lastKeys = new Long[schema.columns().size()];
    for (int c = 0; codec != null && c < lastKeys.length; c++) {
      lastKeys[c] = schema.columns().get(c).isNumericIdentifier() ? codec.lastKey(c) : null;
    }
    this.missed = new long[constraints.texts().size()];
  }

  /** Rows of the run's embedded model. */
  static ConstrainedStage ofEmbedded(RunContext context, FrozenSchema schema) {
    FieldCodec codec = new ModelFolder(context.hadoop(), context.folder().model()).read().codec();
    long wanted = context.config().generation().numRecords();
    FreshKeys.require(schema, codec, column -> wanted);
    return new ConstrainedStage(
        context,
        schema,
        codec,
        RowConstraints.of(
            context.spark(), schema, codec, context.config().generation().constraints()),
        LEAST_LIMIT,
        (from, rows, output, rowsDone) ->
            GenerateStage.candidates(context, output, from, rows, rowsDone));
  }

  /** The first rows that meet all conditions, by way of {@code scratch}. */
  Dataset<Row> table(Path scratch, LongAccumulator rowsDone) {
    long wanted = context.config().generation().numRecords();
    long limit = Math.max(leastLimit, MOST_TRIES * wanted);
    for (int round = 0; kept < wanted; round++) {
      double share = tried == 0 ? 1 : Math.max(1.0 / MOST_TRIES, (double) kept / tried);
      long more = (long) Math.ceil((wanted - kept) / share * (tried == 0 ? 1 : SPARE));
      more = Math.min(more, limit - tried);
      if (more <= 0) {
        throw tooFew(wanted);
      }
      sample(more, round, scratch, rowsDone);
    }
    SparkSession spark = context.spark();
    JavaRDD<Row> first =
        spark
            .read()
            .parquet(scratch.toString())
            .orderBy(ROUND, PLACE)
            .drop(ROUND, PLACE)
            .javaRDD()
            .zipWithIndex()
            .filter(row -> row._2() < wanted)
            .map(new Keyed(schema, lastKeys, constraints.named(spark, wide())));
    return spark.createDataFrame(first, GenerateStage.type(schema));
  }

  /** The schema, but of types that hold the keys of rows that may be thrown away. */
  private FrozenSchema wide() {
    List<ColumnSchema> columns = new ArrayList<>(schema.columns());
    for (int c = 0; c < lastKeys.length; c++) {
      if (lastKeys[c] != null) {
        columns.set(c, OutputType.holding(columns.get(c), 0, Long.MAX_VALUE));
      }
    }
    return new FrozenSchema(columns);
  }

  /**
   * Gives rows fresh keys by their place among those that are kept, unless a condition names the
   * column: it was met with the key that the row has.
   */
  private static final class Keyed implements Function<Tuple2<Row, Long>, Row> {
    private final CellWriter[] writers; // (columns) null for what has no fresh keys
    private final Long[] last; // (columns) null for keys that stay

    Keyed(FrozenSchema schema, Long[] lastKeys, Set<Integer> named) {
      this.writers = new CellWriter[lastKeys.length];
      this.last = lastKeys.clone();
      for (int c = 0; c < writers.length; c++) {
        writers[c] = last[c] == null ? null : CellWriter.of(schema.columns().get(c), false);
        last[c] = named.contains(c) ? null : last[c];
      }
    }

    @Override
    public Row call(Tuple2<Row, Long> placed) {
      Row row = placed._1();
      Object[] cells = new Object[row.size()];
      for (int c = 0; c < cells.length; c++) {
        cells[c] = row.get(c);
        if (writers[c] != null && cells[c] != null) {
          Object key = last[c] == null ? cells[c] : (Object) (last[c] + 1 + placed._2());
          cells[c] = writers[c].write(key);
        }
      }
      return RowFactory.create(cells);
    }
  }

  private void sample(long more, int round, Path scratch, LongAccumulator rowsDone) {
    Dataset<Row> rows = candidates.of(tried, more, wide(), rowsDone);
    Observation observed = new Observation();
    Column[] misses = new Column[missed.length];
    for (int i = 0; i < misses.length; i++) {
      misses[i] = count_if(not(RowConstraints.met(constraints.texts().get(i)))).as("m" + i);
    }
    Dataset<Row> met =
        rows.observe(observed, count_if(lit(true)).as("tried"), misses)
            .withColumn(ROUND, lit(round))
            .withColumn(PLACE, monotonically_increasing_id())
            .where(constraints.allMet());
    SaveMode mode = round == 0 ? SaveMode.Overwrite : SaveMode.Append;
    ConditionFaults.evaluating(
        constraints.texts(), () -> met.write().mode(mode).parquet(scratch.toString()));
    try {
      Map<String, Object> counts = observed.getAsJava();
      tried += (Long) counts.get("tried");
      for (int i = 0; i < missed.length; i++) {
        missed[i] += (Long) counts.get("m" + i);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while rows were counted", e);
    }
    kept = context.spark().read().parquet(scratch.toString()).select(col(ROUND)).count();
  }

  private RunFailedException tooFew(long wanted) {
    int worst = 0;
    for (int i = 1; i < missed.length; i++) {
      worst = missed[i] > missed[worst] ? i : worst;
    }
    return new RunFailedException(
        "only %,d of %,d sampled rows meet generation.constraints, and %,d were wanted ('%s' is missed by %,d); relax it, ask for fewer rows, or set shares with generation.rebalance"
            .formatted(kept, tried, wanted, constraints.texts().get(worst), missed[worst]));
  }

  /** What was thrown away, once the table is made: the content of {@code rejected.json}. */
  Map<String, Object> rejected() {
    Map<String, Object> summary = new LinkedHashMap<>();
    summary.put("rejected", tried - kept);
    summary.put("valid", kept);
    summary.put("valid_fraction", tried == 0 ? 1.0 : (double) kept / tried);
    summary.put("reasons", RowConstraints.reasons(List.copyOf(constraints.texts()), missed));
    return summary;
  }
}
