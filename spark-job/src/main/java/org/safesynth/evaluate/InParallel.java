package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import org.apache.spark.sql.SparkSession;

/**
 * Runs a few independent pieces of Spark work beside each other: each trains on one partition, so
 * one alone would leave all cores but one idle.
 */
final class InParallel {
  private static final int MOST_THREADS = 8;

  private InParallel() {}

  /** The results in the order of their numbers, whatever ended first. */
  static <T> List<T> map(SparkSession spark, int pieces, IntFunction<T> work) {
    int threads =
        Math.min(pieces, Math.min(MOST_THREADS, spark.sparkContext().defaultParallelism()));
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      List<Future<T>> running = new ArrayList<>();
      for (int i = 0; i < pieces; i++) {
        int piece = i;
        running.add(
            pool.submit(
                () -> {
                  SparkSession.setActiveSession(spark);
                  return work.apply(piece);
                }));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> piece : running) {
        results.add(piece.get());
      }
      return results;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("the evaluation was interrupted", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException fault) {
        throw fault;
      }
      throw new IllegalStateException(e.getCause());
    } finally {
      pool.shutdownNow();
    }
  }
}
