package org.safesynth.train;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/** AdamW (Loshchilov and Hutter 2019, algorithm 2) on the flat parameter vector. */
final class FlatAdamW {
  private static final double EPSILON = 1e-8;

  private final Tensor parameters; // (P)
  private final Tensor momentum; // (P)
  private final Tensor variance; // (P)
  private final Tensor decayMask; // (P), 1 where weight decay applies
  private final double beta1;
  private final double beta2;
  private final double weightDecay;

  FlatAdamW(
      Tensor parameters,
      Tensor momentum,
      Tensor variance,
      Tensor decayMask,
      double beta1,
      double beta2,
      double weightDecay) {
    this.parameters = parameters;
    this.momentum = momentum;
    this.variance = variance;
    this.decayMask = decayMask;
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.weightDecay = weightDecay;
  }

  /**
   * One step.
   *
   * @param gradient (P)
   * @param learningRate of this step
   * @param step from 1
   */
  void step(Tensor gradient, double learningRate, long step) {
    try (PointerScope scope = new PointerScope()) {
      momentum.mul_(new Scalar(beta1)).add_(gradient, new Scalar(1 - beta1));
      variance.mul_(new Scalar(beta2)).addcmul_(gradient, gradient, new Scalar(1 - beta2));
      double correction1 = 1 - Math.pow(beta1, step);
      double correction2 = 1 - Math.pow(beta2, step);
      Tensor decay = decayMask.mul(new Scalar(-learningRate * weightDecay)); // (P)
      parameters.addcmul_(parameters, decay);
      Tensor scale = variance.div(new Scalar(correction2)).sqrt_().add_(new Scalar(EPSILON)); // (P)
      parameters.addcdiv_(momentum, scale, new Scalar(-learningRate / correction1));
    }
  }
}
