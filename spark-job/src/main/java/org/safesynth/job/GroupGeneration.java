package org.safesynth.job;

import static org.apache.spark.sql.functions.col;

import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.codec.GroupLayout;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.schema.FrozenSchema;

/**
 * Samples the run's model of groups on all executors. Groups have numbers, and what is written are
 * the first ones: as many as were asked for, or as many as the rows that were asked for need, the
 * last one whole.
 */
final class GroupGeneration {
  private static final int TASKS_PER_CORE = 2;

  /** A group may grow this much longer than the longest that was learned. */
  private static final double LONGER = 1.5;

  private static final String NUMBER = "__safesynth_group";
  private static final String INDEX = "__safesynth_row";

  private final RunContext context;
  private final FrozenSchema schema;
  private final GroupLayout layout;

  GroupGeneration(RunContext context, FrozenSchema schema) {
    this.context = context;
    this.schema = schema;
    GroupLayout learned =
        new GroupModelFolder(context.hadoop(), context.folder().model()).read().codec().layout();
    this.layout =
        learned.series() == null
            ? learned
            : learned.withSeries(
                new SeriesTimes(context.config().timeSeries())
                    .asked(schema.columns().get(learned.orderColumn()), learned));
  }

  /** Rows that will be written, about. */
  long rows() {
    Long groups = context.config().generation().numGroups();
    return groups == null
        ? context.config().generation().numRecords()
        : Math.round(groups * layout.meanRows());
  }

  /** The table; with a number of rows asked for, it is sampled into {@code scratch} first. */
  Dataset<Row> table(Path scratch, LongAccumulator rowsDone) {
    Long groups = context.config().generation().numGroups();
    if (groups != null) {
      return withoutNumber(sampled(0, groups, rowsDone));
    }
    return withoutNumber(firstRows(scratch, rowsDone));
  }

  private Dataset<Row> withoutNumber(Dataset<Row> numbered) {
    return numbered.drop(NUMBER, INDEX);
  }

  /** Samples as many groups as are likely to do, and more until they do. */
  private Dataset<Row> firstRows(Path scratch, LongAccumulator rowsDone) {
    long wanted = context.config().generation().numRecords();
    long sampled = 0;
    long rows = 0;
    SparkSession spark = context.spark();
    while (rows < wanted) {
      double missing = (wanted - rows) / layout.meanRows();
      long shards = 1 + (long) (missing * 1.02 / GroupShardSampler.GROUPS);
      sampled(sampled, sampled + shards * GroupShardSampler.GROUPS, rowsDone)
          .write()
          .mode(sampled == 0 ? SaveMode.Overwrite : SaveMode.Append)
          .parquet(scratch.toString());
      sampled += shards * GroupShardSampler.GROUPS;
      rows = spark.read().parquet(scratch.toString()).count();
    }
    Dataset<Row> all = spark.read().parquet(scratch.toString());
    return all.where(col(NUMBER).leq(lastGroup(all, wanted)))
        .repartitionByRange(tasks(sampled / GroupShardSampler.GROUPS), col(NUMBER))
        .sortWithinPartitions(col(NUMBER), col(INDEX));
  }

  /** The group in which the wanted number of rows is reached, from the rows of each shard. */
  private static long lastGroup(Dataset<Row> all, long wanted) {
    List<Row> shards =
        all.groupBy(col(NUMBER).divide(GroupShardSampler.GROUPS).cast("long").as("shard"))
            .count()
            .orderBy("shard")
            .collectAsList();
    long before = 0;
    for (Row shard : shards) {
      if (before + shard.getLong(1) >= wanted) {
        long first = shard.getLong(0) * GroupShardSampler.GROUPS;
        return lastGroup(all, wanted - before, first, first + GroupShardSampler.GROUPS);
      }
      before += shard.getLong(1);
    }
    throw new IllegalStateException("fewer rows were sampled than counted");
  }

  private static long lastGroup(Dataset<Row> all, long wanted, long from, long to) {
    long rows = 0;
    for (Row group :
        all.where(col(NUMBER).geq(from).and(col(NUMBER).lt(to)))
            .groupBy(NUMBER)
            .count()
            .orderBy(NUMBER)
            .collectAsList()) {
      rows += group.getLong(1);
      if (rows >= wanted) {
        return group.getLong(0);
      }
    }
    throw new IllegalStateException("fewer rows were sampled than counted");
  }

  private int tasks(long shards) {
    long tasks = (long) TASKS_PER_CORE * context.spark().sparkContext().defaultParallelism();
    return (int) Math.max(1, Math.min(shards, tasks));
  }

  /** Groups {@code from} (a multiple of a shard) to {@code end}, with their numbers. */
  private Dataset<Row> sampled(long from, long end, LongAccumulator rowsDone) {
    long firstShard = from / GroupShardSampler.GROUPS;
    long lastShard = (end + GroupShardSampler.GROUPS - 1) / GroupShardSampler.GROUPS;
    Dataset<Long> shards =
        context.spark().range(firstShard, lastShard, 1, tasks(lastShard - firstShard));
    return sampled(shards, sampler(end, rowsDone));
  }

  /** The rows of the shards, however they are spread over partitions. */
  Dataset<Row> sampled(Dataset<Long> shards, GroupShardSampler sampler) {
    StructType type =
        GenerateStage.type(schema)
            .add(NUMBER, DataTypes.LongType)
            .add(INDEX, DataTypes.IntegerType);
    return shards.mapPartitions(sampler, Encoders.row(type));
  }

  GroupShardSampler sampler(long end, LongAccumulator rowsDone) {
    SafeSynthesizerConfig config = context.config();
    return new GroupShardSampler(
        new SerializableConfiguration(context.hadoop()),
        context.folder().model().toString(),
        schema,
        layout.series(),
        new GroupShardSampler.Sampling(
            end,
            mostRows(),
            config.generationSeed(),
            config.temperature(),
            config.generation().topP(),
            Boolean.parseBoolean(
                context.spark().conf().get("spark.sql.datetime.java8API.enabled"))),
        rowsDone);
  }

  /** Where no group has a second row, none is written: nothing is known of steps. */
  private int mostRows() {
    double most = layout.mostRows() == 1 ? 1 : Math.ceil(LONGER * layout.mostRows());
    if (layout.series() != null && layout.series().stop() != null) {
      most = Math.max(most, SeriesTimes.rowsOfSpan(layout));
    }
    return (int) Math.min(Integer.MAX_VALUE, most);
  }
}
