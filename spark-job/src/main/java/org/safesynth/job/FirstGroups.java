package org.safesynth.job;

import static org.apache.spark.sql.functions.col;

import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * The first groups of a table that has no end: as many as were asked for, or as many as the rows
 * that were asked for need, the last one whole. Groups are sampled in shards of their numbers.
 */
final class FirstGroups {
  private static final int TASKS_PER_CORE = 2;
  private static final String NUMBER = "__safesynth_group";
  private static final String INDEX = "__safesynth_row";

  private final SparkSession spark;
  private final int shardGroups;
  private final double meanRows;
  private final Sampling sampling;

  /** Gives the rows of the groups from a number, which a shard begins with, to an end. */
  interface Sampling {
    Dataset<Row> of(long from, long end);
  }

  /**
   * @param shardGroups groups of a shard
   * @param meanRows rows of a group, about
   * @param sampling gives rows behind whose columns stand the number of their group and their own
   *     in it, as {@link #numbered} has them
   */
  FirstGroups(SparkSession spark, int shardGroups, double meanRows, Sampling sampling) {
    this.spark = spark;
    this.shardGroups = shardGroups;
    this.meanRows = meanRows;
    this.sampling = sampling;
  }

  /** The type of rows with their numbers. */
  static StructType numbered(StructType type) {
    return type.add(NUMBER, DataTypes.LongType).add(INDEX, DataTypes.IntegerType);
  }

  /** Tasks that sample some shards. */
  static int tasks(SparkSession spark, long shards) {
    long tasks = (long) TASKS_PER_CORE * spark.sparkContext().defaultParallelism();
    return (int) Math.max(1, Math.min(shards, tasks));
  }

  /**
   * The rows.
   *
   * @param groups number of groups, or null for a number of rows
   * @param scratch where groups are sampled to when a number of rows is asked for
   */
  Dataset<Row> table(Long groups, long rows, Path scratch) {
    return (groups == null ? firstRows(rows, scratch) : sampling.of(0, groups)).drop(NUMBER, INDEX);
  }

  /** Samples as many groups as are likely to do, and more until they do. */
  private Dataset<Row> firstRows(long wanted, Path scratch) {
    long sampled = 0;
    long rows = 0;
    while (rows < wanted) {
      double missing = (wanted - rows) / meanRows;
      long shards = 1 + (long) (missing * 1.02 / shardGroups);
      sampling
          .of(sampled, sampled + shards * shardGroups)
          .write()
          .mode(sampled == 0 ? SaveMode.Overwrite : SaveMode.Append)
          .parquet(scratch.toString());
      sampled += shards * shardGroups;
      rows = spark.read().parquet(scratch.toString()).count();
    }
    Dataset<Row> all = spark.read().parquet(scratch.toString());
    return all.where(col(NUMBER).leq(lastGroup(all, wanted)))
        .repartitionByRange(tasks(spark, sampled / shardGroups), col(NUMBER))
        .sortWithinPartitions(col(NUMBER), col(INDEX));
  }

  /** The group in which the wanted number of rows is reached, from the rows of each shard. */
  private long lastGroup(Dataset<Row> all, long wanted) {
    List<Row> shards =
        all.groupBy(col(NUMBER).divide(shardGroups).cast("long").as("shard"))
            .count()
            .orderBy("shard")
            .collectAsList();
    long before = 0;
    for (Row shard : shards) {
      if (before + shard.getLong(1) >= wanted) {
        long first = shard.getLong(0) * shardGroups;
        return lastGroup(all, wanted - before, first, first + shardGroups);
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
}
