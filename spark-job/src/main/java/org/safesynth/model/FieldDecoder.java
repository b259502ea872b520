package org.safesynth.model;

import static org.bytedeco.pytorch.global.torch.cat;
import static org.bytedeco.pytorch.global.torch.cross_entropy_loss;
import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.gelu;
import static org.bytedeco.pytorch.global.torch.layer_norm;
import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.scaled_dot_product_attention;

import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The embedded decoder: a small pre-norm transformer over the fixed positions of a record, where
 * every position has its own embeddings and its own rows of the head.
 */
public final class FieldDecoder {
  private static final long SUM = 2; // at::Reduction::Sum
  private static final long IGNORE_INDEX = -100;
  private static final double BLOCK_GAIN = 0.5;
  private static final double EMBEDDING_STD = 0.1;

  private final FieldDecoderConfig config;
  private final ParameterLayout layout;
  private final int[] headOffsets; // (positions)
  private final long[] vocabularySplit; // (positions)

  public FieldDecoder(FieldDecoderConfig config) {
    this.config = config;
    this.layout = layoutOf(config);
    this.headOffsets = config.headOffsets();
    this.vocabularySplit = config.vocabularySizes().stream().mapToLong(v -> v).toArray();
  }

  public FieldDecoderConfig config() {
    return config;
  }

  public ParameterLayout layout() {
    return layout;
  }

  private static ParameterLayout layoutOf(FieldDecoderConfig config) {
    long d = config.hiddenSize();
    ParameterLayout layout = new ParameterLayout();
    for (int i = 0; i < config.numLayers(); i++) {
      String layer = "layers." + i + ".";
      layout.add(layer + "attention.qkv.weight", 3 * d, d);
      layout.add(layer + "attention.output.weight", d, d);
      layout.add(layer + "mlp.up.weight", 4 * d, d);
      layout.add(layer + "mlp.down.weight", d, 4 * d);
    }
    layout.add("embedding.weight", config.embeddingRows(), d);
    layout.add("position.weight", config.positions(), d);
    layout.add("head.weight", config.totalVocabulary(), d);
    layout.add("head.bias", config.totalVocabulary());
    return layout;
  }

  /**
   * Parameters at the start: matrices of the blocks and embeddings normal, head zero, head bias the
   * logarithm of each token's frequency, so that training starts at the marginals.
   *
   * @param counts (total vocabulary) occurrences of each token at its position
   * @param records records counted
   * @param random draws the weights
   * @return (parameters)
   */
  public float[] initialParameters(long[] counts, long records, RandomGenerator random) {
    float[] flat = new float[Math.toIntExact(layout.size())];
    for (ParameterLayout.Entry entry : layout.entries()) {
      int from = (int) entry.offset();
      int to = (int) (entry.offset() + entry.size());
      if (entry.name().equals("head.bias")) {
        for (int i = from; i < to; i++) {
          flat[i] = (float) Math.log((counts[i - from] + 0.5) / records);
        }
      } else if (!entry.name().equals("head.weight")) {
        boolean block = entry.name().startsWith("layers.");
        double std = block ? BLOCK_GAIN / Math.sqrt(entry.shape().get(1)) : EMBEDDING_STD;
        for (int i = from; i < to; i++) {
          flat[i] = (float) (std * random.nextGaussian());
        }
      }
    }
    return flat;
  }

  /**
   * Sum over the records and positions of a batch of the negative log-likelihood, in nats.
   *
   * @param parameters views as {@link ParameterLayout#views} gives them
   * @param inputs (positions - 1, batch) rows of the embedding matrix; ignored for one position
   * @param targets (positions, batch) tokens of each position
   * @return scalar
   */
  public Tensor loss(List<Tensor> parameters, Tensor inputs, Tensor targets) {
    return loss(parameters, inputs, targets, null, null, null, null);
  }

  /**
   * The same loss of records whose columns are written in another order, for decoders that know
   * any.
   *
   * @param inputs (positions - 1, batch) rows of the embedding matrix, in the order of writing
   * @param targets (positions, batch) tokens of each position, whatever the order
   * @param order (positions) as {@link FieldDecoderConfig#order} gives it
   */
  public Tensor loss(List<Tensor> parameters, Tensor inputs, Tensor targets, int[] order) {
    return loss(parameters, inputs, targets, null, null, null, order);
  }

  /**
   * The same loss where each record is written in a context.
   *
   * @param targets (positions, batch) tokens of each position; -100 where none is asked for
   * @param context (batch, d) added to what enters the first block at every position
   */
  public Tensor loss(List<Tensor> parameters, Tensor inputs, Tensor targets, Tensor context) {
    return loss(parameters, inputs, targets, context, null, null, null);
  }

  /** The same loss where some records have logits of their own added. */
  Tensor loss(
      List<Tensor> parameters, Tensor inputs, Tensor targets, Tensor context, MarkedBias marked) {
    return loss(parameters, inputs, targets, context, marked, null, null);
  }

  /**
   * What is added to the logits of some records.
   *
   * @param bias (total vocabulary)
   * @param isMarked (batch, 1) 1 for these records, else 0
   */
  record MarkedBias(Tensor bias, Tensor isMarked) {}

  /**
   * The same loss with what per-record gradients need; the parameters need no gradient of their
   * own.
   */
  public Trace traced(List<Tensor> parameters, Tensor inputs, Tensor targets) {
    return traced(parameters, inputs, targets, null);
  }

