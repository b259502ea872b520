package org.safesynth.train;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Threads that take the micro-batches of a step, one operation thread each.
 *
 * <p>Small matrix products do not scale by threads inside an operation; whole micro-batches do.
 * Every micro-batch has a gradient vector of its own, and these are added in the micro-batches'
 * order, so that the sum is the same for any number of workers.
 */
final class GradientWorkers<B> implements AutoCloseable {
  private final Lessons<B> lessons;
  private final Tensor parameters; // (P)
  private final WorkerThreads threads;
  private final List<Tensor> gradients = new ArrayList<>(); // each (P)
  private final List<List<Tensor>> leaves = new ArrayList<>();

  /**
   * Starts the threads.
   *
   * @param parameters (P) the weights that all workers read
   */
  GradientWorkers(Lessons<B> lessons, Tensor parameters, int workers) {
    this.lessons = lessons;
    this.parameters = parameters;
    this.threads = new WorkerThreads("gradient-worker", workers);
  }

  /** Makes leaves and a gradient vector for each of a step's micro-batches. */
  private void provideFor(int microBatches) {
    while (gradients.size() < microBatches) {
      Tensor gradient = torch.zeros(lessons.layout().size()); // (P)
      List<Tensor> views = lessons.layout().views(gradient);
      List<Tensor> own = new ArrayList<>();
      for (Tensor view : lessons.layout().views(parameters)) {
        Tensor leaf = view.detach();
        leaf.requires_grad_(true);
        leaf.mutable_grad().put(views.get(own.size()));
        own.add(leaf);
      }
      gradients.add(gradient);
      leaves.add(own);
    }
  }

  int workers() {
    return threads.workers();
  }

  /**
   * Adds up loss and gradient of the batches.
   *
   * @param batches the step's micro-batches
   * @param sum (P) receives the gradient of the summed loss
   * @return the summed loss in nats
   */
  double gradient(List<B> batches, Tensor sum) {
    provideFor(batches.size());
    double loss =
        threads.sum(
            batches.size(),
            (worker, i) -> {
              try (PointerScope scope = new PointerScope()) {
                gradients.get(i).zero_();
                Tensor of = lessons.loss(batches.get(i), leaves.get(i));
                of.backward();
                return of.item_double();
              }
            });
    sum.zero_();
    for (int i = 0; i < batches.size(); i++) {
      sum.add_(gradients.get(i));
    }
    return loss;
  }

  /** The summed loss of the batches in nats with the given weights (P), without gradients. */
  double loss(List<B> batches, Tensor weights) {
    return threads.sum(
        batches.size(),
        (worker, i) -> {
          try (PointerScope scope = new PointerScope();
              NoGradGuard guard = new NoGradGuard()) {
            return lessons.loss(batches.get(i), lessons.layout().views(weights)).item_double();
          }
        });
  }

  @Override
  public void close() {
    threads.close();
  }
}
