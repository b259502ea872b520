package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.model.GroupDecoder;
import org.safesynth.model.GroupDecoderConfig;
import org.safesynth.model.Natives;

/**
 * What one further group moves of the sum that noise is added to, besides its own part: the sizes
 * are those of a real step, and micro-batches are cut as training cuts them.
 */
@Tag("unit")
final class GroupSensitivityTest {
  private static final int FEATURES = 6;
  private static final int MOST_ROWS = 60;
  private static final double CLIP = 1;

  @TempDir private Path folder;

  @BeforeAll
  static void load() {
    Natives.load();
  }

  /** Groups of given sizes, random otherwise, and a decoder of them with random weights. */
  private static final class Case implements AutoCloseable {
    private final SplittableRandom random = new SplittableRandom(9);
    private final GroupDecoder decoder;
    private final TokenStore store;
    private final Clipping clipping;
    private final float[] weights; // (P)

    Case(Path folder, int[] lengths) {
      List<Integer> sizes =
          IntStream.concat(random.ints(11, 2, 100), IntStream.of(3)).boxed().toList();
      decoder =
          new GroupDecoder(
              new GroupDecoderConfig(new FieldDecoderConfig(32, 2, 2, sizes), 16, FEATURES));
      TokenStore.Writer writer = TokenStore.create(folder, sizes.size() + 3);
      for (int length : lengths) {
        for (int r = 0; r < length; r++) {
          ByteBuffer row = ByteBuffer.allocate(2 * sizes.size() + 6).order(ByteOrder.LITTLE_ENDIAN);
          for (int size : sizes.subList(0, sizes.size() - 1)) {
            row.putShort((short) random.nextInt(size));
          }
          row.putShort((short) (r == length - 1 ? 1 : 0));
          for (int f = 0; f < 3; f++) {
            row.putShort((short) random.nextInt(FEATURES));
          }
          writer.add(row.array());
        }
      }
      store = writer.finish();
      boolean[] none = new boolean[sizes.size()];
      GroupStore groups =
          new GroupStore(store, new int[] {0, 2, 4}, 0, none, none, -1, GroupStore.Windows.NONE);
      clipping = new GroupClipping(decoder, groups, CLIP, MOST_ROWS);
      weights = new float[Math.toIntExact(decoder.layout().size())];
      for (int i = 0; i < weights.length; i++) {
        weights[i] = (float) (0.1 * random.nextGaussian());
      }
    }

    double[] sum(long[] units) {
      try (PointerScope scope = new PointerScope();
          ClippingWorkers pool =
              new ClippingWorkers(clipping, decoder.layout(), torch.tensor(weights), 2)) {
        Tensor sum = torch.zeros(weights.length).to(ScalarType.Double);
        pool.addTo(sum, units);
        double[] values = new double[weights.length];
        sum.data_ptr_double().get(values);
        return values;
      }
    }

    @Override
    public void close() {
      store.close();
    }
  }

  /** Groups lie in order of their lengths, so behind a long one all micro-batches are cut anew. */
  @Test
  void aFurtherGroupMovesTheOthersByLittleOfTheSlack() {
    int[] lengths = new SplittableRandom(5).ints(500, 1, 13).toArray();
    lengths[0] = MOST_ROWS;
    assertLittleMoved(lengths, 0, 250);
  }

  /** What shares a micro-batch with a long group is laid out as that one is. */
  @Test
  void aLongGroupMovesShortOnesByLittleOfTheSlack() {
    int[] lengths = new int[300];
    Arrays.fill(lengths, 2);
    lengths[7] = MOST_ROWS;
    assertLittleMoved(lengths, 7);
  }

  private void assertLittleMoved(int[] lengths, long... furtherOnes) {
    double slack = PrivatePlan.sensitivity(CLIP) - CLIP;
    long[] all = LongStream.range(0, lengths.length).toArray();
    try (Case it = new Case(folder, lengths)) {
      double[] with = it.sum(all);
      for (long further : furtherOnes) {
        double[] without = it.sum(Arrays.stream(all).filter(unit -> unit != further).toArray());
        double[] own = it.sum(new long[] {further});
        double moved = 0;
        for (int i = 0; i < with.length; i++) {
          moved += Math.pow(with[i] - without[i] - own[i], 2);
        }
        assertTrue(Math.sqrt(moved) < slack / 16, Math.sqrt(moved) + " of " + slack);
      }
    }
  }
}
