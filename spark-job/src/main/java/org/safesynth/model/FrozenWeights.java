package org.safesynth.model;

import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * The weights of a model folder as they are held while the model is used: vectors in float32, and
 * matrices in the form that {@link Form} says.
 *
 * <p>Everything handed out outlives the caller's scope; the collector frees it with its holder.
 */
final class FrozenWeights {
  /** A larger model's matrices stay as the files have them, in the mapped files themselves. */
  private static final long MOST_FLOATS = 2_000_000_000; // 8 GB

  private final HfWeights weights;
  private final ComputeDevice device;
  private final Form form;
  private final int bits;

  private enum Form {
    FLOATS,
    BFLOAT16,
    AS_STORED,
    QUANTIZED
  }

  /**
   * Opens a model folder.
   *
   * @param device where the weights are used
   * @param bits of a quantised weight, 4 or 8; 0 leaves the weights as they are
   */
  FrozenWeights(Path folder, ComputeDevice device, int bits) {
    this(folder, device, bits, MOST_FLOATS);
  }

  /** The same, with another number of values up to which matrices are held in float32. */
  FrozenWeights(Path folder, ComputeDevice device, int bits, long mostFloats) {
    if (bits != 0 && bits != 4 && bits != 8) {
      throw new IllegalArgumentException(bits + " bits");
    }
    Natives.load();
    this.weights = HfWeights.ofFolder(folder);
    this.device = device;
    this.bits = bits;
    if (bits != 0) {
      form = Form.QUANTIZED;
    } else if (device.multipliesInBfloat16()) {
      form = Form.BFLOAT16;
    } else {
      form = weights.values() <= mostFloats ? Form.FLOATS : Form.AS_STORED;
    }
  }

  ComputeDevice device() {
    return device;
  }

  boolean has(String name) {
    return weights.has(name);
  }

  /** Whether a graph of products keeps no copy of the matrices. */
  boolean areMultipliedAsHeld() {
    return form == Form.FLOATS || form == Form.BFLOAT16;
  }

  /** A vector (size). */
  Tensor vector(String name, long size) {
    return kept(device.on(weights.frozen(name, size)));
  }

  /** The matrix of tokens, which is never quantised (out, in). */
  FrozenMatrix.Stored tokens(String name, long out, long in) {
    if (form == Form.FLOATS) {
      return new FrozenMatrix.Stored(kept(device.on(weights.frozen(name, out, in))), false);
    }
    Tensor stored = device.on(weights.stored(name, out, in)); // (out, in)
    return form == Form.BFLOAT16
        ? new FrozenMatrix.Stored(kept(stored.to(torch.ScalarType.BFloat16)), true)
        : new FrozenMatrix.Stored(kept(stored), false);
  }

  /** A projection's matrix (out, in). */
  FrozenMatrix projection(String name, long out, long in) {
    if (form != Form.QUANTIZED) {
      return tokens(name, out, in);
    }
    try (PointerScope scope = new PointerScope()) {
      Tensor copy = weights.copy(name, out, in); // (out, in)
      if (bits == 8) {
        FrozenMatrix.Int8 quantized = FrozenMatrix.Int8.of(copy);
        return new FrozenMatrix.Int8(
            kept(device.on(quantized.values())), kept(device.on(quantized.scales())));
      }
      FrozenMatrix.Nf4 quantized = FrozenMatrix.Nf4.of(copy);
      return new FrozenMatrix.Nf4(
          kept(device.on(quantized.packed())),
          kept(device.on(quantized.scales())),
          kept(device.on(quantized.pairs())),
          out,
          in);
    }
  }

  /**
   * A projection's matrix with an adapter: added to a copy where the matrix is held in float32,
   * else for the caller to add to what the matrix gives.
   */
  Adapted adapted(String name, PeftAdapter adapter, long out, long in) {
    String matrix = name + ".weight";
    if (form != Form.FLOATS) {
      PeftAdapter.Pair pair = adapter.pair(name, out, in);
      Tensor up = pair.up().mul(new Scalar(adapter.config().scaling())); // (out, rank)
      return new Adapted(
          projection(matrix, out, in), kept(device.on(pair.down())), kept(device.on(up)));
    }
    Tensor copy = weights.floats(matrix, out, in); // (out, in)
    try (PointerScope scope = new PointerScope()) {
      adapter.addTo(name, copy);
    }
    return new Adapted(new FrozenMatrix.Stored(kept(device.on(copy)), false), null, null);
  }

  /**
   * A projection with an adapter.
   *
   * @param down (rank, in), or null where the matrix has it all
   * @param up (out, rank) with the scaling, or null
   */
  record Adapted(FrozenMatrix matrix, Tensor down, Tensor up) {}

  /** A tensor of some type whose values are yet to be written. */
  static Tensor empty(torch.ScalarType type, long... shape) {
    return torch.empty(shape, new TensorOptions(type), new MemoryFormatOptional());
  }

  private static Tensor kept(Tensor tensor) {
    tensor.retainReference();
    return tensor;
  }
}
