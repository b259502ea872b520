package org.safesynth.model;

import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.scaled_dot_product_attention;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * A pretrained decoder of the Llama family for inference: weights in float32, an adapter added to
 * them, and a cache of keys and values. Its weights are shared by threads; each thread opens caches
 * of its own.
 */
public final class CausalDecoder {
  private static final String[] ATTENTION = {"q_proj", "k_proj", "v_proj", "o_proj"};
  private static final String[] MLP = {"gate_proj", "up_proj", "down_proj"};

  private final HfConfig config;
  private final HfWeights weights;
  private final Tensor embedding; // (vocabulary, hidden)
  private final Tensor head; // (vocabulary, hidden)
  private final Tensor norm; // (hidden)
  private final List<Layer> layers = new ArrayList<>();
  private final Tensor frequencies; // (head_dim / 2)

  private record Projection(Tensor weight, Tensor bias) { // (out, in), (out) or null
    Tensor of(Tensor x) {
      return linear(x, weight, bias == null ? new TensorOptional() : new TensorOptional(bias));
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

  private CausalDecoder(HfConfig config, HfWeights weights, PeftAdapter adapter) {
    this.config = config;
    this.weights = weights;
    long d = config.hiddenSize();
    long v = config.vocabularySize();
    embedding = weight("model.embed_tokens.weight", v, d);
    norm = weight("model.norm.weight", d);
    boolean isTied = config.isTied() || !weights.has("lm_head.weight");
    head = isTied ? embedding : weight("lm_head.weight", v, d);
    List<String> projections = new ArrayList<>();
    for (int i = 0; i < config.numLayers(); i++) {
      layers.add(layer(i, adapter, projections));
    }
    if (adapter != null) {
      adapter.requireUsed(projections);
    }
    frequencies = torch.tensor(config.rope().inverseFrequencies(config.headDim()));
    frequencies.retainReference();
  }

  /**
   * Loads a model.
   *
   * @param config as {@link HfConfig#read} gives it, perhaps with its context stretched
   * @param adapter added to the weights, or null
   */
  public static CausalDecoder load(HfConfig config, Path folder, PeftAdapter adapter) {
    Natives.load();
    HfWeights weights = HfWeights.ofFolder(folder);
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
      Tensor weight = // (out, in)
          isAdapted ? adapted(name, adapter, shapes[p]) : weight(name + ".weight", shapes[p]);
      boolean hasBias = attends ? config.attentionBias() : config.mlpBias();
      Tensor bias = hasBias ? weight(name + ".bias", shapes[p][0]) : null; // (out)
      all[p] = new Projection(weight, bias);
    }
    return new Layer(
        weight(at + "input_layernorm.weight", d),
        all[0],
        all[1],
        all[2],
        all[3],
        weight(at + "post_attention_layernorm.weight", d),
        all[4],
        all[5],
        all[6],
        config.hasRope().get(i));
  }

  /** A copy of a weight with the adapter added. */
  private Tensor adapted(String name, PeftAdapter adapter, long... shape) {
    Tensor weight = weights.floats(name + ".weight", shape); // (out, in)
    weight.retainReference();
    try (PointerScope scope = new PointerScope()) {
      adapter.addTo(name, weight);
    }
    return weight;
  }

  /** A weight that outlives the caller's scope: the collector frees it with the decoder. */
  private Tensor weight(String name, long... shape) {
    Tensor weight = weights.frozen(name, shape);
    weight.retainReference();
    return weight;
  }

  public HfConfig config() {
    return config;
  }

  private Tensor normed(Tensor x, Tensor weight) {
    return torch.rms_norm(
        x,
        new long[] {config.hiddenSize()},
        new TensorOptional(weight),
        new DoubleOptional(config.rmsNormEps()));
  }

