package org.safesynth.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import java.util.random.RandomGenerator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.codec.RecordGrammar;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.FieldDecoderConfig;

@Tag("unit")
final class RecordCompleterTest {
  private static final List<Integer> SIZES = List.of(3, 4, 2, 3);

  /** Everything may be written. */
  private record Open() implements RecordGrammar {
    @Override
    public boolean isWritable(int position, int token) {
      return true;
    }

    @Override
    public int[] limits(int position) {
      return null;
    }
  }

  private final FieldDecoder decoder = new FieldDecoder(new FieldDecoderConfig(8, 1, 1, SIZES));

  /** Weights that make every token depend on all before. */
  private float[] weights() {
    SplittableRandom random = new SplittableRandom(8);
    float[] weights = new float[Math.toIntExact(decoder.layout().size())];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (0.7 * random.nextGaussian());
    }
    return weights;
  }

  private RecordCompleter completer(int particles, ToDoubleFunction<int[]> preference) {
    return new RecordCompleter(
        decoder, weights(), new Open(), new TokenDistribution(1, 1, 1), particles, preference);
  }

  private int[][] complete(int[] given, int records, int particles, long seed) {
    int[][] all = new int[records][];
    RandomGenerator[] random = new RandomGenerator[records];
    for (int r = 0; r < records; r++) {
      all[r] = given.clone();
      random[r] = new SplittableRandom(seed + r);
    }
    try (RecordCompleter completer = completer(particles, tokens -> 1)) {
      return completer.complete(all, random);
    }
  }

  /** Probabilities of the first two tokens given the others, from the loss of every record. */
  private double[] exact(int third, int fourth) {
    double[] shares = joint(third, fourth);
    double sum = Arrays.stream(shares).sum();
    return Arrays.stream(shares).map(share -> share / sum).toArray();
  }

  /** Probabilities of whole records, by their first two tokens. */
  private double[] joint(int third, int fourth) {
    double[] shares = new double[SIZES.get(0) * SIZES.get(1)];
    int[] offsets = decoder.config().embeddingOffsets();
    try (PointerScope scope = new PointerScope()) {
      List<Tensor> parameters = decoder.layout().views(torch.tensor(weights()));
      for (int i = 0; i < shares.length; i++) {
        int[] record = {i / SIZES.get(1), i % SIZES.get(1), third, fourth};
        int[] inputs = {offsets[0] + record[0], offsets[1] + record[1], offsets[2] + record[2]};
        long[] targets = {record[0], record[1], record[2], record[3]};
        Tensor loss =
            decoder.loss(
                parameters, torch.tensor(inputs).view(3, 1), torch.tensor(targets).view(4, 1));
        shares[i] = Math.exp(-loss.item_double());
      }
    }
    return shares;
  }

  private double distance(double[] expected, int[][] records) {
    double[] found = new double[expected.length];
    for (int[] tokens : records) {
      assertEquals(1, tokens[2]);
      assertEquals(2, tokens[3]);
      found[tokens[0] * SIZES.get(1) + tokens[1]] += 1.0 / records.length;
    }
    double distance = 0;
    for (int i = 0; i < expected.length; i++) {
      distance += Math.abs(found[i] - expected[i]) / 2;
    }
    return distance;
  }

  @Test
  void completionsFollowTheModelGivenWhatComesLater() {
    double[] expected = exact(1, 2);
    int[] given = {-1, -1, 1, 2};
    double ignorant = distance(expected, complete(given, 5_000, 1, 5));
    double few = distance(expected, complete(given, 5_000, 16, 5));
    double many = distance(expected, complete(given, 2_500, 128, 5));
    assertTrue(many < 0.05, "" + many); // the noise of 2,500 records is about .02
    assertTrue(few < 0.3 * ignorant, few + " of " + ignorant);
  }

  /** A hint of the third token, beside the given fourth one, and none of the others. */
  @Test
  void completionsFollowTheModelGivenAHint() {
    float[] hint = {(float) Math.log(0.1), (float) Math.log(0.6)};
    double[] expected = new double[SIZES.get(0) * SIZES.get(1)];
    for (int third = 0; third < hint.length; third++) {
      double[] joint = joint(third, 2);
      for (int i = 0; i < expected.length; i++) {
        expected[i] += joint[i] * Math.exp(hint[third]);
      }
    }
    double sum = Arrays.stream(expected).sum();
    double[] found = new double[expected.length];
    int records = 4_000;
    int[][] given = new int[records][];
    RandomGenerator[] random = new RandomGenerator[records];
    for (int r = 0; r < records; r++) {
      given[r] = new int[] {-1, -1, -1, 2};
      random[r] = new SplittableRandom(77 + r);
    }
    try (RecordCompleter completer = completer(128, tokens -> 1)) {
      RecordCompleter.Hints hints = (record, position, tokens) -> position == 2 ? hint : null;
      for (int[] tokens : completer.complete(given, hints, random)) {
        found[tokens[0] * SIZES.get(1) + tokens[1]] += 1.0 / records;
      }
    }
    double distance = 0;
    for (int i = 0; i < expected.length; i++) {
      distance += Math.abs(found[i] - expected[i] / sum) / 2;
    }
    assertTrue(distance < 0.04, "" + distance); // the noise of 4,000 records is about .015
  }

  @Test
  void theSameStreamsGiveTheSameRecords() {
    int[] given = {-1, 2, -1, 0};
    assertArrayEquals(complete(given, 40, 16, 3), complete(given, 40, 16, 3));
  }

  @Test
  void aRecordThatIsGivenWhollyStays() {
    int[] given = {2, 3, 1, 0};
    assertArrayEquals(given, complete(given, 3, 16, 3)[0]);
  }

  @Test
  void aPreferenceWeighsWholeRecords() {
    int[][] given = new int[50][];
    RandomGenerator[] random = new RandomGenerator[50];
    for (int r = 0; r < 50; r++) {
      given[r] = new int[] {-1, -1, 1, -1};
      random[r] = new SplittableRandom(r);
    }
    try (RecordCompleter free = completer(16, tokens -> 1);
        RecordCompleter choosy = completer(128, tokens -> tokens[3] == 1 ? 1 : 1e-9)) {
      assertTrue(ones(free.complete(given, random)) < 40);
      assertEquals(50, ones(choosy.complete(given, random)));
    }
  }

  /** Columns of one, two and one positions. */
  private final FieldDecoder anyOrder =
      new FieldDecoder(new FieldDecoderConfig(8, 1, 1, SIZES).inAnyOrder(List.of(1, 2, 1)));

  private float[] weights(FieldDecoder of) {
    SplittableRandom random = new SplittableRandom(8);
    float[] weights = new float[Math.toIntExact(of.layout().size())];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (0.7 * random.nextGaussian());
    }
    return weights;
  }

  /** Probabilities of whole records (positions) that are written in an order, from their losses. */
  private double probability(List<Tensor> parameters, int[] order, int[] record) {
    int[] offsets = anyOrder.config().embeddingOffsets();
    int[] inputs = Arrays.stream(order).limit(3).map(t -> offsets[t] + record[t]).toArray();
    long[] targets = Arrays.stream(record).asLongStream().toArray();
    return Math.exp(
        -anyOrder
            .loss(
                parameters,
                torch.tensor(inputs).view(3, 1),
                torch.tensor(targets).view(4, 1),
                order)
            .item_double());
  }

  /** The last column is given: it is written first, then the others follow it. */
  @Test
  void aModelOfAnyOrderCompletesInOnePass() {
    int[] order = {3, 0, 1, 2};
    assertArrayEquals(order, anyOrder.config().order(new int[] {2, 0, 1}));
    double[] expected = new double[3 * 4 * 2];
    double all = 0;
    try (PointerScope scope = new PointerScope()) {
      List<Tensor> parameters = anyOrder.layout().views(torch.tensor(weights(anyOrder)));
      for (int i = 0; i < expected.length; i++) {
        int[] record = {i / 8, i / 2 % 4, i % 2, 2};
        expected[i] = probability(parameters, order, record);
        all += expected[i];
      }
    }
    int records = 6_000;
    int[][] given = new int[records][];
    RandomGenerator[] random = new RandomGenerator[records];
    for (int r = 0; r < records; r++) {
      given[r] = r % 3 == 0 ? new int[] {r % 2 - 1, -1, -1, -1} : new int[] {-1, -1, -1, 2};
      random[r] = new SplittableRandom(5 + r);
    }
    given[1] = new int[] {2, 3, 1, 0};
    double[] found = new double[expected.length];
    int of = 0;
    try (RecordCompleter completer =
        new RecordCompleter(
            anyOrder, weights(anyOrder), new Open(), new TokenDistribution(1, 1, 1), 1, t -> 1)) {
      int[][] completed = completer.complete(given, random);
      assertArrayEquals(given[1], completed[1], "what is given stays");
      for (int r = 2; r < records; r++) {
        int[] tokens = completed[r];
        if (r % 3 != 0) {
          assertEquals(2, tokens[3]);
          found[8 * tokens[0] + 2 * tokens[1] + tokens[2]]++;
          of++;
        }
      }
    }
    double distance = 0;
    for (int i = 0; i < expected.length; i++) {
      distance += Math.abs(found[i] / of - expected[i] / all) / 2;
    }
    assertTrue(distance < 0.05, "" + distance); // the noise of 4,000 records is about .025
  }

  /** Of a column of two positions one is given, or something is hinted: only particles know how. */
  @Test
  void whatIsNoWholeColumnNeedsParticles() {
    double[] tally = new double[2];
    for (int k = 0; k < 2; k++) {
      int particles = k == 0 ? 1 : 64;
      int[][] given = new int[3_000][];
      RandomGenerator[] random = new RandomGenerator[given.length];
      for (int r = 0; r < given.length; r++) {
        given[r] = new int[] {-1, -1, 1, -1};
        random[r] = new SplittableRandom(31 + r);
      }
      try (RecordCompleter completer =
          new RecordCompleter(
              anyOrder,
              weights(anyOrder),
              new Open(),
              new TokenDistribution(1, 1, 1),
              particles,
              t -> 1)) {
        for (int[] tokens : completer.complete(given, random)) {
          tally[k] += tokens[0] == 0 ? 1.0 / given.length : 0;
          assertEquals(1, tokens[2]);
        }
      }
    }
    assertTrue(Math.abs(tally[0] - tally[1]) > 0.03, "particles weigh what is given later");
  }

  private static long ones(int[][] records) {
    return Arrays.stream(records).filter(tokens -> tokens[3] == 1).count();
  }
}
