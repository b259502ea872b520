package org.safesynth.job;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.apache.spark.util.CollectionAccumulator;
import org.safesynth.train.TrainingListener;
import org.safesynth.train.TrainingPlan;
import scala.Tuple4;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Carries what the training task tells from its executor to the driver: an accumulator whose
 * updates come with the heartbeats. For display only, since a retried task tells again.
 */
final class ToldProgress implements AutoCloseable {
  private final SparkContext spark;
  private final CollectionAccumulator<Telling> accumulator;
  private final Heartbeats listener = new Heartbeats();
  private final TreeMap<Integer, Telling> waiting = new TreeMap<>();
  private int seen;

  ToldProgress(SparkContext spark) {
    this.spark = spark;
    this.accumulator = new CollectionAccumulator<>();
    spark.register(accumulator);
    spark.addSparkListener(listener);
  }

  /** One call of the teller: a device, a plan or a progress. */
  record Telling(
      String device,
      TrainingPlan plan,
      long parameters,
      double recordsPerSecond,
      boolean resumed,
      TrainingListener.Progress progress)
      implements java.io.Serializable {}

  /** The task's end: adds to the accumulator. */
  record Tellings(CollectionAccumulator<Telling> accumulator)
      implements TrainingTask.Teller, java.io.Serializable {
    @Override
    public void onDevice(String words) {
      accumulator.add(new Telling(words, null, 0, 0, false, null));
    }

    @Override
    public void onPlan(
        TrainingPlan plan, long parameters, double recordsPerSecond, boolean resumed) {
      accumulator.add(new Telling(null, plan, parameters, recordsPerSecond, resumed, null));
    }

    @Override
    public void onProgress(Progress progress) {
      accumulator.add(new Telling(null, null, 0, 0, false, progress));
    }
  }

  Tellings tellings() {
    return new Tellings(accumulator);
  }

  /** Tells the driver's teller what has come since the last call. */
  void forEachNew(TrainingTask.Teller teller) {
    List<Telling> fresh = new ArrayList<>();
    synchronized (waiting) {
      List<Telling> finished = accumulator.value();
      for (int i = 0; i < finished.size(); i++) {
        waiting.putIfAbsent(i, finished.get(i));
      }
      for (; waiting.containsKey(seen); seen++) {
        fresh.add(waiting.get(seen));
      }
    }
    for (Telling telling : fresh) {
      if (telling.device() != null) {
        teller.onDevice(telling.device());
      } else if (telling.plan() != null) {
        teller.onPlan(
            telling.plan(), telling.parameters(), telling.recordsPerSecond(), telling.resumed());
      } else {
        teller.onProgress(telling.progress());
      }
    }
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
          if (info.id() == accumulator.id()
              && info.update().isDefined()
              && info.update().get() instanceof List<?> told) {
            synchronized (waiting) {
              for (int i = 0; i < told.size(); i++) {
                if (told.get(i) instanceof Telling telling) {
                  waiting.putIfAbsent(i, telling);
                }
              }
            }
          }
        }
      }
    }
  }
}
