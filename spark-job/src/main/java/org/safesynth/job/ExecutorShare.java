package org.safesynth.job;

import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.SparkException;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;
import org.apache.spark.status.api.v1.ExecutorSummary;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Gives the training task a whole executor. A task asks for one core by default; where Spark can
 * schedule by stage, this one asks for all of its executor's, so that nothing else runs there.
 * Where it cannot, the task still uses all of them: the stages of a run come one after the other.
 */
final class ExecutorShare {
  private static final String CORES = "spark.executor.cores";
  private static final String DRIVER = "driver"; // its id among the executors
  private static final String DYNAMIC = "spark.dynamicAllocation.enabled";

  private ExecutorShare() {}

  /**
   * Cores of the executors that were there when the task was submitted.
   *
   * @param byExecutor by the executor's id
   * @param configured of an executor that came later; 0 when not known
   */
  record Cores(Map<String, Integer> byExecutor, int configured) implements Serializable {
    Cores {
      byExecutor = Map.copyOf(byExecutor);
    }

    static Cores of(SparkContext spark) {
      Map<String, Integer> cores = new HashMap<>();
      for (ExecutorSummary executor :
          CollectionConverters.asJava(spark.statusStore().executorList(true))) {
        cores.put(executor.id(), executor.totalCores());
      }
      cores.remove(DRIVER);
      return new Cores(cores, spark.getConf().getInt(CORES, 0));
    }

    /** Cores of the executor that this runs on, in a task. */
    int here() {
      return Math.max(
          byExecutor.getOrDefault(SparkEnv.get().executorId(), configured),
          TaskContext.get().cpus());
    }
  }

  /**
   * The task with the whole of an executor, and why it got that or not.
   *
   * @param task one partition
   */
  record Claim<T>(JavaRDD<T> task, String reason) {}

  /** Claims a whole executor for a task where the cluster can promise it. */
  static <T> Claim<T> claim(JavaRDD<T> task, SparkConf conf) {
    int cores = conf.getInt(CORES, 0);
    if (cores < 2) {
      return new Claim<>(
          task, cores == 1 ? "an executor of 1 core" : "an executor; " + CORES + " is not set");
    }
    if (conf.getBoolean(DYNAMIC, false)) {
      return new Claim<>(
          task, "an executor of %d cores; with dynamic allocation none is kept".formatted(cores));
    }
    ResourceProfileBuilder builder = new ResourceProfileBuilder();
    builder.require(new TaskResourceRequests().cpus(cores));
    try {
      return new Claim<>(
          task.withResources(builder.build()),
          "a whole executor of %d cores, by a resource profile".formatted(cores));
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) { // javac does not see the checked exception that Scala throws
      if (!(e instanceof SparkException)) {
        throw new IllegalStateException(e);
      }
      return new Claim<>(
          task,
          "an executor of %d cores; this cluster does not schedule by stage".formatted(cores));
    }
  }
}
