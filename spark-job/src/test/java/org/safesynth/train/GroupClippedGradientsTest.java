package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleArrayRef;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.model.GroupDecoder;
import org.safesynth.model.GroupDecoderConfig;
import org.safesynth.model.Natives;
import org.safesynth.model.ParameterLayout;

/**
 * The oracle is one ordinary backward pass a group, alone in its batch, in float64, through the
 * fused recurrent layer, over all parameters.
 */
@Tag("unit")
final class GroupClippedGradientsTest {
  /** Small vocabularies: tokens come up again and again in a group. The last one ends groups. */
  private static final List<Integer> SIZES = List.of(3, 4, 2, 3);

  private static final int FEATURES = 6;
  private static final int[] LENGTHS = {1, 7, 1, 2, 30, 1, 14, 3, 2, 1};

  @TempDir private Path folder;
  private TokenStore store;
  private GroupStore groups;
  private final GroupDecoder decoder =
      new GroupDecoder(new GroupDecoderConfig(new FieldDecoderConfig(8, 2, 2, SIZES), 6, FEATURES));
  private float[] weights;

  @BeforeEach
  void fill() {
    Natives.load();
    SplittableRandom random = new SplittableRandom(4);
    TokenStore.Writer writer = TokenStore.create(folder, SIZES.size() + 3);
    for (int length : LENGTHS) {
      for (int r = 0; r < length; r++) {
        ByteBuffer row = ByteBuffer.allocate(14).order(ByteOrder.LITTLE_ENDIAN);
        for (int t = 0; t < 3; t++) {
          row.putShort((short) random.nextInt(SIZES.get(t)));
        }
        int end = length == 14 ? 2 : 1; // one group was cut
        row.putShort((short) (r == length - 1 ? end : 0));
        for (int f = 0; f < 3; f++) {
          row.putShort((short) random.nextInt(FEATURES));
        }
        writer.add(row.array());
      }
    }
    store = writer.finish();
    groups =
        new GroupStore(
            store,
            new int[] {0, 2, 4},
            0,
            new boolean[] {true, false, false, false},
            new boolean[] {false, true, false, false},
            -1,
            GroupStore.Windows.NONE);
    weights = new float[(int) decoder.layout().size()];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (0.4 * random.nextGaussian());
    }
  }

  @AfterEach
  void close() {
    store.close();
  }

  private GroupBatch batch(long... numbers) {
    Long[] sorted = Arrays.stream(numbers).boxed().toArray(Long[]::new);
    Arrays.sort(sorted, java.util.Comparator.comparingInt((Long g) -> -LENGTHS[g.intValue()]));
    return GroupBatch.read(
        groups,
        decoder.config(),
        Arrays.stream(sorted).mapToLong(Long::longValue).toArray(),
        0,
        null);
  }

  private double[] oracle(long group) {
    try (PointerScope scope = new PointerScope()) {
      double[] wide = IntStream.range(0, weights.length).mapToDouble(i -> weights[i]).toArray();
      Tensor flat = torch.tensor(new DoubleArrayRef(new DoublePointer(wide), wide.length)).clone();
      flat.requires_grad_(true);
      decoder.loss(decoder.layout().views(flat), batch(group).tensors()).backward();
      double[] gradient = new double[wide.length];
      flat.grad().contiguous().data_ptr_double().get(gradient);
      return gradient;
    }
  }

  private float[] clippedSum(GroupBatch batch, double clipNorm) {
    try (PointerScope scope = new PointerScope()) {
      Tensor sum = torch.zeros(weights.length);
      new GroupClippedGradients(decoder, clipNorm, 200)
          .addTo(decoder.layout().views(torch.tensor(weights)), batch, decoder.layout().views(sum));
      float[] values = new float[weights.length];
      sum.data_ptr_float().get(values);
      return values;
    }
  }

  private double[] norms(GroupBatch batch) {
    try (PointerScope scope = new PointerScope()) {
      return new GroupClippedGradients(decoder, 1, 200)
          .norms(decoder.layout().views(torch.tensor(weights)), batch);
    }
  }

  private static double norm(double[] x) {
    return Math.sqrt(Arrays.stream(x).map(v -> v * v).sum());
  }

  private static long[] all() {
    return LongStream.range(0, LENGTHS.length).toArray();
  }

  /** Parameter by parameter, for a group alone: one row, two rows, a cut one, a long one. */
  @Test
  void theGradientOfAGroupIsThatOfABackwardPass() {
    for (long group : new long[] {0, 3, 6, 4}) {
      double[] expected = oracle(group);
      float[] sum = clippedSum(batch(group), 1e9);
      for (ParameterLayout.Entry entry : decoder.layout().entries()) {
        for (int i = (int) entry.offset(); i < entry.offset() + entry.size(); i++) {
          assertEquals(expected[i], sum[i], 1e-4 * norm(expected), entry.name());
        }
      }
    }
  }

  @Test
  void normsAndClippedSumEqualABackwardPassPerGroup() {
    double clipNorm = 3;
    GroupBatch batch = batch(all());
    double[] norms = norms(batch);
    double[] expected = new double[weights.length];
    long[] order = Arrays.stream(batch.lengths()).asLongStream().toArray();
    double[] oracleNorms = new double[LENGTHS.length];
    for (int g = 0; g < LENGTHS.length; g++) {
      double[] gradient = oracle(g);
      oracleNorms[g] = norm(gradient);
      double factor = Math.min(1, clipNorm / oracleNorms[g]);
      for (int i = 0; i < expected.length; i++) {
        expected[i] += factor * gradient[i];
      }
    }
    // The batch is sorted by length and keeps the order of equals.
    int[] place =
        IntStream.range(0, LENGTHS.length)
            .boxed()
            .sorted(java.util.Comparator.comparingInt((Integer g) -> -LENGTHS[g]))
            .mapToInt(Integer::intValue)
            .toArray();
    for (int b = 0; b < place.length; b++) {
      assertEquals(LENGTHS[place[b]], order[b]);
      double norm = oracleNorms[place[b]];
      assertEquals(norm, norms[b], 1e-3 * norm, "norm of group " + place[b]);
      assertTrue(norms[b] >= norm * (1 - 1e-5), "%s < %s".formatted(norms[b], norm));
    }
    float[] sum = clippedSum(batch, clipNorm);
    for (int i = 0; i < sum.length; i++) {
      assertEquals(expected[i], sum[i], 2e-3, "parameter " + i);
    }
  }

  /** The rows of a group are clipped together, not one by one: else a long group counts often. */
  @Test
  void aGroupIsClippedOnceHoweverManyRowsItHas() {
    float[] sum = clippedSum(batch(4), 0.5);
    double[] wide = IntStream.range(0, sum.length).mapToDouble(i -> sum[i]).toArray();
    assertTrue(norm(wide) <= 0.5, "norm " + norm(wide));
    assertTrue(norm(wide) > 0.495, "norm " + norm(wide));
  }

  @Test
  void oneGroupMovesTheClippedSumByAtMostTheBound() {
    for (double clipNorm : new double[] {0.1, 1, 30}) {
      float[] with = clippedSum(batch(all()), clipNorm);
      for (long left : new long[] {0, 4, 6, 9}) {
        float[] without =
            clippedSum(batch(Arrays.stream(all()).filter(g -> g != left).toArray()), clipNorm);
        double[] moved = new double[with.length];
        for (int i = 0; i < moved.length; i++) {
          moved[i] = (double) with[i] - without[i];
        }
        double bound = clipNorm * (1 + 1e-5);
        assertTrue(norm(moved) <= bound, "%s > %s".formatted(norm(moved), bound));
        assertTrue(clipNorm > 1 || norm(moved) > 0.99 * clipNorm, "clipped too much");
      }
    }
  }

  /** The room for roundings is that of a group's own rows, not of the longest beside it. */
  @Test
  void aGroupsNormIsItsOwnWhoeverSharesItsBatch() {
    double[] beside = norms(batch(all())); // the longest first, and equals in their order
    long[] numbers = {4, 6, 1, 7, 3, 8, 0, 2, 5, 9};
    for (int place = 0; place < numbers.length; place++) {
      double alone = norms(batch(numbers[place]))[0];
      assertEquals(alone, beside[place], 2e-6 * alone, "group " + numbers[place]);
    }
  }

  @Test
  void whetherACutGroupGoesOnIsNotAsked() {
    int last = SIZES.size() - 1;
    GroupBatch cut = batch(6);
    GroupBatch whole = batch(4);
    assertEquals(-100, cut.targets()[last * cut.rows() + cut.rows() - 1]);
    assertEquals(1, whole.targets()[last * whole.rows() + whole.rows() - 1]);
  }

  @Test
  void anEmptyBatchAddsNothing() {
    for (float value : clippedSum(batch(1, 2).select(new int[0]), 1)) {
      assertEquals(0f, value);
    }
  }

  @Test
  void aSelectionIsTheBatchOfItsGroups() {
    float[] selected = clippedSum(batch(all()).select(new int[] {1, 3, 9}), 1e9);
    float[] read = clippedSum(batch(6, 7, 9), 1e9);
    for (int i = 0; i < read.length; i++) {
      assertEquals(read[i], selected[i], 1e-4);
    }
  }

  @Test
  void aGroupWithoutAFiniteGradientAddsNothing() {
    long offset =
        decoder.layout().entries().stream()
            .filter(entry -> entry.name().equals("index.weight"))
            .findFirst()
            .orElseThrow()
            .offset();
    int bucket = GroupDecoderConfig.indexBucket(LENGTHS[4] - 1);
    assertTrue(bucket > GroupDecoderConfig.indexBucket(13));
    weights[(int) offset + 8 * bucket] = Float.POSITIVE_INFINITY;
    float[] sum = clippedSum(batch(all()), 1);
    float[] healthy = clippedSum(batch(Arrays.stream(all()).filter(g -> g != 4).toArray()), 1);
    for (int i = 0; i < sum.length; i++) {
      assertTrue(Float.isFinite(sum[i]));
      assertEquals(healthy[i], sum[i], 1e-6f);
    }
  }

  @Test
  void thePrivateForwardPassIsTheOrdinaryOne() {
    try (PointerScope scope = new PointerScope()) {
      List<Tensor> parameters = decoder.layout().views(torch.tensor(weights));
      double traced = decoder.traced(parameters, batch(all()).tensors()).loss().item_double();
      try (NoGradGuard guard = new NoGradGuard()) {
        double plain = decoder.loss(parameters, batch(all()).tensors()).item_double();
        assertEquals(plain, traced, 1e-5 * plain);
      }
    }
  }

  @Test
  void microBatchesHoldEveryUnitOnce() {
    GroupClipping clipping = new GroupClipping(decoder, groups, 1, 100);
    List<long[]> parts = clipping.microBatches(new long[] {0, 2, 4, 6, 9});
    long[] joined = parts.stream().flatMapToLong(Arrays::stream).sorted().toArray();
    assertEquals("[0, 2, 4, 6, 9]", Arrays.toString(joined));
    assertTrue(clipping.microBatches(new long[0]).isEmpty());
  }
}
