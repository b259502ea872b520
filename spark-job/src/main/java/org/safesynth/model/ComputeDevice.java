package org.safesynth.model;

import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.fault.BadInputException;

/**
 * Where a pretrained model is computed, and whether its large products are taken in bfloat16: the
 * one place that chooses between the processor and a GPU.
 *
 * <p>Products in bfloat16 are summed in float32 by the hardware that has them; everything between
 * the products, and the adapter, stays float32.
 *
 * @param name as libtorch writes it, such as {@code cpu} or {@code cuda}
 * @param multipliesInBfloat16 whether matrices are held and multiplied in bfloat16
 */
public record ComputeDevice(String name, boolean multipliesInBfloat16) {
  /** The processor, in float32 throughout. */
  public static final ComputeDevice CPU = new ComputeDevice("cpu", false);

  private static final String CUDA = "cuda";
  private static final String CUDA_LIBRARY =
      "/org/bytedeco/pytorch/linux-x86_64-gpu/libtorch_cuda.so";
  private static final double WORTHWHILE = 0.7; // of float32's time
  private static final int TRIALS = 3;

  /**
   * Chooses.
   *
   * @param wanted {@code auto}, {@code cpu} or {@code cuda}
   * @throws BadInputException when a GPU is wanted and this process has none
   */
  public static ComputeDevice choose(String wanted) {
    Natives.load();
    boolean hasGpu = !wanted.equals(CPU.name()) && torch.cuda_is_available();
    if (wanted.equals(CUDA) && !hasGpu) {
      throw new BadInputException(
          ComputeDevice.class.getResource(CUDA_LIBRARY) == null
              ? "a GPU is asked for (cluster.device or cluster.generation_device: cuda), but this job jar is the one for the CPU; build it with mvn -Pgpu -DskipTests package, or write auto"
              : "a GPU is asked for (cluster.device or cluster.generation_device: cuda), but this process sees none; check that nvidia-smi lists one on this host, with a driver for CUDA 13, or write auto");
    }
    return hasGpu
        ? new ComputeDevice(CUDA, true)
        : new ComputeDevice(CPU.name(), hasFastBfloat16());
  }

  /** Whether it is a GPU. */
  public boolean isGpu() {
    return name.equals(CUDA);
  }

  /** A tensor's values there; the tensor itself where they already are. */
  public Tensor on(Tensor tensor) {
    return name.equals(CPU.name()) ? tensor : tensor.to(new Device(name), tensor.scalar_type());
  }

  /** Whether this processor multiplies bfloat16 well faster than float32: some are far slower. */
  private static boolean hasFastBfloat16() {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor x = torch.ones(32, 512); // (n, in)
      Tensor weight = torch.ones(512, 512); // (out, in)
      double floats = seconds(x, weight);
      double halves =
          seconds(x.to(torch.ScalarType.BFloat16), weight.to(torch.ScalarType.BFloat16));
      return halves < WORTHWHILE * floats;
    }
  }

  /** The least of a few products' times, after one that warms up. */
  private static double seconds(Tensor x, Tensor weight) {
    double[] seconds = new double[TRIALS];
    for (int i = -1; i < TRIALS; i++) {
      long begin = System.nanoTime();
      torch.linear(x, weight).close();
      if (i >= 0) {
        seconds[i] = (System.nanoTime() - begin) / 1e9;
      }
    }
    return Arrays.stream(seconds).min().orElseThrow();
  }
}
