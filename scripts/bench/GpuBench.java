import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.model.CausalDecoder;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.HfConfig;
import org.safesynth.model.KvCache;
import org.safesynth.model.LoraConfig;
import org.safesynth.model.LoraDecoder;
import org.safesynth.model.PackedExamples;
import org.safesynth.train.Checkpoint;
import org.safesynth.train.CheckpointStore;
import org.safesynth.train.LoraPlan;
import org.safesynth.train.LoraTrainer;

/**
 * Tokens a second and memory of training an adapter and of sampling on a GPU, for a model of
 * SmolLM3-3B's shape with random weights. Called by scripts/bench/gpu: once for the folder, once for
 * the figures.
 */
final class GpuBench {
  private static final int LAYERS = 36;
  private static final int HIDDEN = 2048;
  private static final int KEY_VALUE = 512;
  private static final int INTERMEDIATE = 11008;
  private static final int VOCABULARY = 128256;
  private static final int ROUNDS = 3;
  private static final int STEPS = 5; // a run begins and ends with copies of the adapter
  private static final int TOKENS = 2048; // of an example
  private static final int PROMPT = 55;
  private static final int DRAWN = 128; // tokens of a row
  private static final double GIBIBYTE = 1 << 30;
  private static final String CONFIG =
      """
      {"model_type": "smollm3", "architectures": ["SmolLM3ForCausalLM"], "vocab_size": 128256, "hidden_size": 2048,
       "intermediate_size": 11008, "num_hidden_layers": 36, "num_attention_heads": 16, "num_key_value_heads": 4,
       "rms_norm_eps": 1e-06, "rope_theta": 5000000.0, "max_position_embeddings": 65536,
       "tie_word_embeddings": true, "no_rope_layer_interval": 4, "hidden_act": "silu", "eos_token_id": 128012}
      """;

  private GpuBench() {}

  public static void main(String[] arguments) throws IOException {
    Path folder = Paths.get(arguments[0]);
    if (arguments.length == 1) {
      write(folder);
      return;
    }
    ComputeDevice device = ComputeDevice.choose(new ComputeDevice.Wish(arguments[1], 0.9));
    System.out.println("this project on " + device.words());
    System.out.println("| what | tokens/s (least to greatest) | GPU memory taken GiB |");
    System.out.println("|---|---|---|");
    HfConfig config = HfConfig.read(folder);
    train(config, folder, device);
    sample(config, folder, device);
  }

  private static void train(HfConfig config, Path folder, ComputeDevice device) {
    LoraConfig lora =
        new LoraConfig(32, 32, true, Set.of("q_proj", "k_proj", "v_proj", "o_proj"));
    long begin = System.nanoTime();
    LoraDecoder decoder = LoraDecoder.load(config, folder, lora, device, 0);
    System.out.printf(
        Locale.ROOT, "| loading, %.1f s | | %.1f |%n", (System.nanoTime() - begin) / 1e9, held(device));
    SplittableRandom random = new SplittableRandom(1);
    for (int batch : new int[] {1, 4}) {
      for (boolean recomputes : new boolean[] {false, true}) {
        List<PackedExamples.Example> examples = new ArrayList<>();
        int passes = 2 * STEPS;
        for (int i = 0; i < passes * batch; i++) {
          int[] ids = random.ints(TOKENS, 100, 100_000).toArray();
          examples.add(new PackedExamples.Example(ids, PROMPT));
        }
        LoraPlan plan = new LoraPlan((long) passes * batch, 0, batch, 2, 0.01, 1, 100, false, recomputes);
        LoraTrainer trainer =
            new LoraTrainer(
                decoder,
                number -> examples.get((int) number),
                plan,
                step -> 5e-4,
                new None(),
                progress -> {},
                1);
        float[] start = LoraTrainer.initial(decoder, 1);
        trainer.train(start);
        double[] speeds = new double[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
          speeds[i] = (double) passes * batch * TOKENS / trainer.train(start).seconds();
        }
        row(
            "training, %d × 2,048 tokens a pass, %s"
                .formatted(batch, recomputes ? "blocks computed again" : "graph kept"),
            speeds,
            device);
      }
    }
  }

  private static void sample(HfConfig config, Path folder, ComputeDevice device) {
    CausalDecoder decoder = CausalDecoder.load(config, folder, null, device, 0);
    for (int rows : new int[] {64, 256}) {
      double[] speeds = new double[ROUNDS];
      draw(decoder, rows, 8);
      for (int i = 0; i < ROUNDS; i++) {
        long begin = System.nanoTime();
        draw(decoder, rows, DRAWN);
        speeds[i] = (double) rows * DRAWN / ((System.nanoTime() - begin) / 1e9);
      }
      row("sampling greedily, %d rows of 128 tokens".formatted(rows), speeds, device);
    }
  }

