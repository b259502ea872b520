package org.safesynth.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
final class GroupDecoderTest {
  private static final List<Integer> SIZES = List.of(3, 4, 2);
  private static final int CLOCKS = 5;

  private final GroupDecoder decoder =
      new GroupDecoder(
          new GroupDecoderConfig(new FieldDecoderConfig(8, 2, 2, SIZES), 6, CLOCKS, true));

  /** A row: its tokens and a feature. */
  private static int[][][] groups() {
    SplittableRandom random = new SplittableRandom(3);
    int[] lengths = {5, 3, 1};
    int[][][] groups = new int[lengths.length][][];
    for (int g = 0; g < lengths.length; g++) {
      groups[g] = new int[lengths[g]][4];
      for (int r = 0; r < lengths[g]; r++) {
        groups[g][r] =
            new int[] {
              random.nextInt(3), random.nextInt(4), random.nextInt(2), random.nextInt(1, CLOCKS)
            };
      }
    }
    return groups;
  }

  @BeforeAll
  static void load() {
    Natives.load();
  }

  private float[] weights() {
    SplittableRandom random = new SplittableRandom(8);
    float[] weights = new float[Math.toIntExact(decoder.layout().size())];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (0.4 * random.nextGaussian());
    }
    return weights;
  }

  /** Groups as the decoder takes them, by the definition of {@link GroupDecoder.Rows}. */
  private GroupDecoder.Rows rows(int[][]... groups) {
    int count = 0;
    for (int[][] group : groups) {
      count += group.length;
    }
    int steps = groups[0].length - 1;
    int[] offsets = decoder.config().row().embeddingOffsets();
    int[] inputs = new int[2 * count];
    long[] targets = new long[3 * count];
    int[] index = new int[count];
    int[] clock = new int[count];
    int[] clockBefore = new int[count];
    int[] fed = new int[steps * groups.length];
    java.util.Arrays.fill(fed, count);
    int[] before = new int[count];
    int at = 0;
    for (int g = 0; g < groups.length; g++) {
      for (int r = 0; r < groups[g].length; r++, at++) {
        int[] row = groups[g][r];
        for (int t = 0; t < 3; t++) {
          targets[t * count + at] = row[t];
        }
        inputs[at] = offsets[0] + row[0];
        inputs[count + at] = offsets[1] + row[1];
        index[at] = GroupDecoderConfig.indexBucket(r);
        clock[at] = row[3];
        clockBefore[at] = r == 0 ? 0 : groups[g][r - 1][3];
        before[at] = r == 0 ? fed.length : (r - 1) * groups.length + g;
        if (r + 1 < groups[g].length) {
          fed[r * groups.length + g] = at;
        }
      }
    }
    return new GroupDecoder.Rows(
        torch.tensor(inputs).view(2, count),
        torch.tensor(targets).view(3, count),
        torch.tensor(index),
        torch.tensor(clock).view(1, count),
        torch.tensor(clockBefore).view(1, count),
        fed.length == 0 ? torch.zeros(0) : torch.tensor(fed),
        torch.tensor(before),
        groups.length);
  }

  private double loss(float[] weights, int[][]... groups) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      return decoder
          .loss(decoder.layout().views(torch.tensor(weights)), rows(groups))
          .item_double();
    }
  }

  @Test
  void theGradientIsThatOfFiniteDifferences() {
    float[] weights = weights();
    float[] gradient = new float[weights.length];
    try (PointerScope scope = new PointerScope()) {
      Tensor flat = torch.tensor(weights);
      flat.requires_grad_(true);
      decoder.loss(decoder.layout().views(flat), rows(groups())).backward();
      flat.grad().contiguous().data_ptr_float().get(gradient);
    }
    SplittableRandom random = new SplittableRandom(1);
    for (ParameterLayout.Entry entry : decoder.layout().entries()) {
      for (int trial = 0; trial < 4; trial++) {
        int i = (int) (entry.offset() + random.nextLong(entry.size()));
        float[] moved = weights.clone();
        float step = 2e-2f;
        moved[i] = weights[i] + step;
        double up = loss(moved, groups());
        moved[i] = weights[i] - step;
        double down = loss(moved, groups());
        assertEquals((up - down) / (2 * step), gradient[i], 2e-2, entry.name());
      }
    }
  }

  @Test
  void groupsInABatchDoNotSeeEachOther() {
    int[][][] groups = groups();
    double alone = 0;
    for (int[][] group : groups) {
      alone += loss(weights(), group);
    }
    assertEquals(alone, loss(weights(), groups), 1e-3);
  }

  @Test
  void laterRowsDoNotChangeTheLossOfEarlierOnes() {
    int[][] group = groups()[0];
    int[][] cut = java.util.Arrays.copyOf(group, 3);
    int[][] other = java.util.Arrays.copyOf(group, 4);
    other[3] = new int[] {2, 3, 1, 4};
    double rowThree = loss(weights(), other) - loss(weights(), cut);
    other[3] = group[3];
    double asItWas = loss(weights(), other) - loss(weights(), cut);
    assertTrue(Math.abs(rowThree - asItWas) > 1e-3); // the row itself differs
    int[][] changed = java.util.Arrays.copyOf(group, 3);
    changed[0] = new int[] {(group[0][0] + 1) % 3, group[0][1], group[0][2], group[0][3]};
    int[][] changedOther = java.util.Arrays.copyOf(changed, 4);
    changedOther[3] = group[3];
    double inAnotherGroup = loss(weights(), changedOther) - loss(weights(), changed);
    assertTrue(Math.abs(inAnotherGroup - asItWas) > 1e-5); // and the fourth remembers the first
  }

  @Test
  void rowByRowTheMemoryIsThatOfTheWholeGroup() {
    int[][] group = groups()[0];
    double stepwise = 0;
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      List<Tensor> parameters = decoder.layout().views(torch.tensor(weights()));
      int[] offsets = decoder.config().row().embeddingOffsets();
      Tensor state = torch.zeros(1, 6);
      for (int r = 0; r < group.length; r++) {
        Tensor index = torch.tensor(new int[] {GroupDecoderConfig.indexBucket(r)});
        int clockBefore = r == 0 ? 0 : group[r - 1][3];
        Tensor context =
            decoder.context(
                parameters, state, index, torch.tensor(new int[] {clockBefore}).view(1, 1));
        FieldDecoding decoding =
            decoder.row().startDecoding(decoder.ofRow(parameters, r == 0), context);
        int previous = 0;
        for (int t = 0; t < 3; t++) {
          Tensor logits = decoding.logits(t, torch.tensor(new int[] {previous}));
          float[] of = new float[SIZES.get(t)];
          torch.log_softmax(logits, 1).contiguous().data_ptr_float().get(of);
          stepwise -= of[group[r][t]];
          previous = t < 2 ? offsets[t] + group[r][t] : 0;
        }
        Tensor inputs =
            torch.tensor(new int[] {offsets[0] + group[r][0], offsets[1] + group[r][1]}).view(2, 1);
        state =
            decoder.remember(
                parameters, state, inputs, index, torch.tensor(new int[] {group[r][3]}).view(1, 1));
      }
    }
    assertEquals(loss(weights(), group), stepwise, 1e-3);
  }

  @Test
  void trainingStartsAtTheFrequenciesOfFirstRowsAndOfTheOthers() {
    long[] counts = {60, 30, 10, 25, 25, 25, 25, 80, 20};
    long[] firsts = {0, 20, 0, 5, 5, 5, 5, 20, 0};
    float[] weights = decoder.initialParameters(counts, 100, firsts, 20, new SplittableRandom(1));
    int[][] group = {{1, 0, 0, 1}, {0, 3, 1, 2}, {2, 1, 0, 1}};
    int[] offsets = {0, 3, 7};
    double expected = 0;
    for (int r = 0; r < group.length; r++) {
      for (int t = 0; t < 3; t++) {
        double[] mass = new double[SIZES.get(t)];
        double all = 0;
        for (int v = 0; v < mass.length; v++) {
          int i = offsets[t] + v;
          double shared = (counts[i] + 0.5) / 100;
          mass[v] = (r == 0 ? firsts[i] : counts[i] - firsts[i]) + shared;
          all += mass[v];
        }
        expected -= Math.log(mass[group[r][t]] / all);
      }
    }
    assertEquals(expected, loss(weights, group), 1e-4);
    int[][] unlike = {{0, 0, 0, 1}, {1, 3, 1, 2}, {2, 1, 0, 1}};
    assertTrue(loss(weights, unlike) > expected + 3); // what no first row was is unlikely there
  }

  @Test
  void aBiasOfFirstRowsHasNoGradientsOfSingleGroups() {
    try (PointerScope scope = new PointerScope()) {
      List<Tensor> parameters = decoder.layout().views(torch.tensor(weights()));
      GroupDecoder.Rows rows = rows(groups());
      assertThrows(IllegalStateException.class, () -> decoder.traced(parameters, rows));
    }
  }

  @Test
  void bucketsOfRowNumbersGrowWithThem() {
    int[] buckets = new int[5];
    int[] rows = {0, 11, 12, 100, 1_000_000};
    for (int i = 0; i < rows.length; i++) {
      buckets[i] = GroupDecoderConfig.indexBucket(rows[i]);
    }
    assertArrayEquals(new int[] {0, 11, 12, 24, 35}, buckets);
  }
}
