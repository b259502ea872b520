import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.LongFunction;
import java.util.function.ToDoubleFunction;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.model.Natives;
import org.safesynth.privacy.NoiseMultiplier;
import org.safesynth.privacy.SamplingRate;
import org.safesynth.privacy.SecretStreams;
import org.safesynth.train.Checkpoint;
import org.safesynth.train.CheckpointStore;
import org.safesynth.train.EmbeddedTrainer;
import org.safesynth.train.PrivatePlan;
import org.safesynth.train.PrivateTrainer;
import org.safesynth.train.TokenStore;
import org.safesynth.train.TrainingPlan;

/**
 * Time of a private step beside the same step without privacy: Adult's shape, 1,024 records expected,
 * sampling, clipping, noise and the optimizer included; interleaved, the median of the rounds.
 */
public final class PrivacyBench {
  private static final List<Integer> SIZES =
      List.of(74, 9, 99, 32, 16, 16, 7, 15, 6, 5, 2, 121, 94, 94, 41, 2);
  private static final int RECORDS = 32_768;
  private static final int BATCH = 1_024;
  private static final int MICRO_BATCH = 64;
  private static final int STEPS = 48;
  private static final int ROUNDS = 7;

  public static void main(String[] arguments) throws Exception {
    Locale.setDefault(Locale.ROOT);
    Natives.load();
    int workers = Runtime.getRuntime().availableProcessors();
    Path folder = Files.createTempDirectory("privacy-bench");
    System.out.printf("batch %d, micro-batches of %d, %d workers%n%n", BATCH, MICRO_BATCH, workers);
    System.out.println("| decoder | plain us/token | private us/token | ratio (least to greatest) |");
    System.out.println("|---|---|---|---|");
    try (TokenStore store = store(folder)) {
      for (int hidden : new int[] {32, 64}) {
        FieldDecoder decoder =
            new FieldDecoder(new FieldDecoderConfig(hidden, 2, hidden / 16, SIZES));
        Took[] plain = new Took[ROUNDS];
        Took[] secret = new Took[ROUNDS];
        for (int round = -2; round < ROUNDS; round++) {
          Took without = ofAStep(steps -> plain(decoder, store, workers, steps));
          Took with = ofAStep(steps -> secret(decoder, store, workers, steps));
          if (round >= 0) {
            plain[round] = without;
            secret[round] = with;
          }
        }
        String what = "d %d, 2 layers, %,d parameters".formatted(hidden, decoder.layout().size());
        print(what, plain, secret, Took::seconds);
        print(what + ", processor time", plain, secret, Took::processorSeconds);
      }
    } finally {
      Files.deleteIfExists(folder);
    }
  }

  /** Time that passed, and that of all threads: what a busy machine does beside does not count. */
  private record Took(double seconds, double processorSeconds) {
    static Took by(Runnable work) {
      double processor = processor();
      long from = System.nanoTime();
      work.run();
      return new Took((System.nanoTime() - from) / 1e9, processor() - processor);
    }

    private static double processor() {
      return ((com.sun.management.OperatingSystemMXBean)
                  ManagementFactory.getOperatingSystemMXBean())
              .getProcessCpuTime()
          / 1e9;
    }
  }

  private static void print(
      String what, Took[] plain, Took[] secret, ToDoubleFunction<Took> time) {
    double perToken = 1e6 / BATCH / SIZES.size();
    double[] ratio = new double[ROUNDS];
    Arrays.setAll(ratio, i -> time.applyAsDouble(secret[i]) / time.applyAsDouble(plain[i]));
    System.out.printf(
        "| %s | %.2f | %.2f | %.2f (%.2f to %.2f) |%n",
        what,
        perToken * median(Arrays.stream(plain).mapToDouble(time).toArray()),
        perToken * median(Arrays.stream(secret).mapToDouble(time).toArray()),
        median(ratio),
        Arrays.stream(ratio).min().orElseThrow(),
        Arrays.stream(ratio).max().orElseThrow());
  }

  /** The time of many steps less that of few: what a run costs besides its steps cancels. */
  private static Took ofAStep(LongFunction<Took> training) {
    Took few = training.apply(2);
    Took many = training.apply(2 + STEPS);
    return new Took(
        (many.seconds() - few.seconds()) / STEPS,
        (many.processorSeconds() - few.processorSeconds()) / STEPS);
  }

  private static Took plain(FieldDecoder decoder, TokenStore store, int workers, long steps) {
    TrainingPlan plan =
        new TrainingPlan(
            RECORDS, 0, BATCH, MICRO_BATCH, steps, (int) steps, 1, 1e-3, 1, 0.01, 0, 0.9, 1, 600);
    EmbeddedTrainer trainer =
        new EmbeddedTrainer(decoder, store, 0, plan, new NoCheckpoints(), progress -> {}, workers);
    return Took.by(trainer::train);
  }

  private static Took secret(FieldDecoder decoder, TokenStore store, int workers, long steps) {
    PrivatePlan plan =
        new PrivatePlan(
            new SamplingRate((double) BATCH / RECORDS),
            BATCH,
            new NoiseMultiplier(1),
            1,
            steps,
            MICRO_BATCH,
            1e-3,
            1,
            0.01,
            0.9);
    PrivateTrainer trainer =
        new PrivateTrainer(
            decoder,
            store,
            0,
            plan,
            SecretStreams.secure(),
            new NoCheckpoints(),
            progress -> {},
            workers);
    float[] initial = new float[Math.toIntExact(decoder.layout().size())];
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < initial.length; i++) {
      initial[i] = (float) random.nextDouble(-0.05, 0.05);
    }
    return Took.by(() -> trainer.train(initial));
  }

  private static TokenStore store(Path folder) {
    SplittableRandom random = new SplittableRandom(1);
    TokenStore.Writer writer = TokenStore.create(folder, SIZES.size());
    byte[] record = new byte[SIZES.size() * 2];
    for (int i = 0; i < RECORDS; i++) {
      for (int t = 0; t < SIZES.size(); t++) {
        record[2 * t] = (byte) random.nextInt(SIZES.get(t));
      }
      writer.add(record);
    }
    return writer.finish();
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
