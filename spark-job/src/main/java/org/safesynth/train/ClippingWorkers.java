package org.safesynth.train;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.model.ParameterLayout;

/**
 * Threads that sum the clipped gradients of the units a step drew, micro-batch by micro-batch.
 *
 * <p>Memory does not grow with what was drawn: a fixed number of micro-batches is under way at a
 * time, each with a gradient vector of its own. These are added in float64 in the micro-batches'
 * order, so that the sum is the same for any number of workers.
 */
final class ClippingWorkers implements PrivateLessons.ClippedSum {
  private static final int MICRO_BATCHES = 32; // under way at a time, whatever the workers

  private final Clipping clipping;
  private final ParameterLayout layout;
  private final List<Tensor> parameters;
  private final WorkerThreads threads;
  private final List<Tensor> gradients = new ArrayList<>(); // each (P)

  /**
   * Starts the threads.
   *
   * @param parameters (P) the weights that all workers read
   */
  ClippingWorkers(Clipping clipping, ParameterLayout layout, Tensor parameters, int workers) {
    this.clipping = clipping;
    this.layout = layout;
    this.parameters = layout.views(parameters);
    this.threads = new WorkerThreads("clipping-worker", Math.min(workers, MICRO_BATCHES));
    for (int i = 0; i < MICRO_BATCHES; i++) {
      gradients.add(torch.zeros(layout.size()));
    }
  }

  @Override
  public ExecutorService threads() {
    return threads.executor();
  }

  @Override
  public double addTo(Tensor sum, long[] units) {
    double loss = 0;
    List<long[]> all = clipping.microBatches(units);
    for (int from = 0; from < all.size(); from += MICRO_BATCHES) {
      loss += wave(sum, all.subList(from, Math.min(all.size(), from + MICRO_BATCHES)));
    }
    return loss;
  }

  private double wave(Tensor sum, List<long[]> batches) {
    double loss =
        threads.sum(
            batches.size(),
            (worker, i) -> {
              Tensor gradient = gradients.get(i).zero_();
              return clipping.addTo(parameters, batches.get(i), layout.views(gradient));
            });
    for (int i = 0; i < batches.size(); i++) {
      sum.add_(gradients.get(i));
    }
    return loss;
  }

  @Override
  public void close() {
    threads.close();
  }
}
