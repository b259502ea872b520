package org.safesynth.train;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.model.LoraDecoder;
import org.safesynth.model.PackedExamples;

/**
 * Threads that take the forward passes of a step, one operation thread each; every pass has a
 * gradient vector of its own, and these are added in the passes' order, so that the sum is the same
 * for any number of workers.
 */
final class LoraWorkers implements AutoCloseable {
  private final LoraDecoder decoder;
  private final boolean recomputes;
  private final WorkerThreads threads;
  private final List<Tensor> gradients = new ArrayList<>(); // each (P)

  LoraWorkers(LoraDecoder decoder, LoraPlan plan, int workers) {
    this.decoder = decoder;
    this.recomputes = plan.recomputesBlocks();
    this.threads = new WorkerThreads("adapter-worker", Math.min(workers, plan.accumulation()));
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
        threads.sum(
            passes.size(),
            (worker, i) -> {
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
    return threads.sum(
        passes.size(),
        (worker, i) -> decoder.loss(passes.get(i), parameters, weights(passes.get(i), weight)));
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

  @Override
  public void close() {
    threads.close();
  }
}