  /** The same in a context, whose gradient at a record is the sum of those of what enters. */
  Trace traced(List<Tensor> parameters, Tensor inputs, Tensor targets, Tensor context) {
    Trace trace = new Trace();
    return trace.withLoss(loss(parameters, inputs, targets, context, null, trace, null));
  }

  private Tensor loss(
      List<Tensor> parameters,
      Tensor inputs,
      Tensor targets,
      Tensor context,
      MarkedBias marked,
      Trace trace,
      int[] order) {
    Tensor hidden = // (positions, batch, d)
        hidden(parameters, inputs, targets.size(1), context, trace, order);
    int p = 4 * config.numLayers();
    TensorVector at = hidden.unbind(0); // positions of (batch, d)
    TensorVector wanted = targets.unbind(0); // positions of (batch)
    TensorVector heads = torch.split(parameters.get(p + 2), vocabularySplit); // (V_t, d)
    TensorVector biases = torch.split(parameters.get(p + 3), vocabularySplit); // (V_t)
    TensorVector ofMarked = marked == null ? null : torch.split(marked.bias(), vocabularySplit);
    Tensor sum = null;
    for (int i = 0; i < config.positions(); i++) {
      int t = order == null ? i : order[i];
      Tensor logits = // (batch, V_t)
          linear(at.get(i), heads.get(t), new TensorOptional(biases.get(t)));
      if (ofMarked != null) {
        logits = torch.addcmul(logits, marked.isMarked(), ofMarked.get(t));
      }
      if (trace != null) {
        trace.add(new Trace.Head(headOffsets[t], at.get(i), logits));
      }
      Tensor loss =
          cross_entropy_loss(logits, wanted.get(t), new TensorOptional(), SUM, IGNORE_INDEX, 0.0);
      sum = sum == null ? loss : sum.add(loss);
    }
    return sum;
  }

  private static Tensor projected(Tensor input, List<Tensor> w, int parameter, Trace trace) {
    Tensor output = linear(input, w.get(parameter));
    if (trace != null) {
      trace.add(new Trace.Projection(parameter, input, output));
    }
    return output;
  }

  /** Output of the final norm (positions, batch, d). */
  private Tensor hidden(
      List<Tensor> w, Tensor inputs, long batch, Tensor context, Trace trace, int[] order) {
    long d = config.hiddenSize();
    long positions = config.positions();
    int p = 4 * config.numLayers();
    Tensor start = torch.zeros(1, batch, d);
    Tensor tokens =
        positions == 1 ? start : cat(new TensorVector(start, embedding(w.get(p), inputs)));
    Tensor asked = // (positions, d) what is written at each place
        order == null ? w.get(p + 1) : embedding(w.get(p + 1), torch.tensor(order));
    Tensor x = tokens.add(asked.unsqueeze(1)); // (positions, batch, d)
    x = trace == null ? x : trace.enters(x);
    x = context == null ? x : x.add(context); // (positions, batch, d)
    for (int i = 0; i < config.numLayers(); i++) {
      Tensor qkv = projected(layer_norm(x, d), w, 4 * i, trace); // (positions, batch, 3 d)
      TensorVector parts =
          qkv.view(positions, batch, 3, config.numHeads(), config.headDim())
              .permute(2, 1, 3, 0, 4)
              .unbind(0); // 3 of (batch, heads, positions, head_dim)
      Tensor attended =
          scaled_dot_product_attention(
              parts.get(0),
              parts.get(1),
              parts.get(2),
              new TensorOptional(),
              0.0,
              true,
              new DoubleOptional(),
              false); // (batch, heads, positions, head_dim)
      Tensor joined = attended.permute(2, 0, 1, 3).reshape(positions, batch, d);
      x = x.add(projected(joined, w, 4 * i + 1, trace));
      Tensor up = gelu(projected(layer_norm(x, d), w, 4 * i + 2, trace)); // (positions, batch, 4 d)
      x = x.add(projected(up, w, 4 * i + 3, trace));
    }
    return layer_norm(x, d);
  }

  /** Starts a batch of records; the caller's scope owns its cache. */
  public FieldDecoding startDecoding(List<Tensor> parameters, long batch) {
    return new FieldDecoding(config, parameters, batch, null, null);
  }

  /**
   * Starts a batch of records whose columns are written in orders of their own ({@link
   * FieldDecoding#write}), for decoders that know any.
   */
  public FieldDecoding startInAnyOrder(List<Tensor> parameters, long batch) {
    return FieldDecoding.inAnyOrder(config, parameters, batch);
  }

  /** What {@link #startDecoding(List, long, FieldDecoding.Opening)} takes; the same for all. */
  public FieldDecoding.Opening opening(List<Tensor> parameters) {
    return FieldDecoding.opening(config, parameters);
  }

  /** Starts a batch of records whose first positions are known. */
  public FieldDecoding startDecoding(
      List<Tensor> parameters, long batch, FieldDecoding.Opening opening) {
    return new FieldDecoding(config, parameters, batch, null, opening);
  }

  /**
   * Starts a batch of records that are written in a context.
   *
   * @param context (batch, d) as in {@link #loss(List, Tensor, Tensor, Tensor)}
   */
  public FieldDecoding startDecoding(List<Tensor> parameters, Tensor context) {
    return new FieldDecoding(config, parameters, context.size(0), context, null);
  }
}
