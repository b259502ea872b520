package org.safesynth.model;

import static org.bytedeco.pytorch.global.torch.linear;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * A matrix of a pretrained model that is never written, held in fewer bytes than it is computed
 * with. What is computed with is float32: a matrix that is held in it is taken as it is, any other
 * is turned into it where it is used, some rows at a time, so that they are still in the
 * processor's cache when they are multiplied. Only a graph needs the whole matrix.
 */
sealed interface FrozenMatrix {
  /** Values of a piece: 2 MiB of float32. */
  long PIECE = 512 << 10;

  /** Pieces begin at multiples of this, so that no block of {@link Nf4} is cut. */
  int ALIGNMENT = Nf4.BLOCK;

  /** Number of rows. */
  long out();

  /** Number of columns. */
  long in();

  /** Whether it is held in float32. */
  boolean isReady();

  /**
   * Some rows in float32 (count, in).
   *
   * @param row the first of them, a multiple of {@link #ALIGNMENT}
   */
  Tensor floats(long row, long count);

  /** The matrix in float32 (out, in). */
  default Tensor floats() {
    Tensor whole = floats(0, 0).new_empty(out(), in());
    inPieces(out(), in(), (row, count) -> whole.narrow(0, row, count).copy_(floats(row, count)));
    return whole;
  }

  /**
   * The projection of vectors; with a graph where gradients are on.
   *
   * @param x (n, in)
   * @param bias (out) or null
   * @return (n, out)
   */
  default Tensor project(Tensor x, Tensor bias) {
    if (isReady() || GradMode.is_enabled()) {
      return linear(x, floats(), bias == null ? new TensorOptional() : new TensorOptional(bias));
    }
    Tensor projected = x.new_empty(x.size(0), out()); // (n, out)
    inPieces(
        out(),
        in(),
        (row, count) -> projected.narrow(1, row, count).copy_(linear(x, floats(row, count))));
    return bias == null ? projected : projected.add_(bias);
  }

  /**
   * Vectors in the type in which products with this matrix are taken, for several such products.
   *
   * @param x (n, in)
   */
  default Tensor factor(Tensor x) {
    return x;
  }

  /**
   * As {@link #project}, left in the type in which the product is taken.
   *
   * @param x (n, in), or what {@link #factor} makes of it
   */
  default Tensor product(Tensor x, Tensor bias) {
    return project(x, bias);
  }

  /**
   * The gradient of {@link #project}'s vectors, without a graph.
   *
   * @param gradient (n, out) of what it gave
   * @return (n, in)
   */
  default Tensor back(Tensor gradient) {
    if (isReady()) {
      return gradient.matmul(floats());
    }
    Tensor back = gradient.new_zeros(gradient.size(0), in()); // (n, in)
    inPieces(
        out(),
        in(),
        (row, count) -> back.addmm_(gradient.narrow(1, row, count), floats(row, count)));
    return back;
  }

  /** Does something with some rows. */
  interface Piece {
    void accept(long row, long count);
  }

  /** Goes through the rows of a matrix, a piece at a time, each in a scope of its own. */
  static void inPieces(long out, long in, Piece piece) {
    long rows = Math.max(1, PIECE / in / ALIGNMENT) * ALIGNMENT;
    for (long row = 0; row < out; row += rows) {
      try (PointerScope scope = new PointerScope()) {
        piece.accept(row, Math.min(rows, out - row));
      }
    }
  }

  /**
   * As it is stored.
   *
   * @param weight (out, in) float32, float16 or bfloat16
   * @param multipliesAsHeld whether products are taken in the type of the weight
   */
  record Stored(Tensor weight, boolean multipliesAsHeld) implements FrozenMatrix {
    @Override
    public long out() {
      return weight.size(0);
    }

    @Override
    public long in() {
      return weight.size(1);
    }

    @Override
    public boolean isReady() {
      return weight.scalar_type() == torch.ScalarType.Float;
    }

    @Override
    public Tensor floats() {
      return isReady() ? weight : FrozenMatrix.super.floats();
    }

    @Override
    public Tensor floats(long row, long count) {
      return weight.narrow(0, row, count).to(torch.ScalarType.Float);
    }

    @Override
    public Tensor project(Tensor x, Tensor bias) {
      if (!multipliesAsHeld || isReady()) {
        return FrozenMatrix.super.project(x, bias);
      }
      Tensor projected = linear(factor(x), weight).to(torch.ScalarType.Float); // (n, out)
      return bias == null ? projected : projected.add(bias);
    }

    @Override
    public Tensor factor(Tensor x) {
      return multipliesAsHeld ? x.to(weight.scalar_type()) : x;
    }

    @Override
    public Tensor product(Tensor x, Tensor bias) {
      if (!multipliesAsHeld || isReady()) {
        return project(x, bias);
      }
      Tensor product = linear(factor(x), weight); // (n, out)
      return bias == null ? product : product.add(bias);
    }

