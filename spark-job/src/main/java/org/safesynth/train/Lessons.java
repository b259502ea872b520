package org.safesynth.train;

import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Tensor;
import org.safesynth.model.ParameterLayout;

/**
 * What {@link EmbeddedTrainer} learns: a model's parameters and loss, and the micro-batches of each
 * step.
 *
 * @param <B> a micro-batch
 */
interface Lessons<B> {
  ParameterLayout layout();

  /** Parameters at the start (P). */
  float[] initialParameters(RandomGenerator random);

  /** The micro-batches of a step: the same at each call. */
  List<B> batches(long step);

  /** The micro-batches of the validation loss. */
  List<B> validation();

  /** Summed loss of a micro-batch in nats. */
  Tensor loss(B batch, List<Tensor> parameters);

  /** Tokens of a record, on average. */
  double tokensPerRecord();
}