  /**
   * Logits behind the last of the columns that are appended to a cache.
   *
   * @param ids (batch, time)
   * @param positions (batch, time), -1 in padding columns
   * @return (batch, vocabulary)
   */
  Tensor logits(Tensor ids, Tensor positions, KvCache cache) {
    long batch = ids.size(0);
    long time = ids.size(1);
    Tensor x = embedding(embedding, ids); // (batch, time, hidden)
    Tensor angles = // (batch, 1, time, head_dim / 2)
        positions.to(torch.ScalarType.Float).unsqueeze(2).mul(frequencies).unsqueeze(1);
    Tensor half = torch.cat(new TensorVector(angles, angles), 3); // (batch, 1, time, head_dim)
    Scalar scaling = new Scalar(config.rope().attentionScaling());
    Tensor cos = half.cos().mul_(scaling);
    Tensor sin = half.sin().mul_(scaling);
    long group = config.numHeads() / config.numKvHeads();
    Tensor mask = // (batch, 1, group * time, columns)
        cache.mask(positions, config.slidingWindow()).repeat(1, 1, group, 1);
    for (int i = 0; i < layers.size(); i++) {
      Tensor before = x;
      try (PointerScope scope = new PointerScope()) {
        x = block(layers.get(i), i, x, cos, sin, mask, cache); // (batch, time, hidden)
        x.retainReference(); // outlives the block's scope
      }
      if (i > 0) {
        before.releaseReference();
      }
    }
    Tensor last = x.narrow(1, time - 1, 1).view(batch, config.hiddenSize()); // (batch, hidden)
    Tensor logits = linear(normed(last, norm), head); // (batch, vocabulary)
    x.releaseReference();
    return logits;
  }

  private Tensor block(
      Layer layer, int i, Tensor x, Tensor cos, Tensor sin, Tensor mask, KvCache cache) {
    long batch = x.size(0);
    long time = x.size(1);
    Tensor h = normed(x, layer.attentionNorm()); // (batch, time, hidden)
    Tensor q = heads(layer.q().of(h), config.numHeads()); // (batch, heads, time, head_dim)
    Tensor k = heads(layer.k().of(h), config.numKvHeads()); // (batch, kv heads, time, head_dim)
    Tensor v = heads(layer.v().of(h), config.numKvHeads()); // (batch, kv heads, time, head_dim)
    if (layer.hasRope()) {
      q = rotated(q, cos, sin);
      k = rotated(k, cos, sin);
    }
    cache.write(i, k, v);
    Tensor joined = attended(q, mask, i, cache); // (batch, time, heads * head_dim)
    Tensor y = x.add(layer.o().of(joined)); // (batch, time, hidden)
    Tensor g = normed(y, layer.mlpNorm()); // (batch, time, hidden)
    Tensor gated = torch.silu(layer.gate().of(g)).mul_(layer.up().of(g)); // (batch, time, m)
    return y.add_(layer.down().of(gated));
  }

  /**
   * Attention of the queries over what a cache holds. The heads that share keys are put behind one
   * another like times, so that keys and values are not copied for each.
   */
  private Tensor attended(Tensor q, Tensor mask, int layer, KvCache cache) {
    long batch = q.size(0);
    long time = q.size(2);
    long kvHeads = config.numKvHeads();
    long d = config.headDim();
    long group = config.numHeads() / kvHeads;
    Tensor stacked = q.reshape(batch, kvHeads, group * time, d);
    Tensor out = // (batch, kv heads, group * time, head_dim)
        scaled_dot_product_attention(
            stacked,
            cache.keys(layer),
            cache.values(layer),
            new TensorOptional(mask),
            0.0,
            false,
            new DoubleOptional(),
            false);
    return out.view(batch, kvHeads, group, time, d)
        .permute(0, 3, 1, 2, 4)
        .reshape(batch, time, config.numHeads() * d);
  }

  private Tensor heads(Tensor flat, int heads) {
    return flat.view(flat.size(0), flat.size(1), heads, config.headDim()).transpose(1, 2);
  }

  /** Turns each pair of a value of the first half and one of the second by its angle. */
  private Tensor rotated(Tensor x, Tensor cos, Tensor sin) {
    long half = config.headDim() / 2;
    Tensor first = x.narrow(3, 0, half);
    Tensor second = x.narrow(3, half, half);
    Tensor turned = torch.cat(new TensorVector(second.neg(), first), 3);
    return x.mul(cos).add_(turned.mul_(sin));
  }
}
