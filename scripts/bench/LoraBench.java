import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.HfConfig;
import org.safesynth.model.LoraConfig;
import org.safesynth.model.LoraDecoder;
import org.safesynth.model.PackedExamples;
import org.safesynth.train.Checkpoint;
import org.safesynth.train.CheckpointStore;
import org.safesynth.train.LoraPlan;
import org.safesynth.train.LoraTrainer;

/**
 * Tokens a second of training an adapter: steps of examples of random ids, the shape of five Adult
 * records. Called by scripts/bench/lora, which runs Hugging Face and PEFT beside it.
 */
final class LoraBench {
  private static final int PASSES = 2; // of a step
  private static final int STEPS = 4; // a run's first pass takes its memory from the system
  private static final int ROUNDS = 3;

  private LoraBench() {}

  public static void main(String[] arguments) {
    Path base = Paths.get(arguments[0]);
    HfConfig config = HfConfig.read(base);
    Set<String> targets = Set.of("q_proj", "k_proj", "v_proj", "o_proj");
    ComputeDevice device = ComputeDevice.choose(new ComputeDevice.Wish("cpu", 1));
    train(config, base, targets, device, arguments);
    if (device.multipliesInBfloat16()) {
      train(config, base, targets, ComputeDevice.CPU, arguments);
    }
  }

  private static void train(
      HfConfig config, Path base, Set<String> targets, ComputeDevice device, String[] arguments) {
    int tokens = Integer.parseInt(arguments[1]);
    int prompt = Integer.parseInt(arguments[2]);
    int threads = Integer.parseInt(arguments[3]);
    boolean recomputes = Boolean.parseBoolean(arguments[4]);
    LoraDecoder decoder =
        LoraDecoder.load(config, base, new LoraConfig(32, 32, true, targets), device, 0);
    SplittableRandom random = new SplittableRandom(1);
    List<PackedExamples.Example> examples = new ArrayList<>();
    for (int i = 0; i < STEPS * PASSES; i++) {
      int[] ids = random.ints(tokens, 100, 40_000).toArray();
      examples.add(new PackedExamples.Example(ids, prompt));
    }
    LoraPlan plan = new LoraPlan(STEPS * PASSES, 0, 1, PASSES, 0.01, 1, 100, false, recomputes);
    LoraTrainer trainer =
        new LoraTrainer(
            decoder,
            number -> examples.get((int) number),
            plan,
            step -> 5e-4,
            new None(),
            progress -> {},
            threads);
    float[] start = LoraTrainer.initial(decoder, 1);
    trainer.train(start);
    double[] speeds = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      speeds[i] = STEPS * PASSES * tokens / trainer.train(start).seconds();
    }
    Arrays.sort(speeds);
    System.out.printf(
        Locale.ROOT,
        "| this project on %s, %s | %d | %.0f (%.0f to %.0f) |%n",
        device.words(),
        recomputes ? "blocks computed again" : "graph kept",
        threads,
        speeds[ROUNDS / 2],
        speeds[0],
        speeds[ROUNDS - 1]);
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
