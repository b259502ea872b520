import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
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
 * SmolLM3-3B's shape with random weights, which LoadBench writes. Called by scripts/bench/gpu.
 */
final class GpuBench {
  private static final int ROUNDS = 3;
  private static final int STEPS = 5; // a run begins and ends with copies of the adapter
  private static final int TOKENS = 2048; // of an example
  private static final int PROMPT = 55;
  private static final int DRAWN = 128; // tokens of a row
  private static final double GIBIBYTE = 1 << 30;

  private GpuBench() {}

  public static void main(String[] arguments) throws IOException {
    Path folder = Paths.get(arguments[0]);
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
}
