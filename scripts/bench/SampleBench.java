import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.random.RandomGenerator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.codec.RecordCodec;
import org.safesynth.codec.RecordGrammar;
import org.safesynth.generate.FieldSampler;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.model.Natives;
import org.safesynth.train.AutoPlan;

/**
 * Speed of sampling on the shape of Adult's encoding, by number of threads, beside the machine's
 * matrix product in the same run; interleaved, the median of the rounds with the least and greatest.
 */
public final class SampleBench {
  private static final List<Integer> SIZES =
      List.of(74, 9, 99, 32, 16, 16, 7, 15, 6, 5, 2, 121, 94, 94, 41, 2);
  private static final int BATCH = 512;
  private static final int BATCHES = 48;
  private static final int ROUNDS = 5;

  public static void main(String[] arguments) throws Exception {
    Locale.setDefault(Locale.ROOT);
    Natives.load();
    FieldDecoder decoder =
        new FieldDecoder(AutoPlan.decoder(SIZES, AutoPlan.Wishes.automatic(0.05, 600)));
    long[] counts = new long[decoder.config().totalVocabulary()];
    Arrays.fill(counts, 1);
    float[] weights = decoder.initialParameters(counts, 1, new SplittableRandom(1));
    int cores = Runtime.getRuntime().availableProcessors();
    List<Integer> threads = new ArrayList<>();
    for (int n = 1; n <= Math.min(4, cores); n *= 2) {
      threads.add(n);
    }
    double[][] speeds = new double[threads.size()][ROUNDS];
    double[] gemm = new double[ROUNDS];
    for (int round = -1; round < ROUNDS; round++) {
      double peak = gemm();
      for (int i = 0; i < threads.size(); i++) {
        double speed = sample(decoder, weights, threads.get(i));
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
    for (int i = 0; i < threads.size(); i++) {
      double speed = median(speeds[i]);
      System.out.printf(
          "| sampling, %d thread%s | %.0f (%.0f to %.0f) | %.0f | %.1f |%n",
          threads.get(i),
          threads.get(i) == 1 ? "" : "s",
          speed,
          Arrays.stream(speeds[i]).min().orElseThrow(),
          Arrays.stream(speeds[i]).max().orElseThrow(),
          speed * SIZES.size(),
          speed * config.trainingFlopsPerRecord() / 3e9);
    }
  }

  /** Rows a second of {@code threads} samplers at once. */
  private static double sample(FieldDecoder decoder, float[] weights, int threads)
      throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      long from = System.nanoTime();
      List<Future<?>> running = new ArrayList<>();
      for (int w = 0; w < threads; w++) {
        RandomGenerator random = new SplittableRandom(w);
        running.add(
            pool.submit(
                () -> {
                  try (FieldSampler sampler =
                      new FieldSampler(decoder, weights, new AllTokens(), 1.0, 1.0)) {
                    for (int i = 0; i < BATCHES; i++) {
                      sampler.sample(BATCH, random);
                    }
                  }
                }));
      }
      for (Future<?> future : running) {
        future.get();
      }
      return (double) threads * BATCHES * BATCH / ((System.nanoTime() - from) / 1e9);
    } finally {
      pool.shutdown();
    }
  }

  /** A layout whose every token may be written. */
  private record AllTokens() implements RecordCodec {
    @Override
    public int positions() {
      return SIZES.size();
    }

    @Override
    public int vocabularySize(int position) {
      return SIZES.get(position);
    }

    @Override
    public void encode(Object[] cells, int[] tokens) {
      throw new IllegalStateException("only sampled");
    }

    @Override
    public Object[] decode(int[] tokens, long record, RandomGenerator random) {
      throw new IllegalStateException("only sampled");
    }

    @Override
    public RecordGrammar grammar() {
      return new RecordGrammar() {
        @Override
        public boolean isWritable(int position, int token) {
          return true;
        }

        @Override
        public int[] limits(int position) {
          return null;
        }
      };
    }
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
