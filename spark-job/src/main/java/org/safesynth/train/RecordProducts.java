package org.safesynth.train;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_saxpy;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sdot;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Forms the gradients of some weights record by record and adds them up scaled. A record's
 * gradients are measured and added while they are in the processor's cache, and never stand in
 * memory beside those of another.
 *
 * <p>Products are asked of BLAS directly: what libtorch's batched product does around each of them
 * costs more than a product this small. Made on the thread that uses it, inside a scope that holds
 * the tensors.
 */
final class RecordProducts {
  /** Products that are summed in float32; their sums are added up in float64. */
  static final int BLOCK = 4096;

  /** A weight's input and output gradient: one record's row of {@code step} floats a position. */
  private record Layer(Tensor a, Tensor g, FloatPointer input, FloatPointer gradient, int at) {
    int in() {
      return Math.toIntExact(a.size(2));
    }

    int out() {
      return Math.toIntExact(g.size(2));
    }

    int size() {
      return in() * out();
    }
  }

  private final List<Layer> layers = new ArrayList<>();
  private int size;
  private Tensor own; // (size) of one record
  private Tensor sum; // (size)
  private FloatPointer ownAt;
  private FloatPointer sumAt;

  /**
   * Adds a weight, before the first record.
   *
   * @param input (positions, batch, in) of the layer
   * @param gradient (positions, batch, out) of its output
   */
  void addWeight(Tensor input, Tensor gradient) {
    Tensor a = input.contiguous();
    Tensor g = gradient.contiguous();
    layers.add(
        new Layer(
            a,
            g,
            new FloatPointer(a.data_ptr_float()),
            new FloatPointer(g.data_ptr_float()),
            size));
    size = Math.addExact(size, layers.get(layers.size() - 1).size());
  }

  /**
   * Forms the gradients of a record.
   *
   * @return their squared length, from blocks of {@link #BLOCK} products in float32
   */
  double form(int record) {
    if (own == null) {
      own = torch.empty(Math.max(1, size));
      sum = torch.zeros(Math.max(1, size));
      ownAt = new FloatPointer(own.data_ptr_float());
      sumAt = new FloatPointer(sum.data_ptr_float());
    }
    for (Layer layer : layers) {
      product(layer, record);
    }
    double square = 0;
    for (int from = 0; from < size; from += BLOCK) {
      ownAt.position(from);
      square += cblas_sdot(Math.min(BLOCK, size - from), ownAt, 1, ownAt, 1);
    }
    return square;
  }

  /** Σ over the positions of the outer products of output gradient and input (out, in). */
  private void product(Layer layer, int record) {
    int batch = Math.toIntExact(layer.a.size(1));
    cblas_sgemm(
        CblasRowMajor,
        CblasTrans,
        CblasNoTrans,
        layer.out(),
        layer.in(),
        Math.toIntExact(layer.a.size(0)),
        1,
        layer.gradient.position((long) record * layer.out()),
        batch * layer.out(),
        layer.input.position((long) record * layer.in()),
        batch * layer.in(),
        0,
        ownAt.position(layer.at),
        layer.in());
  }

  /** Adds the gradients of the record that was formed last, times a factor. */
  void add(float factor) {
    cblas_saxpy(size, factor, ownAt.position(0), 1, sumAt.position(0), 1);
  }

  /** The sum of one weight's gradients (out, in), in the order in which the weights were added. */
  Tensor sum(int weight) {
    Layer layer = layers.get(weight);
    return sum.narrow(0, layer.at, layer.size()).view(layer.out(), layer.in());
  }
}
