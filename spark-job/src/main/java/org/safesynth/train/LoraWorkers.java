package org.safesynth.train;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntToDoubleFunction;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.model.LoraDecoder;
import org.safesynth.model.Natives;
import org.safesynth.model.PackedExamples;

/**
 * Threads that take the forward passes of a step, one operation thread each; every pass has a
 * gradient vector of its own, and these are added in the passes' order, so that the sum is the same
 * for any number of workers.
 */
final class LoraWorkers implements AutoCloseable {
  private final LoraDecoder decoder;
  private final boolean recomputes;
  private final int workers;
  private final ExecutorService threads;
  private final List<Tensor> gradients = new ArrayList<>(); // each (P)

  LoraWorkers(LoraDecoder decoder, LoraPlan plan, int workers) {
    this.decoder = decoder;
    this.recomputes = plan.recomputesBlocks();
    this.workers = Math.max(1, Math.min(workers, plan.accumulation()));
    this.threads =
        Executors.newFixedThreadPool(
            this.workers,
            task -> {
              Thread thread = new Thread(task, "adapter-worker");
              thread.setDaemon(true);
              return thread;
            });
    for (int i = 0; i < plan.accumulation(); i++) {
      gradients.add(decoder.device().on(torch.zeros(decoder.layout().size())));
    }
  }

  /**
   * Mean loss of a step's tokens and its gradient.
   *
   * @param parameters (P)
   * @param sum (P) receives the gradient
   */
  double gradient(List<PackedExamples> passes, Tensor parameters, Tensor sum) {
    double weight = 1.0 / Math.max(1, tokens(passes));
    double loss =
        inParallel(
            passes.size(),
            i -> {
              gradients.get(i).zero_();
              double[] weights = weights(passes.get(i), weight);
              return decoder.gradient(
                  passes.get(i), parameters, weights, gradients.get(i), recomputes);
            });
    sum.zero_();
    for (int i = 0; i < passes.size(); i++) {
      sum.add_(gradients.get(i));
    }
    return loss;
  }

  /** Mean loss of all tokens, without gradients. */
  double loss(List<PackedExamples> passes, Tensor parameters) {
    double weight = 1.0 / Math.max(1, tokens(passes));
    return inParallel(
        passes.size(),
        i -> decoder.loss(passes.get(i), parameters, weights(passes.get(i), weight)));
  }

  private static double[] weights(PackedExamples pass, double weight) {
    double[] weights = new double[pass.lengths().length];
    java.util.Arrays.fill(weights, weight);
    return weights;
  }

  private static long tokens(List<PackedExamples> passes) {
    long tokens = 0;
    for (PackedExamples pass : passes) {
      for (int count : pass.lossTokens()) {
        tokens += count;
      }
    }
    return tokens;
  }

  /** Worker w takes the items w, w + workers, …; results are added in the items' order. */
  private double inParallel(int items, IntToDoubleFunction work) {
    double[] results = new double[items];
    List<Future<?>> running = new ArrayList<>();
    for (int w = 0; w < workers; w++) {
      int first = w;
      running.add(
          threads.submit(
              () -> {
                Natives.useOneThread();
                for (int i = first; i < items; i += workers) {
                  results[i] = work.applyAsDouble(i);
                }
              }));
    }
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
    double sum = 0;
    for (double result : results) {
      sum += result;
    }
    return sum;
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
