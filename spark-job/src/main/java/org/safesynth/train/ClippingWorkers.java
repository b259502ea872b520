package org.safesynth.train;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.Natives;

/**
 * Threads that sum the clipped gradients of the records a step drew, micro-batch by micro-batch.
 *
 * <p>Memory does not grow with what was drawn: a fixed number of micro-batches is under way at a
 * time, each with a gradient vector of its own. These are added in float64 in the micro-batches'
 * order, so that the sum is the same for any number of workers.
 */
final class ClippingWorkers implements AutoCloseable {
  private static final int MICRO_BATCHES = 16; // under way at a time, whatever the workers

  private final ClippedGradients clipping;
  private final FieldDecoder decoder;
  private final List<Tensor> parameters;
  private final int workers;
  private final ExecutorService threads;
  private final List<Tensor> gradients = new ArrayList<>(); // each (P)

  /**
   * Starts the threads.
   *
   * @param parameters (P) the weights that all workers read
   */
  ClippingWorkers(FieldDecoder decoder, Tensor parameters, double clipNorm, int workers) {
    this.clipping = new ClippedGradients(decoder, clipNorm);
    this.decoder = decoder;
    this.parameters = decoder.layout().views(parameters);
    this.workers = Math.max(1, Math.min(workers, MICRO_BATCHES));
    this.threads =
        Executors.newFixedThreadPool(
            this.workers,
            task -> {
              Thread thread = new Thread(task, "clipping-worker");
              thread.setDaemon(true);
              return thread;
            });
    for (int i = 0; i < MICRO_BATCHES; i++) {
      gradients.add(torch.zeros(decoder.layout().size()));
    }
  }

  /** For work of other kinds that may run beside the micro-batches. */
  ExecutorService threads() {
    return threads;
  }

  /**
   * Adds the clipped gradients of records to a sum.
   *
   * @param sum (P) float64
   * @return the summed loss in nats: a private statistic
   */
  double addTo(Tensor sum, TokenStore store, long[] records, int microBatchSize) {
    double loss = 0;
    int atOnce = MICRO_BATCHES * microBatchSize;
    for (int from = 0; from < records.length; from += atOnce) {
      int to = Math.min(records.length, from + atOnce);
      loss += wave(sum, store, records, from, to, microBatchSize);
    }
    return loss;
  }

  private double wave(
      Tensor sum, TokenStore store, long[] records, int from, int to, int microBatchSize) {
    int batches = (to - from + microBatchSize - 1) / microBatchSize;
    double[] losses = new double[batches];
    List<Future<?>> running = new ArrayList<>();
    for (int w = 0; w < workers; w++) {
      int first = w;
      running.add(
          threads.submit(
              () -> {
                Natives.useOneThread();
                for (int i = first; i < batches; i += workers) {
                  int begin = from + i * microBatchSize;
                  int end = Math.min(to, begin + microBatchSize);
                  losses[i] = one(gradients.get(i), store, records, begin, end);
                }
              }));
    }
    await(running);
    double loss = 0;
    for (int i = 0; i < batches; i++) {
      sum.add_(gradients.get(i));
      loss += losses[i];
    }
    return loss;
  }

  private double one(Tensor gradient, TokenStore store, long[] records, int begin, int end) {
    long[] own = java.util.Arrays.copyOfRange(records, begin, end);
    // No input masks: they would depend on a record's place in its batch, and so on who else is
    // in it.
    FieldBatch batch = FieldBatch.read(store, decoder.config(), own, 0, null);
    gradient.zero_();
    return clipping.addTo(parameters, batch, decoder.layout().views(gradient));
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

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
