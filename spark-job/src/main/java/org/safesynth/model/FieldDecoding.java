package org.safesynth.model;

import static org.bytedeco.pytorch.global.torch.cat;
import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.gelu_;
import static org.bytedeco.pytorch.global.torch.index_select_out;
import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.mm_out;
import static org.bytedeco.pytorch.global.torch.mul_out;
import static org.bytedeco.pytorch.global.torch.softmax_out;
import static org.bytedeco.pytorch.global.torch.sum_out;

import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * A batch of records that the embedded decoder writes position by position, with the keys and
 * values of what was written so far.
 *
 * <p>The same function as {@link FieldDecoder}'s, in a form that suits one position at a time:
 *
 * <ul>
 *   <li>Everything reads the residual stream through a norm, which takes the mean away: what is
 *       added to the stream is centred beforehand, and the norm has only to scale.
 *   <li>Queries, keys and values have the records innermost: the products of one query are too
 *       small for matrix products, and sums over head_dim then run along whole vectors.
 *   <li>What is computed at a position goes where the position before had it. Memory that is new
 *       costs more than the arithmetic: it doubled the time of attention.
 * </ul>
 */
public final class FieldDecoding {
  private static final double NORM_EPSILON = 1e-5; // of layer_norm
  private static final long MOST_BYTES = 64L << 20;
  private static final int MOST_OPENINGS = 512; // first tokens

  private final FieldDecoderConfig config;
  private final long batch;
  private final int[] headOffsets; // (positions)
  private final Tensor head; // (total vocabulary, d)
  private final Tensor headBias; // (total vocabulary)
  private final Tensor context; // (batch, d) or null
  private final Tensor inputs; // (embedding rows + 1, d) what enters the first block
  private final Tensor asked; // (positions, d) what enters beside the inputs in any order, or null
  private final Opening opening; // or null
  private final Layer[] layers;
  private final Tensor x; // (batch, d) the residual stream
  private final Tensor squares; // (batch, d)
  private final Tensor scale; // (batch, 1)
  private final Tensor normed; // (batch, d)
  private final Tensor up; // (batch, 4 d)
  private final Tensor query; // (heads, head_dim, batch)
  private final Tensor products; // (positions, heads, head_dim, batch)
  private final Tensor scores; // (positions, heads, batch)
  private final Tensor weights; // (positions, heads, batch)
  private final Tensor attended; // (heads, head_dim, batch)
  private int written; // positions

  /**
   * What a layer computes with, and what it remembers.
   *
   * @param query (d, d) scaled by 1 / sqrt(head_dim)
   * @param key (d, d)
   * @param value (d, d)
   * @param output (d, d) transposed, to centred rows
   * @param up (d, 4 d) transposed
   * @param down (4 d, d) transposed, to centred rows
   * @param keys (positions, heads, head_dim, batch)
   * @param values (positions, heads, head_dim, batch)
   */
  private record Layer(
      Tensor query,
      Tensor key,
      Tensor value,
      Tensor output,
      Tensor up,
      Tensor down,
      Tensor keys,
      Tensor values) {}

  /**
   * The first two positions of every record that may be: the first is the same for all records, the
   * second depends on one token.
   *
   * @param first (1, first vocabulary) logits
   * @param second (first vocabulary, second vocabulary) logits after each first token
   * @param keys (2, heads, head_dim, first vocabulary) a layer
   * @param values (2, heads, head_dim, first vocabulary) a layer
   */
  public record Opening(Tensor first, Tensor second, List<Tensor> keys, List<Tensor> values) {}

  /** Computes the opening once for all batches; null where that is more than a batch's work. */
  static Opening opening(FieldDecoderConfig config, List<Tensor> parameters) {
    int tokens = config.vocabularySizes().get(0);
    if (config.positions() < 2 || tokens > MOST_OPENINGS) {
      return null;
    }
    FieldDecoding all = new FieldDecoding(config, 2, parameters, tokens, null, null, false);
    Tensor first = all.logits(0, null).narrow(0, 0, 1);
    Tensor second = all.logits(1, torch.arange(new Scalar(tokens)));
    return new Opening(
        first,
        second,
        Arrays.stream(all.layers).map(Layer::keys).toList(),
        Arrays.stream(all.layers).map(Layer::values).toList());
  }

  /**
   * @param parameters views as {@link ParameterLayout#views} gives them
   * @param context (batch, d) added to what enters the first block, or null
   * @param opening of these parameters without context, or null
   */
  FieldDecoding(
      FieldDecoderConfig config,
      List<Tensor> parameters,
      long batch,
      Tensor context,
      Opening opening) {
    this(config, config.positions(), parameters, batch, context, opening, false);
  }

