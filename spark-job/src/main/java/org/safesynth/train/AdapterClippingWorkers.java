package org.safesynth.train;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.model.LoraDecoder;
import org.safesynth.model.Natives;
import org.safesynth.model.PackedExamples;

/**
 * Threads that take the gradients of the examples a step drew, one example a pass, and add each
 * one's clipped contribution to the step's sum.
 *
 * <p>Memory does not grow with what was drawn: a worker holds one pass, one gradient and one
 * contribution. The sum is exact ({@link ClippedAdapterGradients}), so it is the same for any
 * number of workers and in any order; losses are added in the order of the examples.
 */
final class AdapterClippingWorkers implements PrivateLessons.ClippedSum {
  private final ClippedAdapterGradients clipping;
  private final ExampleSource source;
  private final Tensor parameters; // (P)
  private final ExecutorService threads;
  private final List<Tensor> gradients = new ArrayList<>(); // a worker: (1, P)
  private volatile boolean isClosed;

  /**
   * Starts the threads.
   *
   * @param parameters (P) the adapter that all workers read
   */
  AdapterClippingWorkers(
      LoraDecoder decoder,
      ClippedAdapterGradients clipping,
      ExampleSource source,
      Tensor parameters,
      int workers) {
    this.clipping = clipping;
    this.source = source;
    this.parameters = parameters;
    boolean isGpu = decoder.device().isGpu();
    int noiseToo = isGpu ? Runtime.getRuntime().availableProcessors() : 1; // it waits for noise
    this.threads =
        Executors.newFixedThreadPool(
            Math.max(noiseToo, workers),
            task -> {
              Thread thread = new Thread(task, "adapter-clipping-worker");
              thread.setDaemon(true);
              return thread;
            });
    for (int w = 0; w < Math.max(1, workers); w++) {
      gradients.add(decoder.device().on(torch.zeros(1, decoder.layout().size())));
    }
  }

  @Override
  public ExecutorService threads() {
    return threads;
  }

  @Override
  public double addTo(Tensor sum, long[] units) {
    double[] losses = new double[units.length];
    AtomicInteger next = new AtomicInteger();
    List<Future<?>> running = new ArrayList<>();
    for (Tensor gradient : gradients) {
      running.add(
          threads.submit(
              () -> {
                Natives.useOneThread();
                int i;
                while (!isClosed && (i = next.getAndIncrement()) < units.length) {
                  losses[i] = addOne(sum, units[i], gradient);
                }
              }));
    }
    await(running);
    double loss = 0;
    for (double of : losses) {
      loss += of;
    }
    return loss;
  }

  private double addOne(Tensor sum, long unit, Tensor gradient) {
    PackedExamples alone;
    synchronized (source) {
      alone = PackedExamples.of(List.of(source.example(unit)));
    }
    return clipping.each(
        alone,
        parameters,
        gradient,
        contribution -> {
          synchronized (this) {
            sum.add_(contribution);
          }
        });
  }

  private static void await(List<Future<?>> running) {
    for (Future<?> future : running) {
      try {
        future.get();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("training was interrupted", e);
      } catch (ExecutionException e) {
        throw new IllegalStateException("a training worker failed: " + e.getCause(), e.getCause());
      }
    }
  }

  /** Returns when no worker touches a tensor any more. */
  @Override
  public void close() {
    isClosed = true;
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
