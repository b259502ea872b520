import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.model.Natives;
import org.safesynth.train.AutoPlan;
import org.safesynth.train.Checkpoint;
import org.safesynth.train.CheckpointStore;
import org.safesynth.train.EmbeddedTrainer;
import org.safesynth.train.TokenStore;
import org.safesynth.train.TrainingPlan;

/**
 * Speed of training on the shape of Adult's encoding, by number of workers, beside the machine's
 * matrix product in the same run; interleaved, the median of the rounds with the least and greatest.
 */
public final class TrainBench {
  private static final List<Integer> SIZES =
      List.of(74, 9, 99, 32, 16, 16, 7, 15, 6, 5, 2, 121, 94, 94, 41, 2);
  private static final int RECORDS = 40_000;
  private static final int ROUNDS = 5;

  public static void main(String[] arguments) throws Exception {
    Locale.setDefault(Locale.ROOT);
    Natives.load();
    int cores = Runtime.getRuntime().availableProcessors();
    Path folder = Files.createTempDirectory("train-bench");
    try (TokenStore store = store(folder)) {
      FieldDecoder decoder =
          new FieldDecoder(AutoPlan.decoder(SIZES, AutoPlan.Wishes.automatic(0.05, 600)));
      List<Integer> workers = new ArrayList<>();
      for (int w = 1; w <= Math.min(4, cores); w *= 2) {
        workers.add(w);
      }
      double[][] speeds = new double[workers.size()][ROUNDS];
      double[] gemm = new double[ROUNDS];
      for (int round = -1; round < ROUNDS; round++) {
        double peak = gemm();
        for (int i = 0; i < workers.size(); i++) {
          double speed = trainer(decoder, store, workers.get(i)).measureSpeed();
          if (round >= 0) {
            speeds[i][round] = speed;
            gemm[round] = peak;
          }
        }
      }
      FieldDecoderConfig config = decoder.config();
      System.out.println("| what | rows/s (least to greatest) | tokens/s | GFLOP/s |");
      System.out.println("|---|---|---|---|");
      System.out.printf(
          "| float32 matrix product 2048 x 512 x 2048, one thread | | | %.1f |%n", median(gemm));
      for (int i = 0; i < workers.size(); i++) {
        double speed = median(speeds[i]);
        System.out.printf(
            "| this library, %d worker%s | %.0f (%.0f to %.0f) | %.0f | %.1f |%n",
            workers.get(i),
            workers.get(i) == 1 ? "" : "s",
            speed,
            Arrays.stream(speeds[i]).min().orElseThrow(),
            Arrays.stream(speeds[i]).max().orElseThrow(),
            speed * SIZES.size(),
            speed * config.trainingFlopsPerRecord() / 1e9);
      }
    } finally {
      Files.deleteIfExists(folder);
    }
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

  private static EmbeddedTrainer trainer(FieldDecoder decoder, TokenStore store, int workers) {
    TrainingPlan plan =
        AutoPlan.plan(RECORDS, SIZES.size(), AutoPlan.Wishes.automatic(0.05, 600), 1);
    CheckpointStore none =
        new CheckpointStore() {
          @Override
          public void save(Checkpoint checkpoint) {}

          @Override
          public Optional<Checkpoint> newest() {
            return Optional.empty();
          }
        };
    return new EmbeddedTrainer(decoder, store, 0, plan, none, progress -> {}, workers);
  }

  private static double gemm() {
    try (PointerScope scope = new PointerScope()) {
      Tensor a = torch.randn(2048, 512);
      Tensor b = torch.randn(512, 2048);
      torch.mm(a, b);
      long from = System.nanoTime();
      int products = 20;
      for (int i = 0; i < products; i++) {
        torch.mm(a, b);
      }
      return products * 2.0 * 2048 * 512 * 2048 / (System.nanoTime() - from);
    }
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