  static FieldDecoding inAnyOrder(FieldDecoderConfig config, List<Tensor> parameters, long batch) {
    return new FieldDecoding(config, config.positions(), parameters, batch, null, null, true);
  }

  /** The same with room for the first positions only. */
  private FieldDecoding(
      FieldDecoderConfig config,
      long positions,
      List<Tensor> parameters,
      long batch,
      Tensor context,
      Opening opening,
      boolean isAnyOrder) {
    this.opening = opening;
    this.config = config;
    this.batch = batch;
    this.headOffsets = config.headOffsets();
    int layerParameters = 4 * config.numLayers();
    this.head = parameters.get(layerParameters + 2);
    this.headBias = parameters.get(layerParameters + 3);
    this.context = context == null ? null : centred(context, 1);
    this.asked = isAnyOrder ? centred(parameters.get(layerParameters + 1), 1) : null;
    this.inputs =
        centred(
            isAnyOrder
                ? withStart(config, parameters.get(layerParameters))
                : inputTable(config, parameters),
            1);
    long d = config.hiddenSize();
    long heads = config.numHeads();
    this.x = torch.empty(batch, d);
    this.squares = torch.empty(batch, d);
    this.scale = torch.empty(batch, 1);
    this.normed = torch.empty(batch, d);
    this.up = torch.empty(batch, 4 * d);
    this.query = torch.empty(heads, config.headDim(), batch);
    this.products = torch.empty(positions, heads, config.headDim(), batch);
    this.scores = torch.empty(positions, heads, batch);
    this.weights = torch.empty(positions, heads, batch);
    this.attended = torch.empty(heads, config.headDim(), batch);
    this.layers = new Layer[config.numLayers()];
    for (int i = 0; i < layers.length; i++) {
      layers[i] = layer(parameters, 4 * i, positions);
    }
  }

  /** Records that may be written together: as many as 64 MiB of keys and values hold. */
  public static int recordsAtOnce(FieldDecoderConfig config) {
    long bytes = // of a record, with the products of one layer
        4L * config.positions() * config.hiddenSize() * (2L * config.numLayers() + 1);
    return (int) Math.max(1, MOST_BYTES / bytes);
  }

  private Layer layer(List<Tensor> parameters, int first, long positions) {
    long d = config.hiddenSize();
    Tensor qkv = parameters.get(first); // (3 d, d)
    return new Layer(
        qkv.narrow(0, 0, d).mul(new Scalar(1 / Math.sqrt(config.headDim()))),
        qkv.narrow(0, d, d),
        qkv.narrow(0, 2 * d, d),
        centred(parameters.get(first + 1), 0).t(),
        parameters.get(first + 2).t(),
        centred(parameters.get(first + 3), 0).t(),
        torch.empty(positions, config.numHeads(), config.headDim(), batch),
        torch.empty(positions, config.numHeads(), config.headDim(), batch));
  }

  /** Token and position embedding of each row of the embedding matrix, then of the start. */
  private static Tensor inputTable(FieldDecoderConfig config, List<Tensor> w) {
    int p = 4 * config.numLayers();
    Tensor positions = w.get(p + 1); // (positions, d)
    int[] offsets = config.embeddingOffsets();
    int[] ofRow = new int[config.embeddingRows() + 1]; // position at which a row enters; 0: start
    for (int t = 0; t < offsets.length; t++) {
      int end = t + 1 < offsets.length ? offsets[t + 1] : config.embeddingRows();
      Arrays.fill(ofRow, offsets[t], end, Math.min(t + 1, config.positions() - 1));
    }
    return withStart(config, w.get(p)).add(embedding(positions, torch.tensor(ofRow)));
  }

  /** The embedding matrix, then zeros for the start. */
  private static Tensor withStart(FieldDecoderConfig config, Tensor embedding) {
    return cat(new TensorVector(embedding, torch.zeros(1, config.hiddenSize())));
  }

  private static Tensor centred(Tensor x, long dimension) {
    return x.sub(x.mean(new long[] {dimension}, true, new ScalarTypeOptional()));
  }

  /** Layer norm of the stream, whose mean is zero: (batch, d). */
  private Tensor normed() {
    mul_out(squares, x, x);
    sum_out(scale, squares, new long[] {1}, true, new ScalarTypeOptional());
    scale.mul_(new Scalar(1.0 / config.hiddenSize())).add_(new Scalar(NORM_EPSILON)).rsqrt_();
    return mul_out(normed, x, scale);
  }

