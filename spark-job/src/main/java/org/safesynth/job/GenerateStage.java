package org.safesynth.job;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * Samples the run's model on all executors: the rows asked for are cut into shards by record
 * number, and each shard has a random stream of its own, so that the table is the same however the
 * shards are spread over tasks and however often a task is retried.
 */
public final class GenerateStage {
  private static final int TASKS_PER_CORE = 2;

  private GenerateStage() {}

  /**
   * The synthetic table, in the input's types and column order; made when it is written.
   *
   * @param rowsDone tasks add the rows of each finished batch, for the progress line
   */
  public static Dataset<Row> run(
      RunContext context, FrozenSchema schema, LongAccumulator rowsDone) {
    ModelFolder.Model model = // bad files fail here, once
        new ModelFolder(context.hadoop(), context.folder().model()).read();
    long rows = context.config().generation().numRecords();
    FreshKeys.require(schema, model.codec(), column -> rows);
    long shards = (rows + ShardSampler.ROWS - 1) / ShardSampler.ROWS;
    return sampled(
        context.spark().range(0, shards, 1, partitions(context, shards)),
        sampler(context, schema, rows, rowsDone),
        schema);
  }

  private static int partitions(RunContext context, long shards) {
    long tasks = (long) TASKS_PER_CORE * context.spark().sparkContext().defaultParallelism();
    return (int) Math.max(1, Math.min(shards, tasks));
  }

  private static ShardSampler sampler(
      RunContext context, FrozenSchema schema, long rows, LongAccumulator rowsDone) {
    SafeSynthesizerConfig config = context.config();
    String javaTime = context.spark().conf().get("spark.sql.datetime.java8API.enabled");
    return new ShardSampler(
        new SerializableConfiguration(context.hadoop()),
        context.folder().model().toString(),
        schema,
        rows,
        config.generationSeed(),
        config.temperature(),
        config.generation().topP(),
        Boolean.parseBoolean(javaTime),
        rowsDone);
  }

  /**
   * Further rows of the table that has no end.
   *
   * @param from number of the first, a multiple of a shard's rows
   * @param rows how many at least: the last shard is whole
   */
  static Dataset<Row> candidates(
      RunContext context, FrozenSchema schema, long from, long rows, LongAccumulator rowsDone) {
    long first = from / ShardSampler.ROWS;
    long end = first + (rows + ShardSampler.ROWS - 1) / ShardSampler.ROWS;
    ShardSampler sampler = sampler(context, schema, end * ShardSampler.ROWS, rowsDone);
    int partitions = partitions(context, end - first);
    return sampled(context.spark().range(first, end, 1, partitions), sampler, schema);
  }

  /** The rows of the shards, however they are spread over partitions. */
  static Dataset<Row> sampled(Dataset<Long> shards, ShardSampler sampler, FrozenSchema schema) {
    return shards.mapPartitions(sampler, Encoders.row(type(schema)));
  }

  /** The output's Spark schema. */
  static StructType type(FrozenSchema schema) {
    return new StructType(
        schema.columns().stream().map(GenerateStage::field).toArray(StructField[]::new));
  }

  private static StructField field(ColumnSchema column) {
    return new StructField(column.name(), DataType.fromDDL(column.type()), true, Metadata.empty());
  }
}