  private static void draw(CausalDecoder decoder, int rows, int drawn) {
    int[] prompt = new SplittableRandom(2).ints(PROMPT, 100, 100_000).toArray();
    int[] all = new int[rows];
    Arrays.setAll(all, r -> r);
    try (NoGradGuard guard = new NoGradGuard();
        KvCache cache = new KvCache(decoder, rows, drawn + 1)) {
      cache.begin(Arrays.copyOf(prompt, PROMPT - 1));
      int[][] next = new int[rows][];
      Arrays.fill(next, new int[] {prompt[PROMPT - 1]});
      for (int i = 0; i < drawn; i++) {
        try (PointerScope scope = new PointerScope()) {
          Tensor logits = cache.append(next, all); // (rows, vocabulary)
          Tensor best = logits.argmax(new org.bytedeco.pytorch.LongOptional(1), false).cpu();
          long[] ids = new long[rows];
          best.data_ptr_long().get(ids);
          for (int r = 0; r < rows; r++) {
            next[r] = new int[] {(int) ids[r]};
          }
        }
      }
    }
  }

  private static void row(String what, double[] speeds, ComputeDevice device) {
    Arrays.sort(speeds);
    System.out.printf(
        Locale.ROOT,
        "| %s | %,.0f (%,.0f to %,.0f) | %.1f |%n",
        what,
        speeds[ROUNDS / 2],
        speeds[0],
        speeds[ROUNDS - 1],
        held(device));
  }

  /** What the driver says is taken now: libtorch keeps what tensors once held. */
  private static double held(ComputeDevice device) {
    if (!device.isGpu()) {
      return 0;
    }
    ProcessBuilder query =
        new ProcessBuilder("nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits");
    try (var lines = query.start().inputReader()) {
      return Double.parseDouble(lines.readLine().strip()) / 1024;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Keeps no checkpoint. */
  private static final class None implements CheckpointStore {
    @Override
    public void save(Checkpoint checkpoint) {}

    @Override
    public Optional<Checkpoint> newest() {
      return Optional.empty();
    }
  }

  /** Random weights of the size that initialisation gives, and norms of 1. */
  private static void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), CONFIG);
    Map<String, long[]> shapes = shapes();
    StringBuilder header = new StringBuilder("{");
    long at = 0;
    for (Map.Entry<String, long[]> shape : shapes.entrySet()) {
      long end = at + 2 * values(shape.getValue());
      header.append(
          "%s\"%s\":{\"dtype\":\"BF16\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
              .formatted(
                  at == 0 ? "" : ",", shape.getKey(), Arrays.toString(shape.getValue()), at, end));
      at = end;
    }
    byte[] text = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer block = ByteBuffer.allocate(1 << 22).order(ByteOrder.LITTLE_ENDIAN);
    SplittableRandom random = new SplittableRandom(3);
    while (block.hasRemaining()) {
      float value = (float) (0.02 * random.nextGaussian());
      block.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
    }
    try (OutputStream file =
        new BufferedOutputStream(
            Files.newOutputStream(folder.resolve("model.safetensors")), 1 << 20)) {
      file.write(
          ByteBuffer.allocate(Long.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putLong(text.length)
              .array());
      file.write(text);
      for (long[] shape : shapes.values()) {
        if (shape.length == 1) {
          byte[] ones = new byte[(int) (2 * shape[0])];
          for (int i = 0; i < ones.length; i += 2) {
            ones[i] = (byte) 0x80;
            ones[i + 1] = 0x3f;
          }
          file.write(ones);
        } else {
          long left = 2 * values(shape);
          int from = 2 * random.nextInt(1000);
          while (left > 0) {
            int part = (int) Math.min(left, block.capacity() - from);
            file.write(block.array(), from, part);
            left -= part;
            from = 0;
          }
        }
      }
    }
    System.out.printf(Locale.ROOT, "%.2f GiB of weights in %s%n", at / GIBIBYTE, folder);
  }

  private static Map<String, long[]> shapes() {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put("model.embed_tokens.weight", new long[] {VOCABULARY, HIDDEN});
    shapes.put("model.norm.weight", new long[] {HIDDEN});
    for (int i = 0; i < LAYERS; i++) {
      String at = "model.layers." + i + ".";
      shapes.put(at + "input_layernorm.weight", new long[] {HIDDEN});
      shapes.put(at + "post_attention_layernorm.weight", new long[] {HIDDEN});
      shapes.put(at + "self_attn.q_proj.weight", new long[] {HIDDEN, HIDDEN});
      shapes.put(at + "self_attn.k_proj.weight", new long[] {KEY_VALUE, HIDDEN});
      shapes.put(at + "self_attn.v_proj.weight", new long[] {KEY_VALUE, HIDDEN});
      shapes.put(at + "self_attn.o_proj.weight", new long[] {HIDDEN, HIDDEN});
      shapes.put(at + "mlp.gate_proj.weight", new long[] {INTERMEDIATE, HIDDEN});
      shapes.put(at + "mlp.up_proj.weight", new long[] {INTERMEDIATE, HIDDEN});
      shapes.put(at + "mlp.down_proj.weight", new long[] {HIDDEN, INTERMEDIATE});
    }
    return shapes;
  }

  private static long values(long[] shape) {
    return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
  }
}
