package org.safesynth.job;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.util.LongAccumulator;
import scala.Tuple4;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Counts what running tasks have done so far: their values come with the executors' heartbeats,
 * finished tasks are in the accumulator. For display only: a task done twice counts twice.
 */
public final class RunningTotal implements AutoCloseable {
  private final SparkContext spark;
  private final LongAccumulator finished;
  private final Map<Long, Long> running = new ConcurrentHashMap<>();
  private final SparkListener listener = new Heartbeats();

  /**
   * @param name shown in Spark's UI
   */
  public RunningTotal(SparkContext spark, String name) {
    this.spark = spark;
    this.finished = spark.longAccumulator(name);
    spark.addSparkListener(listener);
  }

  /** What tasks add to. */
  public LongAccumulator accumulator() {
    return finished;
  }

  /** Finished and running tasks together. */
  public long value() {
    return finished.value() + running.values().stream().mapToLong(Long::longValue).sum();
  }

  @Override
  public void close() {
    spark.removeSparkListener(listener);
  }

  private final class Heartbeats extends SparkListener {
    @Override
    public void onExecutorMetricsUpdate(SparkListenerExecutorMetricsUpdate heartbeat) {
      for (Tuple4<Object, Object, Object, Seq<AccumulableInfo>> task :
          CollectionConverters.asJava(heartbeat.accumUpdates())) {
        for (AccumulableInfo info : CollectionConverters.asJava(task._4())) {
          if (info.id() == finished.id() && info.update().isDefined()) {
            running.put((Long) task._1(), (Long) info.update().get());
          }
        }
      }
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
      running.remove(end.taskInfo().taskId());
    }
  }
}
