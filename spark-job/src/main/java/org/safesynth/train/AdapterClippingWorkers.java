package org.safesynth.train;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.model.LoraDecoder;
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
  private final WorkerThreads threads;
  private final List<Tensor> gradients = new ArrayList<>(); // a worker: (1, P)

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
    this.threads = new WorkerThreads("adapter-clipping-worker", workers, noiseToo);
    for (int w = 0; w < threads.workers(); w++) {
      gradients.add(decoder.device().on(torch.zeros(1, decoder.layout().size())));
    }
  }

  @Override
  public ExecutorService threads() {
    return threads.executor();
  }

  @Override
  public double addTo(Tensor sum, long[] units) {
    return threads.sum(units.length, (worker, i) -> addOne(sum, units[i], gradients.get(worker)));
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

  @Override
  public void close() {
    threads.close();
  }
}
