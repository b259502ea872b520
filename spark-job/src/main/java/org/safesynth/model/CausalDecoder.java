package org.safesynth.model;

import static org.bytedeco.pytorch.global.torch.bmm;
import static org.bytedeco.pytorch.global.torch.linear;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * A pretrained decoder of the Llama family for inference: frozen weights, an adapter added to them,
 * and a cache of keys and values. Its weights are shared by threads; each thread opens caches of
 * its own.
 */
public final class CausalDecoder {
  private static final int SCORED_AT_ONCE = 64;
  private static final String[] ATTENTION = {"q_proj", "k_proj", "v_proj", "o_proj"};
  private static final String[] MLP = {"gate_proj", "up_proj", "down_proj"};

  private final HfConfig config;
  private final FrozenWeights weights; // the matrices point into its files
  private final FrozenMatrix.Stored embedding; // (vocabulary, hidden)
  private final FrozenMatrix.Stored head; // (vocabulary, hidden)
  private final Tensor norm; // (hidden)
  private final List<Layer> layers = new ArrayList<>();
  private final Tensor frequencies; // (head_dim / 2)

  /** A projection with its bias (out), or null. */
  private record Projection(FrozenWeights.Adapted weight, Tensor bias) {
    Tensor of(Tensor x) {
      Tensor frozen = weight.matrix().project(x, bias);
      return weight.down() == null
          ? frozen
          : frozen.add_(linear(linear(x, weight.down()), weight.up()));
    }
  }

  private record Layer(
      Tensor attentionNorm,
      Projection q,
      Projection k,
      Projection v,
      Projection o,
      Tensor mlpNorm,
      Projection gate,
      Projection up,
      Projection down,
      boolean hasRope) {}

  private CausalDecoder(HfConfig config, FrozenWeights weights, PeftAdapter adapter) {
    this.config = config;
    this.weights = weights;
    long d = config.hiddenSize();
    long v = config.vocabularySize();
    embedding = weights.tokens("model.embed_tokens.weight", v, d);
    norm = weights.vector("model.norm.weight", d);
    boolean isTied = config.isTied() || !weights.has("lm_head.weight");
    head = isTied ? embedding : weights.tokens("lm_head.weight", v, d);
    List<String> projections = new ArrayList<>();
    for (int i = 0; i < config.numLayers(); i++) {
      layers.add(layer(i, adapter, projections));
    }
    if (adapter != null) {
      adapter.requireUsed(projections);
    }
    frequencies = device().on(torch.tensor(config.rope().inverseFrequencies(config.headDim())));
    frequencies.retainReference();
  }

  /**
   * Loads a model.
   *
   * @param config as {@link HfConfig#read} gives it, perhaps with its context stretched
   * @param adapter added to the weights, or null
   * @param device where it is computed
   * @param bits of a quantised weight, 4 or 8; 0 leaves the weights as they are
   */
  public static CausalDecoder load(
      HfConfig config, Path folder, PeftAdapter adapter, ComputeDevice device, int bits) {
    return load(config, new FrozenWeights(folder, device, bits), adapter);
  }

  static CausalDecoder load(HfConfig config, FrozenWeights weights, PeftAdapter adapter) {
    try (NoGradGuard guard = new NoGradGuard()) {
      return new CausalDecoder(config, weights, adapter);
    }
  }

  private Layer layer(int i, PeftAdapter adapter, List<String> names) {
    long d = config.hiddenSize();
    long q = (long) config.numHeads() * config.headDim();
    long kv = (long) config.numKvHeads() * config.headDim();
    long m = config.intermediateSize();
    String at = "model.layers." + i + ".";
    long[][] shapes = {{q, d}, {kv, d}, {kv, d}, {d, q}, {m, d}, {m, d}, {d, m}};
    Projection[] all = new Projection[shapes.length];
    for (int p = 0; p < all.length; p++) {
      boolean attends = p < ATTENTION.length;
      String name =
          at + (attends ? "self_attn." + ATTENTION[p] : "mlp." + MLP[p - ATTENTION.length]);
      names.add(name);
      boolean isAdapted = adapter != null && adapter.adapts(name);
      long out = shapes[p][0];
      long in = shapes[p][1];
      FrozenWeights.Adapted weight =
          isAdapted
              ? weights.adapted(name, adapter, out, in)
              : new FrozenWeights.Adapted(
                  weights.projection(name + ".weight", out, in), null, null);
      boolean hasBias = attends ? config.attentionBias() : config.mlpBias();
      Tensor bias = hasBias ? weights.vector(name + ".bias", out) : null; // (out)
      all[p] = new Projection(weight, bias);
    }
    return new Layer(
        weights.vector(at + "input_layernorm.weight", d),
        all[0],
        all[1],
        all[2],
        all[3],
        weights.vector(at + "post_attention_layernorm.weight", d),
        all[4],
        all[5],
        all[6],
        config.hasRope().get(i));
  }

