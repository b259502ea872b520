package org.safesynth.train;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.safesynth.model.Natives;

/**
 * Threads that take the items of a step as they come, one operation thread each. Results are added
 * in the items' order, so that a sum is the same for any number of workers.
 *
 * <p>When an item fails, or the caller is interrupted, the others stop at their next item, and only
 * when none is at work any more does the caller go on: its tensors may be freed then.
 */
final class WorkerThreads implements AutoCloseable {
  private final int workers;
  private final ExecutorService threads;
  private volatile boolean isStopped;

  /** What is done with an item. */
  @FunctionalInterface
  interface Work {
    double of(int worker, int item);
  }

  WorkerThreads(String name, int workers) {
    this(name, workers, workers);
  }

  /**
   * Starts the threads.
   *
   * @param workers that take items
   * @param least threads, where others have use for them
   */
  WorkerThreads(String name, int workers, int least) {
    this.workers = Math.max(1, workers);
    this.threads =
        Executors.newFixedThreadPool(
            Math.max(this.workers, least),
            task -> {
              Thread thread = new Thread(task, name);
              thread.setDaemon(true);
              return thread;
            });
  }

  int workers() {
    return workers;
  }

  /** For work that is no item's, such as noise. */
  ExecutorService executor() {
    return threads;
  }

  /** Does the work of all items and adds up what it gives. */
  double sum(int items, Work work) {
    if (isStopped) {
      throw new IllegalStateException("the workers have stopped");
    }
    double[] results = new double[items];
    AtomicInteger next = new AtomicInteger();
    List<Future<?>> running = new ArrayList<>();
    for (int w = 0; w < workers; w++) {
      int worker = w;
      running.add(
          threads.submit(
              () -> {
                Natives.useOneThread();
                int i;
                while (!isStopped && (i = next.getAndIncrement()) < items) {
                  results[i] = work.of(worker, i);
                }
              }));
    }
    await(running);
    double sum = 0;
    for (double result : results) {
      sum += result;
    }
    return sum;
  }

  private void await(List<Future<?>> running) {
    boolean isInterrupted = false;
    Throwable failure = null;
    for (Future<?> future : running) {
      boolean isDone = false;
      while (!isDone) {
        try {
          future.get();
          isDone = true;
        } catch (InterruptedException e) {
          isInterrupted = true;
          isStopped = true;
        } catch (ExecutionException e) {
          failure = failure == null ? e.getCause() : failure;
          isStopped = true;
          isDone = true;
        }
      }
    }
    if (isInterrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("training was interrupted");
    }
    if (failure != null) {
      throw new IllegalStateException("a training worker failed: " + failure, failure);
    }
  }

  /** Returns when no thread is at work any more. */
  @Override
  public void close() {
    isStopped = true;
    threads.shutdown();
    boolean isInterrupted = Thread.interrupted();
    while (!threads.isTerminated()) {
      try {
        threads.awaitTermination(1, TimeUnit.MINUTES);
      } catch (InterruptedException e) {
        isInterrupted = true; // a pass takes seconds; tensors must outlive it
      }
    }
    if (isInterrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