  /**
   * Logits of a position; positions are asked for in order.
   *
   * @param position from 0
   * @param previous (batch) rows of the embedding matrix for the tokens of the position before;
   *     ignored at the first
   * @return (batch, vocabulary of the position)
   */
  public Tensor logits(int position, Tensor previous) {
    written = position + 1;
    if (opening != null && position < 2) {
      return opened(position, previous);
    }
    enter(position, previous);
    if (context != null) {
      x.add_(context);
    }
    pass(position);
    return head(position, normed());
  }

  /**
   * Goes on to the next place of records that are written in orders of their own; {@link #logitsAt}
   * tells what may stand there.
   *
   * @param place from 0
   * @param previous (batch) rows of the embedding matrix for the tokens of the place before;
   *     ignored at the first
   * @param positions (batch) what each record writes at this place
   */
  public void write(int place, Tensor previous, Tensor positions) {
    written = place + 1;
    enter(place, previous);
    x.add_(asked.index_select(0, positions));
    pass(place);
    normed();
  }

  /**
   * Logits of a position that some records write at the place of {@link #write}.
   *
   * @param records (n) their numbers in the batch
   * @return (n, vocabulary of the position)
   */
  public Tensor logitsAt(int position, Tensor records) {
    return head(position, normed.index_select(0, records));
  }

  private void enter(int place, Tensor previous) {
    if (place > 0) {
      index_select_out(x, inputs, 0, previous);
    } else {
      x.copy_(inputs.select(0, config.embeddingRows()));
    }
  }

  private void pass(int place) {
    for (Layer layer : layers) {
      attend(layer, place);
      x.addmm_(attended.view(config.hiddenSize(), batch).t(), layer.output());
      mm_out(up, normed(), layer.up());
      x.addmm_(gelu_(up), layer.down());
    }
  }

  /** Logits of a position from the stream's norm (n, d). */
  private Tensor head(int position, Tensor hidden) {
    long size = config.vocabularySizes().get(position);
    Tensor bias = headBias.narrow(0, headOffsets[position], size);
    return linear(hidden, head.narrow(0, headOffsets[position], size), new TensorOptional(bias));
  }

  /** Takes one of the first two positions from the opening. */
  private Tensor opened(int position, Tensor tokens) {
    for (int i = 0; i < layers.length; i++) {
      open(layers[i].keys(), opening.keys().get(i), position, tokens);
      open(layers[i].values(), opening.values().get(i), position, tokens);
    }
    return position == 0
        ? opening.first().expand(batch, config.vocabularySizes().get(0))
        : opening.second().index_select(0, tokens);
  }

  private static void open(Tensor cache, Tensor from, int position, Tensor tokens) {
    Tensor of = from.select(0, position); // (heads, head_dim, first vocabulary)
    cache
        .select(0, position)
        .copy_(position == 0 ? of.narrow(2, 0, 1) : of.index_select(2, tokens));
  }

  /** Remembers a position's keys and values, and attends from it to all that was written. */
  private void attend(Layer layer, int position) {
    long d = config.hiddenSize();
    Tensor input = normed().t(); // (d, batch)
    mm_out(layer.keys().select(0, position).view(d, batch), layer.key(), input);
    mm_out(layer.values().select(0, position).view(d, batch), layer.value(), input);
    mm_out(query.view(d, batch), layer.query(), input);
    Tensor keys = layer.keys().narrow(0, 0, written); // (written, heads, head_dim, batch)
    Tensor values = layer.values().narrow(0, 0, written); // (written, heads, head_dim, batch)
    Tensor product = products.narrow(0, 0, written); // (written, heads, head_dim, batch)
    Tensor score = scores.narrow(0, 0, written); // (written, heads, batch)
    Tensor weight = weights.narrow(0, 0, written); // (written, heads, batch)
    sum_out(score, mul_out(product, keys, query), 2);
    softmax_out(weight, score, 0);
    sum_out(attended, mul_out(product, values, weight.unsqueeze(2)), 0);
  }

  /**
   * Lets each row go on from what another row has written so far.
   *
   * @param from (batch) the row that each row continues
   */
  public void continueFrom(int[] from) {
    Tensor rows = torch.tensor(from); // (batch)
    for (Layer layer : layers) {
      for (Tensor cache : List.of(layer.keys(), layer.values())) {
        Tensor used = cache.narrow(0, 0, written); // (written, heads, head_dim, batch)
        used.copy_(used.index_select(3, rows));
      }
    }
  }
}
