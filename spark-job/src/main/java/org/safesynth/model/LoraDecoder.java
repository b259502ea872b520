package org.safesynth.model;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * A pretrained decoder with an adapter that learns: loss and gradients of packed examples with
 * respect to the adapter's flat vector.
 *
 * <p>The pass is cut at the blocks. Going forward, a block either keeps its graph or only its
 * input; going backward, a block without graph is computed once more, so that memory holds one
 * block's graph at a time (Chen et al. 2016). The head works on a slice of tokens at a time, and
 * its gradient, softmax minus target, is written down without a graph: the logits of a long example
 * would not fit. Weights are shared by threads; a pass belongs to its thread.
 */
public final class LoraDecoder {
  private static final long LOGITS_OF_A_SLICE = 16L << 20;
  private static final long LOGITS_OF_A_SLICE_ON_A_GPU = 256L << 20;

  private final HfConfig config;
  private final FrozenWeights frozen; // the matrices point into its files
  private final LoraConfig lora;
  private final ParameterLayout layout;
  private final FrozenMatrix.Stored embedding; // (vocabulary, hidden)
  private final FrozenMatrix.Stored head; // (vocabulary, hidden)
  private final Tensor norm; // (hidden)
  private final Tensor frequencies; // (head_dim / 2)
  private final List<LoraBlock> blocks = new ArrayList<>();

  private LoraDecoder(HfConfig config, LoraConfig lora, FrozenWeights weights) {
    this.config = config;
    this.frozen = weights;
    this.lora = lora;
    this.layout = lora.layout(config);
    long d = config.hiddenSize();
    long v = config.vocabularySize();
    embedding = weights.tokens("model.embed_tokens.weight", v, d);
    norm = weights.vector("model.norm.weight", d);
    boolean isTied = config.isTied() || !weights.has("lm_head.weight");
    head = isTied ? embedding : weights.tokens("lm_head.weight", v, d);
    for (int i = 0; i < config.numLayers(); i++) {
      blocks.add(block(i));
    }
    frequencies = device().on(torch.tensor(config.rope().inverseFrequencies(config.headDim())));
    frequencies.retainReference();
  }

  /**
   * Loads the frozen weights of a model folder.
   *
   * @param device where it is computed
   * @param bits of a quantised weight, 4 or 8; 0 leaves the weights as they are
   */
  public static LoraDecoder load(
      HfConfig config, Path folder, LoraConfig lora, ComputeDevice device, int bits) {
    return load(config, new FrozenWeights(folder, device, bits), lora);
  }

  static LoraDecoder load(HfConfig config, FrozenWeights weights, LoraConfig lora) {
    try (NoGradGuard guard = new NoGradGuard()) {
      return new LoraDecoder(config, lora, weights);
    }
  }

  private LoraBlock block(int layer) {
    long[][] shapes = LoraConfig.shapes(config);
    List<FrozenMatrix> matrices = new ArrayList<>();
    Tensor[] biases = new Tensor[shapes.length];
    for (int p = 0; p < shapes.length; p++) {
      String name = LoraConfig.projection(layer, p);
      matrices.add(frozen.projection(name + ".weight", shapes[p][0], shapes[p][1]));
      if (name.contains("self_attn") ? config.attentionBias() : config.mlpBias()) {
        biases[p] = frozen.vector(name + ".bias", shapes[p][0]);
      }
    }
    String at = "model.layers." + layer + ".";
    return new LoraBlock(
        config,
        frozen.vector(at + "input_layernorm.weight", config.hiddenSize()),
        frozen.vector(at + "post_attention_layernorm.weight", config.hiddenSize()),
        matrices,
        biases,
        config.hasRope().get(layer),
        lora.scaling());
  }

  /** Where it is computed: there parameters and gradients have to be. */
  public ComputeDevice device() {
    return frozen.device();
  }

  public HfConfig config() {
    return config;
  }

  public LoraConfig lora() {
    return lora;
  }

  public ParameterLayout layout() {
    return layout;
  }

  /**
   * The adapter at the start: the matrices that lead down uniform within 1/√in as PEFT draws them,
   * those that lead up zero, so that training begins at the pretrained model.
   */
  public float[] initialParameters(RandomGenerator random) {
    float[] flat = new float[Math.toIntExact(layout.size())];
    for (ParameterLayout.Entry entry : layout.entries()) {
      if (entry.name().endsWith(PeftAdapter.DOWN)) {
        double bound = 1 / Math.sqrt(entry.shape().get(1));
        for (long i = entry.offset(); i < entry.offset() + entry.size(); i++) {
          flat[(int) i] = (float) (bound * (2 * random.nextDouble() - 1));
        }
      }
    }
    return flat;
  }

