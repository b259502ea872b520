package org.safesynth.model;

import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.fault.BadInputException;
import org.safesynth.fault.RunFailedException;

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
  private static final Path NVIDIA = Paths.get("/proc/driver/nvidia/gpus");
  private static final String CUDA_LIBRARY =
      "/org/bytedeco/pytorch/linux-x86_64-gpu/libtorch_cuda.so";
  private static final Set<String> BFLOAT16_FLAGS = Set.of("avx512_bf16", "amx_bf16");

  /**
   * What is asked for.
   *
   * @param device {@code auto}, {@code cpu} or {@code cuda}
   * @param gpuMemoryFraction of the GPU's memory that this process may take, between 0 and 1; the
   *     first wish of a process counts
   */
  public record Wish(String device, double gpuMemoryFraction) implements Serializable {}

  /**
   * Chooses.
   *
   * @throws BadInputException when a GPU is wanted and this process has none
   */
  public static ComputeDevice choose(Wish wish) {
    Natives.load();
    Natives.limitGpuMemory(wish.gpuMemoryFraction());
    boolean hasGpu = !wish.device().equals(CPU.name()) && torch.cuda_is_available();
    if (wish.device().equals(CUDA) && !hasGpu) {
      throw new BadInputException(
          ComputeDevice.class.getResource(CUDA_LIBRARY) == null
              ? "a GPU is asked for (cluster.device or cluster.generation_device: cuda), but this job jar is the one for the CPU; build it with mvn -Pgpu -DskipTests package, or write auto"
              : "a GPU is asked for (cluster.device or cluster.generation_device: cuda), but this process sees none; check that nvidia-smi lists one on this host, with a driver for CUDA 13, or write auto");
    }
    if (hasGpu) {
      // What is not multiplied in bfloat16 may be in TensorFloat-32, which has 3 bits more.
      torch.globalContext().setAllowTF32CuBLAS(true);
    }
    return hasGpu ? new ComputeDevice(CUDA, true) : processor(Paths.get("/proc/cpuinfo"));
  }

  /**
   * Chooses for training under differential privacy: nothing is rounded to TensorFloat-32 on the
   * way, so that what stays in float32 (the adapter, norms, clipped sums) is float32 on a GPU too.
   *
   * @throws BadInputException when a GPU is wanted and this process has none
   */
  public static ComputeDevice chooseForPrivateTraining(Wish wish) {
    ComputeDevice chosen = choose(wish);
    torch.globalContext().setAllowTF32CuBLAS(false);
    return chosen;
  }

  /**
   * In words, with the GPU's name where the driver tells it, such as {@code cuda (NVIDIA H200),
   * bfloat16}.
   */
  public String words() {
    return name
        + (isGpu() ? gpuName(NVIDIA).map(" (%s)"::formatted).orElse("") : "")
        + (multipliesInBfloat16 ? ", bfloat16" : ", float32");
  }

  /**
   * Does something there, and says in one sentence what to do where its memory does not suffice.
   *
   * @throws RunFailedException when the GPU's memory is full
   */
  public <T> T within(Supplier<T> work) {
    try {
      return work.get();
    } catch (RuntimeException e) {
      if (isGpu() && isOutOfMemory(e)) {
        throw new RunFailedException(
            "the memory of the GPU that this process may take is full; lower training.batch_size or raise training.max_vram_fraction, or set training.quantize_model",
            e);
      }
      throw e;
    }
  }

  private static boolean isOutOfMemory(Throwable fault) {
    for (Throwable t = fault; t != null; t = t.getCause()) {
      if (t.getMessage() != null && t.getMessage().contains("CUDA out of memory")) {
        return true;
      }
    }
    return false;
  }

  /** The model of the first GPU that NVIDIA's driver lists, the one that {@code cuda} means. */
  static Optional<String> gpuName(Path gpus) {
    if (!Files.isDirectory(gpus)) {
      return Optional.empty(); // a container may hide it
    }
    try (Stream<Path> folders = Files.list(gpus)) {
      Optional<Path> information =
          folders.sorted().map(f -> f.resolve("information")).filter(Files::isReadable).findFirst();
      if (information.isEmpty()) {
        return Optional.empty();
      }
      return Files.readAllLines(information.get()).stream()
          .filter(line -> line.startsWith("Model:"))
          .map(line -> line.substring("Model:".length()).strip())
          .findFirst();
    } catch (IOException e) {
      throw new RunFailedException(gpus + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** Whether it is a GPU. */
  public boolean isGpu() {
    return name.equals(CUDA);
  }

  /** A tensor's values there; the tensor itself where they already are. */
  public Tensor on(Tensor tensor) {
    return name.equals(CPU.name()) ? tensor : tensor.to(new Device(name), tensor.scalar_type());
  }

  /**
   * Whether this processor multiplies bfloat16 itself, which is twice as fast as float32 or better;
   * without such instructions it is far slower. They are asked for by name and not timed: a run
   * that is resumed on the machine that it began on must choose as before.
   */
  private static boolean hasBfloat16(Path cpuinfo) {
    if (!Files.isReadable(cpuinfo)) {
      return false; // no Linux
    }
    try (Stream<String> lines = Files.lines(cpuinfo)) {
      return lines
          .filter(line -> line.startsWith("flags"))
          .limit(1)
          .flatMap(line -> Arrays.stream(line.split("\\s+")))
          .anyMatch(BFLOAT16_FLAGS::contains);
    } catch (IOException e) {
      throw new RunFailedException(cpuinfo + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** As {@link #choose} decides where {@code cpuinfo} describes the processor. */
  static ComputeDevice processor(Path cpuinfo) {
    return new ComputeDevice(CPU.name(), hasBfloat16(cpuinfo));
  }
}