  public HfConfig config() {
    return config;
  }

  /** Where it is computed. */
  public ComputeDevice device() {
    return weights.device();
  }

  private Tensor normed(Tensor x, Tensor weight) {
    return torch.rms_norm(
        x,
        new long[] {config.hiddenSize()},
        new TensorOptional(weight),
        new DoubleOptional(config.rmsNormEps()));
  }

  /**
   * Passes a step's tokens through the model and keeps their keys and values.
   *
   * @param targets (tokens) what follows each, or -1 where its likelihood is not wanted; null for
   *     none
   */
  KvCache.Told pass(KvCache.Step step, KvCache cache, int[] targets) {
    Tensor x = states(step, cache); // (tokens, hidden)
    Tensor asked = there(step.asked()); // (asked) or null
    Tensor logits = asked == null ? null : logits(x, asked); // (asked, vocabulary)
    float[][] likelihoods =
        targets == null ? null : step.byRow(logLikelihoods(x, targets)); // (rows)(tokens)
    x.releaseReference();
    return new KvCache.Told(logits, likelihoods);
  }

  private Tensor logits(Tensor x, Tensor at) {
    return head.project(normed(x.index_select(0, at), norm), null); // (at, vocabulary)
  }

  /** A few tokens at once: each takes as many numbers as the vocabulary has tokens. */
  private float[] logLikelihoods(Tensor x, int[] targets) {
    int[] wanted = IntStream.range(0, targets.length).filter(n -> targets[n] >= 0).toArray();
    float[] all = new float[targets.length];
    for (int from = 0; from < wanted.length; from += SCORED_AT_ONCE) {
      int[] part = Arrays.copyOfRange(wanted, from, Math.min(wanted.length, from + SCORED_AT_ONCE));
      try (PointerScope scope = new PointerScope()) {
        int[] follows = Arrays.stream(part).map(n -> targets[n]).toArray();
        Tensor index = // (part, 1)
            device().on(torch.tensor(follows)).to(torch.ScalarType.Long).unsqueeze(1);
        Tensor logits = logits(x, device().on(torch.tensor(part))); // (part, vocabulary)
        Tensor of = // (part)
            torch
                .log_softmax(logits.to(torch.ScalarType.Float), 1)
                .gather(1, index)
                .squeeze(1)
                .cpu()
                .contiguous();
        float[] read = new float[part.length];
        of.data_ptr_float().get(read);
        for (int i = 0; i < part.length; i++) {
          all[part[i]] = read[i];
        }
      }
    }
    return all;
  }

