package org.safesynth.train;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * What {@link ClippingWorkers} sum: the gradients of privacy units, each clipped. How units are cut
 * into micro-batches changes a unit's own part of the sum by roundings only ({@link
 * PrivatePlan#sensitivity}).
 */
interface Clipping {
  /** Cuts the units that a step drew; each is in one micro-batch. */
  List<long[]> microBatches(long[] units);

  /**
   * Adds the clipped gradients of a micro-batch.
   *
   * @param parameters views of the weights, without gradients
   * @param sum views of the sum, like the parameters
   * @return the units' summed loss in nats: a private statistic
   */
  double addTo(List<Tensor> parameters, long[] microBatch, List<Tensor> sum);
}
