import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.HfConfig;
import org.safesynth.model.LoraConfig;
import org.safesynth.model.LoraDecoder;
import org.safesynth.model.Natives;
import org.safesynth.model.PackedExamples;

/**
 * Seconds and memory that loading a model of SmolLM3-3B's shape takes: a folder of bfloat16 zeros.
 * Called by scripts/bench/load, once for the folder and once for each form of the weights, and
 * by scripts/bench/gpu for a folder of random ones.
 */
final class LoadBench {
  private static final int LAYERS = 36;
  private static final long HIDDEN = 2048;
  private static final long KEY_VALUE = 512;
  private static final long INTERMEDIATE = 11008;
  private static final long VOCABULARY = 128256;
  private static final String CONFIG =
      """
      {"model_type": "smollm3", "vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 11008,
       "num_hidden_layers": 36, "num_attention_heads": 16, "num_key_value_heads": 4, "rms_norm_eps": 1e-06,
       "rope_theta": 5000000.0, "max_position_embeddings": 65536, "tie_word_embeddings": true,
       "no_rope_layer_interval": 4, "hidden_act": "silu", "eos_token_id": 128012}
      """;

  private LoadBench() {}

  public static void main(String[] arguments) throws IOException {
    Path folder = Paths.get(arguments[0]);
    boolean isRandom = arguments.length == 2 && arguments[1].equals("random");
    if (arguments.length == 1 || isRandom) {
      write(folder, isRandom);
      return;
    }
    Natives.load();
    int bits = Integer.parseInt(arguments[1]);
    long before = memory("VmRSS");
    long begin = System.nanoTime();
    LoraConfig lora = new LoraConfig(32, 32, true, Set.of("q_proj", "k_proj", "v_proj", "o_proj"));
    LoraDecoder decoder = LoraDecoder.load(HfConfig.read(folder), folder, lora, ComputeDevice.CPU, bits);
    double loading = (System.nanoTime() - begin) / 1e9;
    long loaded = memory("VmHWM");
    int[] ids = new int[64];
    Arrays.setAll(ids, i -> 100 + i);
    PackedExamples batch = PackedExamples.of(List.of(new PackedExamples.Example(ids, 1)));
    double[] seconds = new double[2];
    try (PointerScope scope = new PointerScope()) {
      Tensor parameters = torch.zeros(decoder.layout().size()); // (P)
      for (int i = 0; i < 2; i++) {
        long from = System.nanoTime();
        decoder.loss(batch, parameters, new double[] {1.0 / 63});
        seconds[i] = (System.nanoTime() - from) / 1e9;
      }
    }
    System.out.printf(
        Locale.ROOT,
        "| %s | %.1f | %.2f | %.2f | %.2f | %.1f |%n",
        bits == 0 ? "as stored (bfloat16)" : bits + " bit",
        loading,
        (loaded - before) / 1048576.0,
        (memory("VmHWM") - before) / 1048576.0,
        memory("RssAnon") / 1048576.0,
        seconds[1]);
  }

  /** KiB of this process, or 0 where the system does not tell. */
  private static long memory(String name) throws IOException {
    Path status = Paths.get("/proc/self/status");
    if (!Files.exists(status)) {
      return 0;
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith(name + ":"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElse(0);
  }

  private static void write(Path folder, boolean isRandom) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("config.json"), CONFIG);
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
    StringBuilder header = new StringBuilder("{");
    long at = 0;
    for (Map.Entry<String, long[]> shape : shapes.entrySet()) {
      long end = at + 2 * Arrays.stream(shape.getValue()).reduce(1, (a, b) -> a * b);
      header.append(
          "%s\"%s\":{\"dtype\":\"BF16\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
              .formatted(
                  at == 0 ? "" : ",", shape.getKey(), Arrays.toString(shape.getValue()), at, end));
      at = end;
    }
    byte[] text = header.append('}').toString().getBytes(StandardCharsets.UTF_8);
    try (RandomAccessFile file =
        new RandomAccessFile(folder.resolve("model.safetensors").toFile(), "rw")) {
      file.write(
          ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).array());
      file.write(text);
      if (isRandom) {
        fill(file, shapes);
      } else {
        file.setLength(Long.BYTES + text.length + at); // a hole: zeros that take no disk
      }
    }
    System.out.printf(
        Locale.ROOT, "%.2f GiB of weights in %s%n%n", at / 1073741824.0, folder.getFileName());
    if (isRandom) {
      return;
    }
    System.out.println(
        "| weights | load s | peak of loading GiB | peak with two passes GiB | of it not the mapped file GiB | pass of 64 tokens s |");
    System.out.println("|---|---|---|---|---|---|");
  }

  /** Weights of the size that initialisation gives, and norms of 1. */
  private static void fill(RandomAccessFile file, Map<String, long[]> shapes) throws IOException {
    SplittableRandom random = new SplittableRandom(3);
    byte[] drawn = halves(1 << 21, () -> (float) (0.02 * random.nextGaussian()));
    for (long[] shape : shapes.values()) {
      if (shape.length == 1) {
        file.write(halves((int) shape[0], () -> 1f));
        continue;
      }
      int from = 2 * random.nextInt(1000); // the same numbers, from another one on
      for (long left = 2 * shape[0] * shape[1]; left > 0; from = 0) {
        int part = (int) Math.min(left, drawn.length - from);
        file.write(drawn, from, part);
        left -= part;
      }
    }
  }

  private static byte[] halves(int count, Supplier<Float> values) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * count).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      bytes.putShort((short) (Float.floatToRawIntBits(values.get()) >>> 16));
    }
    return bytes.array();
  }
}
