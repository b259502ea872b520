package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.fault.RunFailedException;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.model.GroupDecoder;
import org.safesynth.model.GroupDecoderConfig;
import org.safesynth.model.Natives;

/** The oracle of windows is the group that they were cut from, learned whole. */
@Tag("unit")
final class GroupWindowsTest {
  private static final List<Integer> SIZES = List.of(3, 4, 5, 2);
  private static final int FEATURES = 6;
  private static final int[] LENGTHS = {3, 23, 8, 40, 1};
  private static final int ROWS = Arrays.stream(LENGTHS).sum();

  @TempDir private Path folder;
  private TokenStore store;
  private final GroupDecoder decoder =
      new GroupDecoder(
          new GroupDecoderConfig(new FieldDecoderConfig(8, 2, 2, SIZES), 6, FEATURES, true));
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
        row.putShort((short) (r == length - 1 ? 1 : 0));
        for (int f = 0; f < 3; f++) {
          row.putShort((short) random.nextInt(FEATURES));
        }
        writer.add(row.array());
      }
    }
    store = writer.finish();
    weights = new float[(int) decoder.layout().size()];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (0.4 * random.nextGaussian());
    }
  }

  @AfterEach
  void close() {
    store.close();
  }

  private GroupStore groups(GroupStore.Windows windows) {
    return new GroupStore(
        store,
        new int[] {0, 2, 4},
        0,
        new boolean[] {true, false, false, false},
        new boolean[] {false, true, false, false},
        -1,
        windows);
  }

  private GroupBatch batch(GroupStore groups, long... drawn) {
    return GroupBatch.read(
        groups, decoder.config(), groups.parts(drawn, Integer.MAX_VALUE, 1).get(0), 0, null);
  }

  private double loss(GroupStore groups) {
    try (PointerScope scope = new PointerScope()) {
      List<Tensor> parameters = decoder.layout().views(torch.tensor(weights));
      long[] all = LongStream.range(0, groups.groups()).toArray();
      return decoder.loss(parameters, batch(groups, all).tensors()).item_double();
    }
  }

  @Test
  void whereAllRowsBeforeAreReadTheLossIsThatOfWholeGroups() {
    double whole = loss(groups(GroupStore.Windows.NONE));
    GroupStore cut = groups(new GroupStore.Windows(10, 5, 1_000));
    assertEquals(3 + 5 + 8, cut.groups(), "23 rows in 5 windows, 40 in 8, and three short groups");
    assertEquals(whole, loss(cut), 1e-5 * whole);
    double blind = loss(groups(new GroupStore.Windows(10, 5, 0)));
    assertTrue(Math.abs(blind - whole) > 1e-3 * whole, "a memory that starts empty knows less");
  }

  @Test
  void everyRowIsLearnedOnce() {
    GroupStore whole = groups(GroupStore.Windows.NONE);
    GroupStore cut = groups(new GroupStore.Windows(10, 5, 3));
    assertEquals(asked(whole), asked(cut));
    assertEquals(ROWS, cut.allRows());
    for (long unit = 0; unit < cut.groups(); unit++) {
      int rows = cut.rows(unit) - cut.priming(unit);
      assertTrue(rows >= 1 && rows <= 10, () -> "rows of a window: " + rows);
      assertEquals(cut.firstIndex(unit) + cut.priming(unit) == 0 ? 0 : 3, cut.priming(unit));
    }
  }

  /** Targets that are asked for. */
  private long asked(GroupStore groups) {
    long[] all = LongStream.range(0, groups.groups()).toArray();
    return Arrays.stream(batch(groups, all).targets()).filter(token -> token >= 0).count();
  }

  /** The second window of the second group: its rows 5 to 9, after 2 to 4. */
  @Test
  void rowsOfAWindowKeepTheirNumbersAndTimes() {
    GroupStore whole = groups(GroupStore.Windows.NONE);
    GroupBatch window = batch(groups(new GroupStore.Windows(10, 5, 3)), 2);
    GroupBatch group = batch(whole, 1);
    int from = 23 / 5 - 3; // the windows of 23 rows begin at 0, 4, 9, 13 and 18
    int to = 2 * 23 / 5;
    int rows = to - from;
    assertEquals(rows, window.rows());
    for (int r = 0; r < rows; r++) {
      assertEquals(group.index()[from + r], window.index()[r]);
      for (int f = 0; f < 3; f++) {
        assertEquals(group.features()[f * 23 + from + r], window.features()[f * rows + r]);
        assertEquals(
            group.featuresBefore()[f * 23 + from + r], window.featuresBefore()[f * rows + r]);
      }
      for (int t = 0; t < SIZES.size(); t++) {
        long target = r < 3 ? -100 : group.targets()[t * 23 + from + r];
        assertEquals(target, window.targets()[t * rows + r]);
      }
    }
  }

  @Test
  void aSplitInsideAGroupIsRefused() {
    GroupStore cut = groups(new GroupStore.Windows(10, 5, 3));
    assertEquals(6, cut.groupsOf(3 + 23));
    assertThrows(RunFailedException.class, () -> cut.groupsOf(3 + 4));
    assertThrows(RunFailedException.class, () -> cut.groupsOf(3 + 5));
  }
}
