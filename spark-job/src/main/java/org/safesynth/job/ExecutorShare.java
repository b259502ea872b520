package org.safesynth.job;

import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.status.api.v1.ExecutorSummary;
import scala.jdk.javaapi.CollectionConverters;

/**
 * How many cores the training task may use: all of its executor's, also where {@link Placement}
 * could not claim them, since the stages of a run come one after the other.
 */
final class ExecutorShare {
  private static final String CORES = "spark.executor.cores";
  private static final String DRIVER = "driver"; // its id among the executors

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
}
