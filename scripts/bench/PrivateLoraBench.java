import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.HfConfig;
import org.safesynth.model.LoraConfig;
import org.safesynth.model.LoraDecoder;
import org.safesynth.model.PackedExamples;
import org.safesynth.privacy.NoiseMultiplier;
import org.safesynth.privacy.SamplingRate;
import org.safesynth.privacy.SecretStreams;
import org.safesynth.train.Checkpoint;
import org.safesynth.train.CheckpointStore;
import org.safesynth.train.LoraPlan;
import org.safesynth.train.LoraTrainer;
import org.safesynth.train.PrivateExamples;
import org.safesynth.train.PrivatePlan;
import org.safesynth.train.PrivateTrainer;

/**
 * Time of a private step of an adapter beside the same step without privacy: 32 examples of one
 * Adult record each, clipping and noise included; interleaved, the median of the rounds. All
 * examples are drawn, so that both steps see the same tokens. Without privacy, a forward pass takes
 * one example or eight.
 */
public final class PrivateLoraBench {
  private static final int EXAMPLES = 32; // unless the third argument says otherwise
  private static final int PROMPT = 90;
  private static final int LEAST_TOKENS = 200;
  private static final int MOST_TOKENS = 220;

  public static void main(String[] arguments) {
    Locale.setDefault(Locale.ROOT);
    Path base = Paths.get(arguments[0]);
    int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 3;
    int count = arguments.length > 2 ? Integer.parseInt(arguments[2]) : EXAMPLES;
    int workers = Runtime.getRuntime().availableProcessors();
    ComputeDevice device =
        ComputeDevice.chooseForPrivateTraining(new ComputeDevice.Wish("cpu", 1));
    Set<String> targets = Set.of("q_proj", "k_proj", "v_proj", "o_proj");
    LoraDecoder decoder =
        LoraDecoder.load(
            HfConfig.read(base), base, new LoraConfig(32, 32, true, targets), device, 0);
    SplittableRandom random = new SplittableRandom(1);
    List<PackedExamples.Example> examples = new ArrayList<>();
    long tokens = 0;
    for (int i = 0; i < count; i++) {
      int[] ids = random.ints(random.nextInt(LEAST_TOKENS, MOST_TOKENS), 100, 40_000).toArray();
      tokens += ids.length;
      examples.add(new PackedExamples.Example(ids, PROMPT));
    }
    float[] start = LoraTrainer.initial(decoder, 1);
    DoubleSupplier[] ways = {
      () -> plain(decoder, examples, start, 1, workers),
      () -> plain(decoder, examples, start, 8, workers),
      () -> secret(decoder, examples, start, workers)
    };
    double[][] seconds = new double[ways.length][rounds];
    double[][] processor = new double[ways.length][rounds];
    for (int round = -1; round < rounds; round++) {
      for (int way = 0; way < ways.length; way++) {
        double before = processorSeconds();
        double took = ways[way].getAsDouble();
        if (round >= 0) {
          seconds[way][round] = took;
          processor[way][round] = processorSeconds() - before;
        }
      }
    }
    System.out.printf(
        "%n%s on %s, %d examples a step, %d workers, %,d adapter parameters%n%n",
        base.getFileName(), device.words(), count, workers, decoder.layout().size());
    System.out.println("| plain step | plain ms/token | private ms/token | ratio (least to greatest) |");
    System.out.println("|---|---|---|---|");
    print("one example a pass", seconds[0], seconds[2], tokens);
    print("eight examples a pass", seconds[1], seconds[2], tokens);
    print("one example a pass, processor time", processor[0], processor[2], tokens);
    print("eight examples a pass, processor time", processor[1], processor[2], tokens);
  }

  private static void print(String what, double[] plain, double[] secret, long tokens) {
    double[] ratio = new double[plain.length];
    Arrays.setAll(ratio, i -> secret[i] / plain[i]);
    System.out.printf(
        "| %s | %.2f | %.2f | %.2f (%.2f to %.2f) |%n",
        what,
        1e3 * median(plain) / tokens,
        1e3 * median(secret) / tokens,
        median(ratio),
        Arrays.stream(ratio).min().orElseThrow(),
        Arrays.stream(ratio).max().orElseThrow());
  }

  /** Of all threads: what a busy machine does beside does not count. */
  private static double processorSeconds() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
            .getProcessCpuTime()
        / 1e9;
  }

  private static double plain(
      LoraDecoder decoder,
      List<PackedExamples.Example> examples,
      float[] start,
      int pass,
      int workers) {
    LoraPlan plan =
        new LoraPlan(examples.size(), 0, pass, examples.size() / pass, 0.01, 1, 100, false, false);
    LoraTrainer trainer =
        new LoraTrainer(
            decoder,
            number -> examples.get((int) number),
            plan,
            step -> 5e-4,
            new NoCheckpoints(),
            progress -> {},
            workers);
    long from = System.nanoTime();
    trainer.train(start);
    return (System.nanoTime() - from) / 1e9;
  }

  private static double secret(
      LoraDecoder decoder, List<PackedExamples.Example> examples, float[] start, int workers) {
    PrivatePlan plan =
        new PrivatePlan(
            new SamplingRate(1), examples.size(), new NoiseMultiplier(1), 1, 1, 1, 5e-4, 1, 0.01, 0.95);
    PrivateTrainer trainer =
        new PrivateTrainer(
            new PrivateExamples(
                decoder,
                number -> examples.get((int) number),
                examples.size(),
                plan.clipNorm(),
                plan.expectedBatch(),
                false),
            plan,
            step -> 5e-4,
            SecretStreams.secure(),
            new NoCheckpoints(),
            progress -> {},
            workers);
    long from = System.nanoTime();
    trainer.train(start);
    return (System.nanoTime() - from) / 1e9;
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private static final class NoCheckpoints implements CheckpointStore {
    @Override
    public void save(Checkpoint checkpoint) {}

    @Override
    public Optional<Checkpoint> newest() {
      return Optional.empty();
    }
  }
}
