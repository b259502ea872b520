package org.safesynth.job;

import static org.apache.spark.sql.functions.col;

import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.safesynth.fault.RunFailedException;

/**
 * The first groups of a table that has no end: as many as were asked for, or as many as the rows
 * that were asked for need, the last one whole. Groups are sampled in shards of their numbers.
 */
final class FirstGroups {
  private static final int TASKS_PER_CORE = 2;
  static final String NUMBER = "__safesynth_group";
  static final String INDEX = "__safesynth_row";

  /** Groups that are sampled for each that is wanted, at most. */
  private static final double MOST_TRIES = 200;

  private static final long LEAST_LIMIT = 5_000;
  private static final double SPARE = 1.02;

  private final SparkSession spark;
  private final Wish wish;
  private final int shardGroups;
  private final double meanRows;
  private final Path scratch;
  private final Sampling sampling;
  private final Column isRow; // null where every row counts
  private final GroupConstraints constraints; // null where every group does

  /**
   * How much is wanted.
   *
   * @param groups or null for a number of rows
   * @param rows at least, to the end of their group
   */
  record Wish(Long groups, long rows) {
    private boolean countsGroups() {
      return groups != null;
    }

    private long number() {
      return groups == null ? rows : groups;
    }
  }

  /** Gives the rows of the groups from a number, which a shard begins with, to an end. */
  interface Sampling {
    Dataset<Row> of(long from, long end);
  }

  /**
   * @param shardGroups groups of a shard
   * @param meanRows rows of a group, about
   * @param scratch where groups are sampled to, unless it is just so many
   * @param sampling gives rows behind whose columns stand the number of their group and their own
   *     in it, as {@link #numbered} has them
   * @param isRow rows that count; null for all
   * @param constraints groups that are kept; null for all
   */
  FirstGroups(
      SparkSession spark,
      Wish wish,
      int shardGroups,
      double meanRows,
      Path scratch,
      Sampling sampling,
      Column isRow,
      GroupConstraints constraints) {
    this.spark = spark;
    this.wish = wish;
    this.shardGroups = shardGroups;
    this.meanRows = meanRows;
    this.scratch = scratch;
    this.sampling = sampling;
    this.isRow = isRow;
    this.constraints = constraints;
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

  /** The rows; samples them. */
  Dataset<Row> table() {
    if (wish.countsGroups() && isRow == null && constraints == null) {
      return sampling.of(0, wish.number()).drop(NUMBER, INDEX);
    }
    sample();
    return written().drop(NUMBER, INDEX);
  }

  /** The first row of each group of the table that was sampled to the scratch folder. */
  Dataset<Row> firstRowsOfEach() {
    return written().where(col(INDEX).equalTo(0)).drop(NUMBER, INDEX);
  }

  /** Samples as many groups as are likely to do, and more until they do. */
  private void sample() {
    double ofGroup = wish.countsGroups() ? 1 : meanRows;
    long most = Math.max(LEAST_LIMIT, Math.round(MOST_TRIES * wish.number() / ofGroup));
    long sampled = 0;
    long found = 0;
    while (found < wish.number()) {
      if (sampled > most) {
        throw tooFew(sampled, found);
      }
      double share = constraints == null ? 1 : constraints.keptShare();
      double missing = (wish.number() - found) / (ofGroup * Math.max(share, 1 / MOST_TRIES));
      long shards = 1 + (long) (missing * SPARE / shardGroups);
      shards = Math.min(shards, 1 + (most - sampled) / shardGroups);
      Dataset<Row> groups = sampling.of(sampled, sampled + shards * shardGroups);
      (constraints == null ? groups : constraints.kept(groups, scratch.suffix("-candidates")))
          .write()
          .mode(sampled == 0 ? SaveMode.Overwrite : SaveMode.Append)
          .parquet(scratch.toString());
      sampled += shards * shardGroups;
      found = counted(spark.read().parquet(scratch.toString())).count();
    }
  }

  private RunFailedException tooFew(long sampled, long found) {
    if (constraints != null && constraints.hasRejected()) {
      return constraints.tooFew();
    }
    return new RunFailedException(
        "%,d groups were sampled and have %,d rows together, far fewer than the learned ones: train longer, or ask for generation.num_groups"
            .formatted(sampled, found));
  }

  /** One row for each group or row that counts. */
  private Dataset<Row> counted(Dataset<Row> all) {
    if (wish.countsGroups()) {
      return all.where(col(INDEX).equalTo(0));
    }
    return isRow == null ? all : all.where(isRow);
  }

  /** Of what was sampled, the first groups that are as many as were asked for. */
  private Dataset<Row> written() {
    Dataset<Row> all = spark.read().parquet(scratch.toString());
    long last = lastGroup(counted(all), wish.number());
    return all.where(col(NUMBER).leq(last))
        .repartitionByRange(tasks(spark, last / shardGroups + 1), col(NUMBER))
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
