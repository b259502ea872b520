package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.safesynth.train.StepAccount.CLIP;
import static org.safesynth.train.StepAccount.SIGMA;
import static org.safesynth.train.StepAccount.distance;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleArrayRef;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.model.GroupDecoder;
import org.safesynth.model.GroupDecoderConfig;
import org.safesynth.model.Natives;
import org.safesynth.privacy.SecretStreams;
import org.safesynth.train.StepAccount.Bug;

/**
 * One step of private training on groups against {@link StepAccount}, by a backward pass a group in
 * float64, and a row where the planted bug clips rows.
 */
@Tag("unit")
final class PrivateGroupStepTest {
  private static final List<Integer> SIZES = List.of(5, 4, 3); // the last one ends groups
  private static final int[] NO_FEATURES = {0, 2};
  private static final boolean[] NEVER = new boolean[3];
  private static final long GROUPS = 70;
  private static final int MOST_ROWS = 20;
  private static final double RATE = 0.45; // of some 330 of 730 rows: three micro-batches
  private static final double TOLERANCE = 1e-2 * CLIP / (RATE * GROUPS);

  @TempDir private Path folder;
  private final GroupDecoder decoder =
      new GroupDecoder(new GroupDecoderConfig(new FieldDecoderConfig(8, 1, 2, SIZES), 6, 4));
  private TokenStore store;
  private float[] weights; // (P)
  private int firstRows;
  private StepAccount account;

  @BeforeEach
  void makeGroups() {
    Natives.load();
    SplittableRandom random = new SplittableRandom(6);
    weights = new float[(int) decoder.layout().size()];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (random.nextGaussian() * 0.3);
    }
    TokenStore.Writer writer = TokenStore.create(folder, SIZES.size() + NO_FEATURES.length);
    for (int g = 0; g < GROUPS; g++) {
      int length = 1 + random.nextInt(MOST_ROWS);
      firstRows = g == 0 ? length : firstRows;
      for (int r = 0; r < length; r++) {
        ByteBuffer row = ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN);
        row.putShort((short) random.nextInt(5)).putShort((short) random.nextInt(4));
        row.putShort((short) (r == length - 1 ? 1 : 0));
        row.putShort((short) random.nextInt(2)).putShort((short) (2 + random.nextInt(2)));
        writer.add(row.array());
      }
    }
    store = writer.finish();
    account =
        new StepAccount(
            GROUPS,
            RATE,
            (int) GROUPS / 5, // of about 128 rows
            weights.length,
            group -> gradient(batch(group)),
            this::gradientsOfRows);
  }

  @AfterEach
  void close() {
    store.close();
  }

  @Test
  void aStepEqualsItsAccountGroupByGroup() {
    for (long key = 1; key <= 4; key++) {
      assertTrue(distance(account.of(Bug.NONE, key), trained(key, 0, 2, RATE)) < TOLERANCE);
    }
  }

  @ParameterizedTest
  @EnumSource(value = Bug.class, names = "NONE", mode = EnumSource.Mode.EXCLUDE)
  void aPlantedBugIsSeen(Bug bug) {
    for (long key = 1; key <= 2; key++) {
      double distance = distance(account.of(bug, key), trained(key, 0, 2, RATE));
      assertTrue(distance > 20 * TOLERANCE, () -> bug + " moves a step by " + distance);
    }
  }

  @Test
  void theStepIsTheSameForAnyNumberOfWorkers() {
    assertArrayEquals(trained(1, 0, 1, RATE), trained(1, 0, 3, RATE), 0);
  }

  @Test
  void aStepThatDrawsNobodyTakesNoise() {
    double[] gradient = trained(1, store.records(), 1, RATE);
    double[] noise = account.noise(SecretStreams.withTestKey(1));
    for (int i = 0; i < gradient.length; i++) {
      assertEquals(noise[i] / account.expected(), gradient[i], 1e-5 * SIGMA * CLIP);
    }
  }

  @Test
  void oneGroupMoreMovesTheSumByTheClipNormAtMost() {
    // Everyone is drawn, the key is the same: all that differs is the first group.
    double length = account.expected() * distance(trained(1, 0, 2, 1), trained(1, firstRows, 2, 1));
    assertTrue(length <= CLIP * (1 + 1e-4), () -> "moved by " + length);
    assertTrue(length > CLIP / 2, () -> "a clipped group is as long as the bound, not " + length);
  }

  @Test
  void windowsOfGroupsAreNoPrivacyUnits() {
    GroupStore cut = groups(0, GroupStore.Windows.USUAL);
    assertThrows(IllegalArgumentException.class, () -> trainer(1, cut, 1, RATE));
  }

  private GroupStore groups(long firstRow) {
    return groups(firstRow, GroupStore.Windows.NONE);
  }

  private GroupStore groups(long firstRow, GroupStore.Windows windows) {
    return new GroupStore(store, NO_FEATURES, firstRow, NEVER, NEVER, -1, windows);
  }

  private double[] trained(long key, long firstRow, int workers, double rate) {
    return StepAccount.gradientOf(trainer(key, groups(firstRow), workers, rate).train(weights));
  }

  private PrivateTrainer trainer(long key, GroupStore groups, int workers, double rate) {
    return GroupTraining.privateTrainer(
        decoder,
        groups,
        MOST_ROWS,
        account.plan(rate, 64, StepAccount.STEP + 1),
        SecretStreams.withTestKey(key),
        StepAccount.begun(weights),
        progress -> {},
        workers);
  }

  private GroupBatch batch(long group) {
    return GroupBatch.read(groups(0), decoder.config(), new long[] {group}, 0, null);
  }

  /** Each row is asked alone, and sees the rows before it. */
  private List<double[]> gradientsOfRows(long group) {
    GroupBatch whole = batch(group);
    List<double[]> gradients = new ArrayList<>();
    for (int asked = 0; asked < whole.rows(); asked++) {
      long[] targets = whole.targets().clone();
      for (int i = 0; i < targets.length; i++) {
        targets[i] = i % whole.rows() == asked ? targets[i] : -100;
      }
      gradients.add(
          gradient(
              new GroupBatch(
                  1,
                  whole.rows(),
                  whole.inputs(),
                  targets,
                  whole.index(),
                  whole.features(),
                  whole.featuresBefore(),
                  whole.fed(),
                  whole.before(),
                  whole.lengths())));
    }
    return gradients;
  }

  private double[] gradient(GroupBatch batch) {
    try (PointerScope scope = new PointerScope()) {
      double[] wide = new double[weights.length];
      Arrays.setAll(wide, i -> weights[i]);
      Tensor flat = torch.tensor(new DoubleArrayRef(new DoublePointer(wide), wide.length)).clone();
      flat.requires_grad_(true);
      decoder.loss(decoder.layout().views(flat), batch.tensors()).backward();
      double[] gradient = new double[wide.length];
      flat.grad().contiguous().data_ptr_double().get(gradient);
      return gradient;
    }
  }
}
