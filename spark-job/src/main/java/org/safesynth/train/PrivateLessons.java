package org.safesynth.train;

import java.util.concurrent.ExecutorService;
import org.bytedeco.pytorch.Tensor;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.ParameterLayout;

/** Privacy units and the model that learns them, as {@link PrivateTrainer} asks for them. */
public interface PrivateLessons {
  /** Number of units, which are numbered from 0. */
  long units();

  /** Tokens of a unit for the console: a public number, or NaN. */
  double tokensPerUnit();

  /** Where the model's parameters lie in the flat vector (P). */
  ParameterLayout layout();

  /** Where parameters and sums of gradients lie. */
  ComputeDevice device();

  /**
   * Begins to take gradients.
   *
   * @param parameters (P) the weights, which change from step to step
   * @param grid width of the grid that the noise lies on, a power of two
   * @param workers threads
   */
  ClippedSum begin(Tensor parameters, double grid, int workers);

  /** Sums the gradients of units, each clipped to C, in bounded memory whatever was drawn. */
  interface ClippedSum extends AutoCloseable {
    /**
     * Adds the clipped gradients of units.
     *
     * @param sum (P) float64
     * @return the units' summed loss in nats: a private statistic
     */
    double addTo(Tensor sum, long[] units);

    /** For work of other kinds that may run beside the gradients. */
    ExecutorService threads();

    @Override
    void close();
  }

  /** Units of a decoder on the processor that are clipped in micro-batches. */
  record OfMicroBatches(Clipping clipping, ParameterLayout layout, long units, double tokensPerUnit)
      implements PrivateLessons {
    @Override
    public ComputeDevice device() {
      return ComputeDevice.CPU;
    }

    @Override
    public ClippedSum begin(Tensor parameters, double grid, int workers) {
      return new ClippingWorkers(clipping, layout, parameters, workers);
    }
  }
}