  /**
   * What a text means to the model: the mean of its tokens' last hidden states.
   *
   * @param texts ids of each, at least one
   * @return (texts)(hidden)
   */
  public float[][] meanStates(int[][] texts) {
    int longest = Arrays.stream(texts).mapToInt(text -> text.length).max().orElseThrow();
    float[][] means = new float[texts.length][config.hiddenSize()];
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        KvCache cache = new KvCache(this, texts.length, longest)) {
      KvCache.Step step = new KvCache.Step(texts, new int[texts.length], 0, new int[0]);
      Tensor x = states(step, cache); // (tokens, hidden)
      Tensor states = normed(x, norm).cpu(); // (tokens, hidden)
      x.releaseReference();
      long at = 0;
      for (int t = 0; t < texts.length; t++) {
        Tensor own = states.narrow(0, at, texts[t].length); // (tokens of the text, hidden)
        own.mean(0).contiguous().data_ptr_float().get(means[t]);
        at += texts[t].length;
      }
    }
    return means;
  }

  /** The last block's output (tokens, hidden), with a reference that the caller releases. */
  private Tensor states(KvCache.Step step, KvCache cache) {
    Tensor x = embedding.rows(device().on(step.ids())); // (tokens, hidden)
    Tensor angles = // (tokens, 1, head_dim / 2)
        device()
            .on(step.positions())
            .to(torch.ScalarType.Float)
            .unsqueeze(1)
            .mul(frequencies)
            .unsqueeze(1);
    Tensor half = torch.cat(new TensorVector(angles, angles), 2); // (tokens, 1, head_dim)
    Scalar scaling = new Scalar(config.rope().attentionScaling());
    int window = config.slidingWindow();
    Passing passing =
        new Passing(
            step,
            cache,
            half.cos().mul_(scaling),
            half.sin().mul_(scaling),
            device().on(step.mask(window)).repeat(1, 1, group(), 1),
            cache.hasBeginning() ? there(step.beginningMask(window)) : null,
            device().on(cache.places(step)),
            there(step.inRectangle()));
    for (int i = 0; i < layers.size(); i++) {
      Tensor before = x;
      try (PointerScope scope = new PointerScope()) {
        x = block(i, x, passing); // (tokens, hidden)
        x.retainReference(); // outlives the block's scope
      }
      if (i > 0) {
        before.releaseReference();
      }
    }
    return x;
  }

  private Tensor there(Tensor tensor) {
    return tensor == null ? null : device().on(tensor);
  }

  /**
   * What all layers need to know of a step.
   *
   * @param cos (tokens, 1, head_dim)
   * @param sin (tokens, 1, head_dim)
   * @param mask (active, 1, group * time, longest)
   * @param beginningMask (tokens, beginning) or null
   * @param places (tokens * kv heads) in the cache
   * @param inRectangle (tokens) places of the tokens in (active, time); null where they fill it
   */
  private record Passing(
      KvCache.Step step,
      KvCache cache,
      Tensor cos,
      Tensor sin,
      Tensor mask,
      Tensor beginningMask,
      Tensor places,
      Tensor inRectangle) {}

  /**
   * What tokens see in a part of the cache.
   *
   * @param values (tokens, heads, head_dim) averages by the part's own weights
   * @param logSums (tokens, heads) logarithms of the sums of the weights
   */
  private record Seen(Tensor values, Tensor logSums) {}

  /** Heads that share their keys. */
  private long group() {
    return config.numHeads() / config.numKvHeads();
  }

  private Tensor block(int i, Tensor x, Passing passing) {
    Layer layer = layers.get(i);
    Tensor h = normed(x, layer.attentionNorm()); // (tokens, hidden)
    Tensor q = heads(layer.q().of(h), config.numHeads()); // (tokens, heads, head_dim)
    Tensor k = heads(layer.k().of(h), config.numKvHeads()); // (tokens, kv heads, head_dim)
    Tensor v = heads(layer.v().of(h), config.numKvHeads()); // (tokens, kv heads, head_dim)
    if (layer.hasRope()) {
      q = rotated(q, passing.cos(), passing.sin());
      k = rotated(k, passing.cos(), passing.sin());
    }
    passing.cache().write(i, passing.places(), k, v);
    Tensor y = x.add(layer.o().of(attended(q, i, passing))); // (tokens, hidden)
    Tensor g = normed(y, layer.mlpNorm()); // (tokens, hidden)
    Tensor gated = torch.silu(layer.gate().of(g)).mul_(layer.up().of(g)); // (tokens, m)
    return y.add_(layer.down().of(gated));
  }

  /**
   * Attention of the queries over what a cache holds. What all rows begin with is one product for
   * all of them, since reading it once for each row costs more than everything else.
   *
   * @param q (tokens, heads, head_dim)
   * @return (tokens, heads * head_dim)
   */
  private Tensor attended(Tensor q, int layer, Passing passing) {
    Tensor scaled = q.mul(new Scalar(1 / Math.sqrt(config.headDim())));
    Seen own = own(scaled, layer, passing);
    Tensor result = own.values(); // (tokens, heads, head_dim)
    if (passing.cache().hasBeginning()) {
      Seen shared = shared(scaled, layer, passing);
      Tensor share = shared.logSums().sub(own.logSums()).sigmoid().unsqueeze(2);
      result = torch.lerp(own.values(), shared.values(), share);
    }
    return result.reshape(q.size(0), (long) config.numHeads() * config.headDim());
  }

  /**
   * What each row alone holds. The heads that share keys are put behind one another like times, so
   * that keys and values are not copied for each.
   */
  private Seen own(Tensor q, int layer, Passing passing) {
    KvCache.Step step = passing.step();
    long rows = step.active();
    long time = step.time();
    long kvHeads = config.numKvHeads();
    long d = config.headDim();
    Tensor padded = q; // (rows * time, heads, head_dim)
    if (passing.inRectangle() != null) {
      padded = q.new_zeros(rows * time, config.numHeads(), d);
      padded.index_copy_(0, passing.inRectangle(), q);
    }
    Tensor stacked = // (rows * kv heads, group * time, head_dim)
        padded
            .view(rows, time, kvHeads, group(), d)
            .permute(0, 2, 3, 1, 4)
            .reshape(rows * kvHeads, group() * time, d);
    Tensor scores = bmm(stacked, passing.cache().keys(layer, step).transpose(1, 2));
    scores.view(rows, kvHeads, group() * time, -1).add_(passing.mask());
    Tensor logSums = scores.logsumexp(2); // (rows * kv heads, group * time)
    Tensor weights = scores.sub_(logSums.unsqueeze(2)).exp_();
    Tensor out = bmm(weights, passing.cache().values(layer, step));
    Tensor joined = // (rows * time, heads, head_dim)
        out.view(rows, kvHeads, group(), time, d)
            .permute(0, 3, 1, 2, 4)
            .reshape(rows * time, config.numHeads(), d);
    Tensor sums = // (rows * time, heads)
        logSums
            .view(rows, kvHeads, group(), time)
            .permute(0, 3, 1, 2)
            .reshape(rows * time, config.numHeads());
    return passing.inRectangle() == null
        ? new Seen(joined, sums)
        : new Seen(
            joined.index_select(0, passing.inRectangle()),
            sums.index_select(0, passing.inRectangle()));
  }

  /** What all rows begin with. */
  private Seen shared(Tensor q, int layer, Passing passing) {
    long tokens = q.size(0);
    long kvHeads = config.numKvHeads();
    long d = config.headDim();
    Tensor stacked = // (kv heads, tokens * group, head_dim)
        q.view(tokens, kvHeads, group(), d).permute(1, 0, 2, 3).reshape(kvHeads, -1, d);
    Tensor scores = bmm(stacked, passing.cache().beginningKeys(layer).transpose(1, 2));
    if (passing.beginningMask() != null) {
      scores
          .view(kvHeads, tokens, group(), -1)
          .add_(passing.beginningMask().view(1, tokens, 1, -1));
    }
    Tensor logSums = scores.logsumexp(2); // (kv heads, tokens * group)
    Tensor weights = torch.softmax(scores, 2);
    if (passing.beginningMask() != null) {
      // What a window keeps from the whole beginning has no weights there: 0, not a quotient.
      weights.masked_fill_(logSums.isneginf().unsqueeze(2), new Scalar(0));
    }
    Tensor out = bmm(weights, passing.cache().beginningValues(layer));
    return new Seen(
        out.view(kvHeads, tokens, group(), d).permute(1, 0, 2, 3).reshape(tokens, -1, d),
        logSums.view(kvHeads, tokens, group()).permute(1, 0, 2).reshape(tokens, -1));
  }

  private Tensor heads(Tensor flat, int heads) {
    return flat.view(flat.size(0), heads, config.headDim());
  }

  /** Turns each pair of a value of the first half and one of the second by its angle. */
  private Tensor rotated(Tensor x, Tensor cos, Tensor sin) {
    long half = config.headDim() / 2;
    Tensor first = x.narrow(2, 0, half);
    Tensor second = x.narrow(2, half, half);
    Tensor turned = torch.cat(new TensorVector(second.neg(), first), 2);
    return x.mul(cos).add_(turned.mul_(sin));
  }
}