    @Override
    public Tensor back(Tensor gradient) {
      return !multipliesAsHeld || isReady()
          ? FrozenMatrix.super.back(gradient)
          : gradient.to(weight.scalar_type()).matmul(weight).to(torch.ScalarType.Float);
    }

    /**
     * Some of its rows in float32 (n, in).
     *
     * @param indices (n)
     */
    Tensor rows(Tensor indices) {
      Tensor rows = torch.embedding(weight, indices); // (n, in)
      return isReady() ? rows : rows.to(torch.ScalarType.Float);
    }
  }

  /**
   * In 8 bits: whole numbers up to 127, and a scale of each row, its greatest magnitude over 127
   * (Dettmers et al. 2022, LLM.int8(), without its outliers).
   *
   * @param values (out, in) of 8 bits with sign
   * @param scales (out, 1) float32
   */
  record Int8(Tensor values, Tensor scales) implements FrozenMatrix {
    private static final double MOST = 127;

    /**
     * Quantises.
     *
     * @param weight (out, in) of any floating-point type
     */
    static Int8 of(Tensor weight) {
      long out = weight.size(0);
      long in = weight.size(1);
      Tensor values = FrozenWeights.empty(torch.ScalarType.Char, out, in);
      Tensor scales = torch.empty(out, 1);
      inPieces(
          out,
          in,
          (row, count) -> {
            Tensor floats = // (count, in)
                weight.narrow(0, row, count).to(torch.ScalarType.Float);
            Tensor scale = // (count, 1)
                floats.abs().amax(new long[] {1}, true).div_(new Scalar(MOST));
            scales.narrow(0, row, count).copy_(scale);
            Tensor divisors = scale.clamp_min(new Scalar(Float.MIN_NORMAL)); // (count, 1)
            values.narrow(0, row, count).copy_(floats.div(divisors).round_());
          });
      return new Int8(values, scales);
    }

    @Override
    public long out() {
      return values.size(0);
    }

    @Override
    public long in() {
      return values.size(1);
    }

    @Override
    public boolean isReady() {
      return false;
    }

    @Override
    public Tensor floats(long row, long count) {
      Tensor rows = values.narrow(0, row, count).to(torch.ScalarType.Float); // (count, in)
      return rows.mul_(scales.narrow(0, row, count));
    }
  }

  /**
   * In 4 bits: blocks of 64 values behind one another, across the rows, each value the nearest
   * level of {@link NormalFloat} times the block's greatest magnitude (Dettmers et al. 2023, QLoRA,
   * without its second quantisation).
   *
   * @param packed (blocks, 32) two values a byte, the first in its upper half
   * @param scales (blocks, 1) float32 greatest magnitudes
   * @param pairs (256, 2) the levels that a byte stands for
   */
  record Nf4(Tensor packed, Tensor scales, Tensor pairs, long out, long in)
      implements FrozenMatrix {
    private static final int BLOCK = 64;

    /**
     * Quantises.
     *
     * @param weight (out, in) of any floating-point type
     */
    static Nf4 of(Tensor weight) {
      long out = weight.size(0);
      long in = weight.size(1);
      long blocks = blocks(out * in);
      Tensor packed = FrozenWeights.empty(torch.ScalarType.Byte, blocks, BLOCK / 2);
      Tensor scales = torch.empty(blocks, 1);
      Tensor boundaries = torch.tensor(NormalFloat.boundaries()); // (15)
      inPieces(
          out,
          in,
          (row, count) -> {
            long first = row * in / BLOCK;
            long own = blocks(count * in);
            Tensor flat = torch.zeros(own, BLOCK); // the last block may not be full
            flat.view(-1).narrow(0, 0, count * in).copy_(weight.narrow(0, row, count).view(-1));
            Tensor scale = flat.abs().amax(new long[] {1}, true); // (own, 1)
            scales.narrow(0, first, own).copy_(scale);
            flat.div_(scale.clamp_min(new Scalar(Float.MIN_NORMAL)));
            Tensor codes = // (own, 32, 2)
                torch.bucketize(flat, boundaries, true, false).view(own, BLOCK / 2, 2);
            packed
                .narrow(0, first, own)
                .copy_(codes.select(2, 0).mul(new Scalar(16)).add_(codes.select(2, 1)));
          });
      return new Nf4(packed, scales, torch.tensor(NormalFloat.pairs()).view(256, 2), out, in);
    }

    private static long blocks(long values) {
      return (values + BLOCK - 1) / BLOCK;
    }

    @Override
    public boolean isReady() {
      return false;
    }

    @Override
    public Tensor floats(long row, long count) {
      long own = blocks(count * in);
      long first = row * in / BLOCK;
      return pairs
          .index_select(
              0, packed.narrow(0, first, own).view(-1).to(torch.ScalarType.Int)) // (own * 32, 2)
          .view(own, BLOCK)
          .mul_(scales.narrow(0, first, own))
          .view(-1)
          .narrow(0, 0, count * in)
          .view(count, in);
    }
  }
}
