package org.safesynth.train;

import org.bytedeco.pytorch.Tensor;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.LoraDecoder;
import org.safesynth.model.ParameterLayout;

/**
 * Examples of one record each as privacy units of an adapter on a pretrained decoder.
 *
 * @param units number of examples that the source has
 * @param clipNorm C, the greatest L2 norm of an example's contribution
 * @param expected examples of a step, on average
 * @param recomputes whether blocks are computed again on the way back to save memory
 */
public record PrivateExamples(
    LoraDecoder decoder,
    ExampleSource source,
    long units,
    double clipNorm,
    double expected,
    boolean recomputes)
    implements PrivateLessons {
  /** How long the records are is private. */
  @Override
  public double tokensPerUnit() {
    return Double.NaN;
  }

  @Override
  public ParameterLayout layout() {
    return decoder.layout();
  }

  @Override
  public ComputeDevice device() {
    return decoder.device();
  }

  @Override
  public ClippedSum begin(Tensor parameters, double grid, int workers) {
    ClippedAdapterGradients clipping =
        new ClippedAdapterGradients(decoder, clipNorm, grid, expected, recomputes);
    return new AdapterClippingWorkers(decoder, clipping, source, parameters, workers);
  }
}
