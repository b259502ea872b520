import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.model.Natives;
import org.safesynth.privacy.Accountant;
import org.safesynth.privacy.Calibration;
import org.safesynth.privacy.Delta;
import org.safesynth.privacy.Epsilon;
import org.safesynth.privacy.NoiseMultiplier;
import org.safesynth.privacy.OneRunAudit;
import org.safesynth.privacy.SamplingRate;
import org.safesynth.privacy.SecretStream;
import org.safesynth.privacy.SecretStreams;
import org.safesynth.random.SeededStreams;
import org.safesynth.train.Checkpoint;
import org.safesynth.train.CheckpointStore;
import org.safesynth.train.PrivatePlan;
import org.safesynth.train.PrivateTrainer;
import org.safesynth.train.TokenStore;

/**
 * Audits private training of the embedded model in one run a claim (Steinke, Nasr and Jagielski
 * 2023): each canary is a record with a token of its own, in the data by the toss of a secret coin.
 * The trainer that a job uses trains on those that are in. Then the likeliest eighth is guessed to
 * have been in, the least likely eighth to have been out, the rest is passed over; how many
 * canaries are guessed was fixed beforehand. What these guesses prove about epsilon must stay below
 * the claim, and must refute the claim where the noise is switched off.
 */
public final class AuditBench {
  private static final int CANARIES = 4_000;
  private static final double CONFIDENCE = 0.999;
  private static final Delta DELTA = new Delta(1e-7);
  private static final SamplingRate RATE = new SamplingRate(0.5);
  private static final long STEPS = 20;
  private static final double CLIP = 1;
  private static final double NO_NOISE = 1e-9; // the least that a plan can hold

  public static void main(String[] arguments) throws Exception {
    Locale.setDefault(Locale.ROOT);
    Natives.load();
    System.out.printf(
        "%d canaries, sampling rate %s, %d steps, delta %s, confidence %s%n%n",
        CANARIES, RATE.value(), STEPS, DELTA.value(), CONFIDENCE);
    System.out.println("| claimed epsilon | noise multiplier | right guesses | epsilon proved to exceed | |");
    System.out.println("|---|---|---|---|---|");
    boolean holds = true;
    for (double claim : new double[] {1, 2, 4}) {
      NoiseMultiplier sigma =
          new Calibration(List.of(), RATE, STEPS, DELTA, Accountant.RDP)
              .noiseMultiplier(new Epsilon(claim));
      holds &= audit(claim, sigma.value(), true);
      holds &= audit(claim, NO_NOISE, false);
    }
    if (!holds) {
      System.out.println("THE AUDIT FAILED");
      System.exit(1);
    }
  }

  private static boolean audit(double claim, double sigma, boolean noisy) throws Exception {
    boolean[] in = new boolean[CANARIES];
    SecretStream coins = SecretStreams.secure().stream(SecretStreams.Purpose.AUDIT);
    for (int i = 0; i < CANARIES; i++) {
      in[i] = coins.nextBelow(2) == 1;
    }
    double[] score = scores(in, sigma);
    Integer[] order = IntStream.range(0, CANARIES).boxed().toArray(Integer[]::new);
    Arrays.sort(order, Comparator.comparingDouble(i -> score[i]));
    int eighth = CANARIES / 8;
    int right = 0;
    for (int i = 0; i < eighth; i++) {
      right += in[order[i]] ? 0 : 1;
      right += in[order[CANARIES - 1 - i]] ? 1 : 0;
    }
    double proved = new OneRunAudit(CANARIES, DELTA, CONFIDENCE).lowerBound(2 * eighth, right);
    boolean refuted = proved > claim;
    boolean asItShould = refuted != noisy;
    System.out.printf(
        "| %s | %s | %d of %d | %.2f | %s |%n",
        claim,
        noisy ? "%.3f".formatted(sigma) : "switched off",
        right,
        2 * eighth,
        proved,
        (refuted ? "claim refuted" : "claim stands") + (asItShould ? "" : ": WRONG"));
    return asItShould;
  }

  /** Log-likelihood of each canary under the trained model, but for what is common to all. */
  private static double[] scores(boolean[] in, double sigma) throws Exception {
    FieldDecoder decoder = new FieldDecoder(new FieldDecoderConfig(16, 1, 2, List.of(CANARIES)));
    Path folder = Files.createTempDirectory("audit");
    try (TokenStore store = store(folder, in)) {
      PrivatePlan plan =
          new PrivatePlan(
              RATE,
              RATE.value() * CANARIES / 2,
              new NoiseMultiplier(sigma),
              CLIP,
              STEPS,
              64,
              1e-3,
              1,
              0,
              0.5);
      float[] initial = decoder.initialParameters(new long[CANARIES], CANARIES, new SeededStreams(1).stream(SeededStreams.Purpose.INITIAL_WEIGHTS));
      Checkpoint end =
          new PrivateTrainer(
                  decoder,
                  store,
                  0,
                  plan,
                  SecretStreams.secure(),
                  new NoCheckpoints(),
                  progress -> {},
                  Runtime.getRuntime().availableProcessors())
              .train(initial);
      return logits(decoder, end.parameters());
    } finally {
      Files.deleteIfExists(folder);
    }
  }

  private static double[] logits(FieldDecoder decoder, float[] weights) {
    try (PointerScope scope = new PointerScope()) {
      List<Tensor> views = decoder.layout().views(torch.tensor(weights));
      Tensor logits = decoder.startDecoding(views, 1).logits(0, null); // (1, canaries)
      float[] values = new float[CANARIES];
      logits.contiguous().data_ptr_float().get(values);
      return IntStream.range(0, CANARIES).mapToDouble(i -> values[i]).toArray();
    }
  }

  /** The records of the canaries that are in: one token each, its own. */
  private static TokenStore store(Path folder, boolean[] in) throws Exception {
    try (TokenStore.Writer writer = TokenStore.create(folder, 1)) {
      for (int i = 0; i < CANARIES; i++) {
        if (in[i]) {
          writer.add(
              ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN).putShort((short) i).array());
        }
      }
      return writer.finish();
    }
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
