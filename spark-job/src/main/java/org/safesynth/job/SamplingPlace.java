package org.safesynth.job;

import java.util.List;
import java.util.Optional;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.safesynth.config.ClusterConfig;
import org.safesynth.fault.BadInputException;

/**
 * Chooses the executors that sample a pretrained model: all of them, or, where GPUs are there for
 * those who ask (dynamic allocation with a known GPU resource), executors with a GPU that the
 * cluster starts for it. The rows do not depend on it: a shard's random stream goes by its number.
 */
final class SamplingPlace {
  /** Executors with a GPU sample many times faster than those without, and come back for more. */
  private static final int TASKS_PER_CORE = 4;

  private final RunContext context;
  private final SparkContext spark;

  SamplingPlace(RunContext context) {
    this.context = context;
    this.spark = context.spark().sparkContext();
  }

  /** The profile of executors with a GPU, where the cluster starts one for those who ask. */
  static Optional<ResourceProfile> profile(RunContext context) {
    ClusterConfig cluster = context.config().cluster();
    boolean isFree =
        cluster.placement() == ClusterConfig.Placement.AUTO
            || cluster.placement() == ClusterConfig.Placement.PROFILE;
    if (cluster.generationDevice() == ClusterConfig.Device.CPU || !isFree) {
      return Optional.empty();
    }
    return new Placement(context.spark().sparkContext(), cluster.placement()).gpuExecutors();
  }

  /**
   * Samples shards; done when the table is written.
   *
   * @param first shard
   * @param last shard, which is not sampled
   * @param sampler makes the rows of the shards that it is given
   */
  Dataset<Row> rows(
      long first, long last, MapPartitionsFunction<Long, Row> sampler, StructType type) {
    int slots = TASKS_PER_CORE * Math.max(1, spark.defaultParallelism());
    int partitions = (int) Math.max(1, Math.min(last - first, slots));
    Dataset<Long> numbers = context.spark().range(first, last, 1, partitions).as(Encoders.LONG());
    Optional<ResourceProfile> gpus = profile(context).filter(this::comes);
    if (gpus.isEmpty()) {
      return numbers.mapPartitions(sampler, Encoders.row(type));
    }
    FlatMapFunction<java.util.Iterator<Long>, Row> each = sampler::call;
    JavaRDD<Row> rows = numbers.javaRDD().mapPartitions(each).withResources(gpus.get());
    return context.spark().createDataFrame(rows, type);
  }

  /** Whether an executor of the profile comes in time: Spark itself would wait without a word. */
  private boolean comes(ResourceProfile profile) {
    int patience = context.config().cluster().gpuTimeout();
    JavaRDD<Integer> probe =
        JavaSparkContext.fromSparkContext(spark)
            .parallelize(List.of(0), 1)
            .withResources(profile)
            .map(number -> number);
    spark.setJobDescription("look for an executor that samples on a GPU");
    try {
      if (TrainStage.await(spark, probe.collectAsync(), patience).isPresent()) {
        context
            .console()
            .info(
                "sampling on executors with a GPU, by a resource profile for which the cluster starts them");
        return true;
      }
    } finally {
      spark.setJobDescription(null);
    }
    String late =
        "no executor with a GPU came within %d s (cluster.gpu_timeout) for sampling"
            .formatted(patience);
    if (context.config().cluster().generationDevice() == ClusterConfig.Device.CUDA) {
      throw new BadInputException(
          late
              + "; check that a worker has what the profile asks for, or write cluster.generation_device: cpu");
    }
    context.console().warn(late + ": all executors sample");
    return false;
  }
}
