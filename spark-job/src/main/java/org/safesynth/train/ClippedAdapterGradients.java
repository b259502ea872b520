package org.safesynth.train;

import java.util.Arrays;
import java.util.function.Consumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.safesynth.model.LoraDecoder;
import org.safesynth.model.PackedExamples;

/**
 * Sums the gradients of examples with respect to an adapter, each clipped to an L2 norm: every
 * example has a copy of the adapter's vector as its leaf (B, P), so that one backward pass leaves
 * each example's own gradient, whatever repeats in it. The loss of an example is the mean over its
 * own tokens.
 *
 * <p><b>What clipping bounds.</b> Let g be the float32 vector that was computed for an example, by
 * whatever arithmetic. What is added for it is v = trunc(f·g / step)·step with f = min(1, C /
 * (‖g‖(1 + κ) + 1e-6)), all in float64. The norm is a sum of P squares that are exact in float64
 * (24 bits twice), so that it is off by at most γ_P = P·2^-53 of itself, which is below 2^-22 for P
 * below 2^31; f, the product and the square root round by 2^-53 each. κ = 2^-20 covers them all:
 * ‖f·g‖ ≤ C as computed. Truncation towards zero makes no coordinate larger, so ‖v‖ ≤ C. Bfloat16
 * never enters norms, factors or sums.
 *
 * <p><b>The sum is exact.</b> Every v is a multiple of {@code step}, a power of two and a multiple
 * of the grid that the noise lies on ({@link org.safesynth.privacy.GaussianNoise}); step is chosen
 * so that sums of 16 times the expected number of examples (and 1,024 more) stay below 2^53 steps,
 * a number that a Poisson draw exceeds with probability below 2^-2600. Sums of multiples are then
 * exact in float64: their order, and with it the number of workers, does not matter, and one
 * example more moves the sum by its own v and by nothing else. C is the sensitivity, without a
 * remainder for roundings.
 *
 * <p><b>One example a pass.</b> This holds if g is a function of its own example and the weights.
 * Kernels order their sums by the shape of the whole pass, so that in a pass of several examples a
 * further one moves the roundings of the others, and in bfloat16 visibly. {@link
 * AdapterClippingWorkers} therefore passes examples one by one. With that, the precision of the
 * pass is a question of how good g is and not of privacy: matrices may be held and multiplied in
 * bfloat16 where the device does so. (What a GPU's order of sums varies by chance is randomness
 * that no other example has a part in.)
 *
 * <p>An example whose gradient is not finite adds nothing; this, too, is decided by it alone.
 */
final class ClippedAdapterGradients {
  /** Relative excess that roundings of norm and factor may cause. */
  static final double KAPPA = 0x1p-20;

  private static final double STABILISER = 1e-6;
  private static final int EXACT_BITS = 52;
  private static final double TIMES_EXPECTED = 16;
  private static final double AT_LEAST = 64;

  private final LoraDecoder decoder;
  private final double clipNorm;
  private final double step;
  private final boolean recomputes;

  /**
   * @param clipNorm C, the greatest L2 norm of an example's contribution
   * @param grid width of the grid that the noise lies on, a power of two
   * @param expected examples of a sum, on average
   * @param recomputes whether blocks are computed again on the way back to save memory
   */
  ClippedAdapterGradients(
      LoraDecoder decoder, double clipNorm, double grid, double expected, boolean recomputes) {
    this.decoder = decoder;
    this.clipNorm = clipNorm;
    double most = TIMES_EXPECTED * (expected + AT_LEAST) * clipNorm;
    this.step = Math.max(grid, Math.scalb(1.0, Math.getExponent(most) + 1 - EXACT_BITS));
    this.recomputes = recomputes;
  }

  /** What contributions are multiples of: a power of two. */
  double step() {
    return step;
  }

  /**
   * Takes the examples' gradients and hands over each one's clipped contribution (P) float64.
   *
   * @param parameters (P)
   * @param gradients (B, P) scratch
   * @return the examples' summed losses in nats a token: a private statistic
   */
  double each(
      PackedExamples examples, Tensor parameters, Tensor gradients, Consumer<Tensor> contribution) {
    if (examples.lengths().length == 0) {
      return 0;
    }
    try (PointerScope scope = new PointerScope()) {
      gradients.zero_();
      double loss =
          decoder.gradient(
              examples,
              parameters.unsqueeze(0).expand(gradients.size(0), gradients.size(1)),
              weights(examples),
              gradients,
              recomputes);
      try (NoGradGuard guard = new NoGradGuard()) {
        double[] norms = norms(gradients);
        for (int e = 0; e < norms.length; e++) {
          if (Double.isFinite(norms[e])) {
            contribute(gradients.select(0, e), norms[e], contribution);
          }
        }
      }
      return loss;
    }
  }

  private void contribute(Tensor gradient, double norm, Consumer<Tensor> contribution) {
    try (PointerScope scope = new PointerScope()) {
      double factor = Math.min(1, clipNorm / (norm * (1 + KAPPA) + STABILISER));
      contribution.accept(
          gradient
              .to(ScalarType.Double)
              .mul_(new Scalar(factor / step))
              .trunc_()
              .mul_(new Scalar(step)));
    }
  }

  /** The mean over an example's own tokens. */
  private static double[] weights(PackedExamples examples) {
    return Arrays.stream(examples.lossTokens()).mapToDouble(n -> 1.0 / Math.max(1, n)).toArray();
  }

  /** Norms of the rows (B), added up in float64. */
  static double[] norms(Tensor gradients) {
    Tensor norms =
        torch.linalg_vector_norm(
            gradients,
            new Scalar(2),
            new long[] {1},
            false,
            new ScalarTypeOptional(ScalarType.Double)); // (B)
    double[] values = new double[(int) norms.size(0)];
    norms.cpu().data_ptr_double().get(values);
    return values;
  }
}