  /**
   * Logits of every token, for small inputs: (tokens, vocabulary).
   *
   * @param parameters (P)
   */
  public Tensor logits(PackedExamples examples, Tensor parameters) {
    try (NoGradGuard guard = new NoGradGuard()) {
      return Scopes.keep(
          () -> {
            Pass pass = new Pass(examples, parameters, null, true);
            return head.project(normed(pass.forward()), null);
          });
    }
  }

  /**
   * The loss, without gradients.
   *
   * @param weights (examples) what a token's loss counts in each example
   */
  public double loss(PackedExamples examples, Tensor parameters, double[] weights) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Pass pass = new Pass(examples, parameters, null, true);
      return pass.loss(normed(pass.forward()), weights, null).item_double();
    }
  }

  /**
   * The loss and its gradient.
   *
   * @param parameters (P), or (examples, P) for a vector of each example
   * @param weights (examples) what a token's loss counts in each example, such as one over their
   *     number
   * @param gradient of the parameters' shape; the gradient is added to it
   * @param recomputes whether blocks are computed again on the way back to save memory; they always
   *     are where matrices are turned into float32 for use, since a graph would keep those
   * @return the weighted sum of the tokens' losses in nats
   */
  public double gradient(
      PackedExamples examples,
      Tensor parameters,
      double[] weights,
      Tensor gradient,
      boolean recomputes) {
    try (PointerScope scope = new PointerScope()) {
      Pass pass =
          new Pass(examples, parameters, gradient, recomputes || !frozen.areMultipliedAsHeld());
      Tensor last = pass.forward(); // (tokens, hidden)
      Tensor leaf = last.detach();
      leaf.requires_grad_(true);
      Tensor normed = normed(leaf); // (tokens, hidden)
      Tensor back = torch.zeros_like(normed); // (tokens, hidden)
      Tensor loss; // ()
      try (NoGradGuard guard = new NoGradGuard()) {
        loss = pass.loss(normed.detach(), weights, back);
      }
      backward(normed, back);
      pass.backward(leaf.mutable_grad().detach());
      return loss.item_double();
    }
  }

  private long logitsOfASlice() {
    return device().isGpu() ? LOGITS_OF_A_SLICE_ON_A_GPU : LOGITS_OF_A_SLICE;
  }

  private static void backward(Tensor of, Tensor gradient) {
    of.backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
  }

  private Tensor normed(Tensor x) {
    return torch.rms_norm(
        x,
        new long[] {config.hiddenSize()},
        new TensorOptional(norm),
        new DoubleOptional(config.rmsNormEps()));
  }

  /** One pass over examples; its tensors live in the caller's scope. */
  private final class Pass {
    private final PackedExamples examples;
    private final boolean recomputes;
    private final Tensor cos; // (tokens, 1, head_dim / 2)
    private final Tensor sin; // (tokens, 1, head_dim / 2)
    private final List<LoraBlock.Adapter> adapters = new ArrayList<>();
    private final List<Tensor> inputs = new ArrayList<>(); // a block: (tokens, hidden)
    private final List<Tensor> outputs = new ArrayList<>(); // a block with graph: (tokens, hidden)

    Pass(PackedExamples examples, Tensor parameters, Tensor gradient, boolean recomputes) {
      this.examples = examples;
      this.recomputes = recomputes;
      Tensor angles = // (tokens, 1, head_dim / 2)
          device()
              .on(torch.tensor(examples.positions()))
              .to(torch.ScalarType.Float)
              .unsqueeze(1)
              .mul(frequencies)
              .unsqueeze(1);
      Scalar scaling = new Scalar(config.rope().attentionScaling());
      cos = angles.cos().mul_(scaling);
      sin = angles.sin().mul_(scaling);
      adapters(parameters, gradient);
    }

    /** Leaves for the matrices, whose gradients are views of the gradient's vector. */
    private void adapters(Tensor parameters, Tensor gradient) {
      List<Tensor> values = views(parameters);
      List<Tensor> gradients = gradient == null ? null : views(gradient);
      int entry = 0;
      int projections = LoraConfig.PROJECTIONS.size();
      for (int layer = 0; layer < config.numLayers(); layer++) {
        Tensor[] down = new Tensor[projections];
        Tensor[] up = new Tensor[projections];
        for (int p = 0; p < projections; p++) {
          if (lora.targets().contains(LoraConfig.PROJECTIONS.get(p))) {
            down[p] = leaf(values, gradients, entry++);
            up[p] = leaf(values, gradients, entry++);
          }
        }
        adapters.add(new LoraBlock.Adapter(down, up, parameters.dim() == 2));
      }
    }

    private List<Tensor> views(Tensor flat) {
      return flat.dim() == 1 ? layout.views(flat) : layout.viewsOfEach(flat);
    }

    private Tensor leaf(List<Tensor> values, List<Tensor> gradients, int entry) {
      Tensor leaf = values.get(entry).detach();
      if (gradients != null) {
        leaf.requires_grad_(true);
        leaf.mutable_grad().put(gradients.get(entry));
      }
      return leaf;
    }

    /** Output of the last block (tokens, hidden). */
    Tensor forward() {
      Tensor x = embedding.rows(device().on(torch.tensor(examples.ids()))); // (tokens, hidden)
      for (int i = 0; i < blocks.size(); i++) {
        Tensor input = x;
        int layer = i;
        if (recomputes) {
          inputs.add(input);
          try (NoGradGuard guard = new NoGradGuard()) {
            x = Scopes.keep(() -> block(layer, input));
          }
        } else {
          Tensor leaf = leafOf(layer, input);
          inputs.add(leaf);
          outputs.add(Scopes.keep(() -> block(layer, leaf)));
          x = outputs.get(i).detach();
        }
      }
      return x;
    }

    private Tensor block(int i, Tensor x) {
      return blocks.get(i).forward(x, examples.lengths(), cos, sin, adapters.get(i));
    }

    /** The first block's input is the frozen embedding: nothing flows back into it. */
    private Tensor leafOf(int layer, Tensor input) {
      Tensor leaf = input.detach();
      leaf.requires_grad_(layer > 0);
      return leaf;
    }

    /** Carries the gradient of the last block's output (tokens, hidden) back through all blocks. */
    void backward(Tensor last) {
      Tensor gradient = last;
      for (int i = blocks.size() - 1; i >= 0; i--) {
        Tensor above = gradient;
        int layer = i;
        gradient =
            Scopes.keep(
                () -> {
                  Tensor leaf = recomputes ? leafOf(layer, inputs.get(layer)) : inputs.get(layer);
                  Tensor output = recomputes ? block(layer, leaf) : outputs.get(layer);
                  LoraDecoder.backward(output, above);
                  return layer == 0 ? above.alias() : leaf.mutable_grad().detach();
                });
        inputs.get(i).close();
        if (!recomputes) {
          outputs.get(i).close();
        }
        above.close();
      }
    }

    /**
     * Weighted loss of the tokens.
     *
     * @param normed (tokens, hidden) output of the last norm, without graph
     * @param back receives its gradient, if not null
     * @return () float64
     */
    Tensor loss(Tensor normed, double[] weights, Tensor back) {
      int[] lengths = examples.lengths();
      int tokens = examples.ids().length;
      long[] rows = new long[tokens];
      long[] targets = new long[tokens];
      float[] weight = new float[tokens];
      int count = 0;
      int at = 0;
      for (int e = 0; e < lengths.length; e++) {
        for (int end = at + lengths[e]; at < end; at++) {
          if (examples.targets()[at] != PackedExamples.NO_LOSS) {
            rows[count] = at;
            targets[count] = examples.targets()[at];
            weight[count++] = (float) weights[e];
          }
        }
      }
      int slice = (int) Math.max(16, logitsOfASlice() / config.vocabularySize());
      Tensor loss = normed.new_zeros().to(torch.ScalarType.Double); // ()
      for (int from = 0; from < count; from += slice) {
        int to = Math.min(count, from + slice);
        slice(
            normed,
            Arrays.copyOfRange(rows, from, to),
            Arrays.copyOfRange(targets, from, to),
            Arrays.copyOfRange(weight, from, to),
            back,
            loss);
      }
      return loss;
    }

    /** Adds a slice's loss to the loss, and its gradient to what flows back. */
    private void slice(
        Tensor normed, long[] rows, long[] targets, float[] weights, Tensor back, Tensor loss) {
      try (PointerScope scope = new PointerScope()) {
        Tensor row = device().on(torch.tensor(rows)); // (slice)
        Tensor target = device().on(torch.tensor(targets)).unsqueeze(1); // (slice, 1)
        Tensor weight = device().on(torch.tensor(weights)).unsqueeze(1); // (slice, 1)
        Tensor logits = head.product(normed.index_select(0, row), null); // (slice, vocabulary)
        Tensor logs = // (slice, vocabulary)
            torch.log_softmax(logits, 1, new ScalarTypeOptional(torch.ScalarType.Float));
        loss.sub_(logs.gather(1, target).mul_(weight).sum());
        if (back != null) {
          Tensor softmax = logs.exp_(); // (slice, vocabulary)
          softmax.scatter_add_(
              1, target, softmax.new_full(new long[] {rows.length, 1}, new Scalar(-1f)));
          back.index_copy_(0, row, head.back(softmax).mul_(weight));
        }
      }
    }
  }
}
