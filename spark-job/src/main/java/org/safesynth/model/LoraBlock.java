package org.safesynth.model;

import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.scaled_dot_product_attention;

import java.util.List;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * One block of a pretrained decoder with frozen weights and an adapter that learns.
 *
 * @param matrices (out, in) of the projections, in the order of {@link LoraConfig#PROJECTIONS}
 * @param biases (out) of the projections, or null
 */
record LoraBlock(
    HfConfig config,
    Tensor attentionNorm,
    Tensor mlpNorm,
    List<FrozenMatrix> matrices,
    Tensor[] biases,
    boolean hasRope,
    double scaling) {
  private static final int Q = 0;
  private static final int K = 1;
  private static final int V = 2;
  private static final int O = 3;
  private static final int GATE = 4;
  private static final int UP = 5;
  private static final int DOWN = 6;

  /**
   * The adapter's matrices of this block: of each projection (rank, in) and (out, rank), or (B,
   * rank, in) and (B, out, rank) with a pair of its own for each example; null where a projection
   * has none.
   */
  record Adapter(Tensor[] down, Tensor[] up, boolean isPerExample) {}

  /**
   * What the block does.
   *
   * @param x (tokens, hidden) examples one behind the other
   * @param lengths (examples)
   * @param cos (tokens, 1, head_dim / 2)
   * @param sin (tokens, 1, head_dim / 2)
   * @return (tokens, hidden)
   */
  Tensor forward(Tensor x, int[] lengths, Tensor cos, Tensor sin, Adapter adapter) {
    long tokens = x.size(0);
    Tensor h = normed(x, attentionNorm); // (tokens, hidden)
    Tensor factor = matrices.get(Q).factor(h); // (tokens, hidden)
    Tensor q = heads(project(Q, h, factor, lengths, adapter), config.numHeads());
    Tensor k = heads(project(K, h, factor, lengths, adapter), config.numKvHeads());
    Tensor v = heads(project(V, h, factor, lengths, adapter), config.numKvHeads());
    if (hasRope) {
      q = rotated(q, cos, sin); // (tokens, heads, head_dim)
      k = rotated(k, cos, sin); // (tokens, kv heads, head_dim)
    }
    Tensor attended = // (tokens, heads * head_dim)
        attention(q, repeated(k), repeated(v), lengths)
            .reshape(tokens, (long) config.numHeads() * config.headDim());
    Tensor y = x.add(project(O, attended, attended, lengths, adapter)); // (tokens, hidden)
    Tensor g = normed(y, mlpNorm); // (tokens, hidden)
    Tensor ofMlp = matrices.get(GATE).factor(g); // (tokens, hidden)
    Tensor gate = torch.silu(project(GATE, g, ofMlp, lengths, adapter)); // (tokens, intermediate)
    Tensor gated = gate.mul(project(UP, g, ofMlp, lengths, adapter)); // (tokens, intermediate)
    return y.add(project(DOWN, gated, gated, lengths, adapter));
  }

  private Tensor normed(Tensor x, Tensor weight) {
    return torch.rms_norm(
        x,
        new long[] {config.hiddenSize()},
        new TensorOptional(weight),
        new DoubleOptional(config.rmsNormEps()));
  }

  /**
   * A projection, left in the type of its product where no adapter is added in float32.
   *
   * @param given (tokens, in)
   * @param factor (tokens, in) the same, perhaps already as the matrix wants it
   */
  private Tensor project(int p, Tensor given, Tensor factor, int[] lengths, Adapter adapter) {
    Tensor frozen = matrices.get(p).product(factor, biases[p]); // (tokens, out)
    if (adapter.down()[p] == null) {
      return frozen;
    }
    Tensor x = given.to(torch.ScalarType.Float); // (tokens, in)
    Tensor added = // (tokens, out)
        adapter.isPerExample()
            ? perExample(x, lengths, adapter.down()[p], adapter.up()[p])
            : linear(linear(x, adapter.down()[p]), adapter.up()[p]);
    return frozen.add(added, new Scalar(scaling));
  }

  private static Tensor perExample(Tensor x, int[] lengths, Tensor down, Tensor up) {
    TensorVector parts = new TensorVector();
    long at = 0;
    for (int e = 0; e < lengths.length; e++) {
      Tensor own = x.narrow(0, at, lengths[e]); // (tokens of the example, in)
      parts.push_back(linear(linear(own, down.select(0, e)), up.select(0, e)));
      at += lengths[e];
    }
    return torch.cat(parts);
  }

  private Tensor heads(Tensor flat, int heads) {
    return flat.view(flat.size(0), heads, config.headDim());
  }

  /** Turns each pair of a value of the first half and one of the second by its angle. */
  private Tensor rotated(Tensor x, Tensor cos, Tensor sin) {
    long half = config.headDim() / 2;
    Tensor first = x.narrow(2, 0, half);
    Tensor second = x.narrow(2, half, half);
    Tensor turned = first.mul(cos).sub(second.mul(sin));
    return torch.cat(new TensorVector(turned, second.mul(cos).add(first.mul(sin))), 2);
  }

  /** Keys or values for each query head: libtorch's fast kernel on the CPU wants as many. */
  private Tensor repeated(Tensor x) {
    long each = config.numHeads() / config.numKvHeads();
    if (each == 1) {
      return x;
    }
    long tokens = x.size(0);
    return x.unsqueeze(2)
        .expand(tokens, config.numKvHeads(), each, config.headDim())
        .reshape(tokens, config.numHeads(), config.headDim());
  }

  /** Causal attention within each example (tokens, heads, head_dim). */
  private Tensor attention(Tensor q, Tensor k, Tensor v, int[] lengths) {
    if (q.is_cuda()) { // its fast kernel takes no float32
      torch.ScalarType half = torch.ScalarType.BFloat16;
      return attentionAsGiven(q.to(half), k.to(half), v.to(half), lengths);
    }
    torch.ScalarType whole = torch.ScalarType.Float; // what no adapter was added to may be shorter
    return attentionAsGiven(q.to(whole), k.to(whole), v.to(whole), lengths);
  }

  private Tensor attentionAsGiven(Tensor q, Tensor k, Tensor v, int[] lengths) {
    TensorVector parts = new TensorVector();
    long at = 0;
    for (int length : lengths) {
      boolean slides = config.slidingWindow() > 0 && length > config.slidingWindow();
      Tensor seen = slides ? window(q, length, config.slidingWindow()) : null; // (length, length)
      parts.push_back(
          scaled_dot_product_attention(
                  of(q, at, length),
                  of(k, at, length),
                  of(v, at, length),
                  slides ? new TensorOptional(seen) : new TensorOptional(),
                  0.0,
                  !slides,
                  new DoubleOptional(),
                  false) // (1, heads, length, head_dim)
              .squeeze(0)
              .transpose(0, 1));
      at += length;
    }
    return lengths.length == 1 ? parts.get(0) : torch.cat(parts);
  }

  private static Tensor of(Tensor x, long at, long length) {
    return x.narrow(0, at, length).transpose(0, 1).unsqueeze(0); // (1, heads, length, head_dim)
  }

  /** True where a query sees a key: itself and the window - 1 before it. */
  private static Tensor window(Tensor q, long length, long window) {
    Tensor all = q.new_ones(length, length).to(torch.ScalarType.Bool); // (length, length)
    return all.tril(0).logical_and(all.triu(1 - window));
  }
}
