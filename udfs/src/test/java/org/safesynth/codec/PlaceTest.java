package org.safesynth.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.TableProfile;

/** Two coordinates as one place. */
@Tag("unit")
final class PlaceTest {
  private static final int POINTS = 6_000;
  private static final double[] UNITS = {1, 0.7};
  private static final int RADIUS = 40_000;

  private final long[] first = new long[POINTS];
  private final long[] second = new long[POINTS];

  /** Points on a thin ring, a tenth of them at one spot of it. */
  PlaceTest() {
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < POINTS; i++) {
      double angle = i % 10 == 0 ? 1 : 2 * Math.PI * random.nextDouble();
      double radius = i % 10 == 0 ? RADIUS : RADIUS + 300 * random.nextGaussian();
      first[i] = Math.round(radius * Math.cos(angle));
      second[i] = Math.round(radius * Math.sin(angle));
    }
  }

  private PlaceTree tree() {
    return PlaceTree.fit(first, second, UNITS, new int[] {8, 8, 16}, 12);
  }

  private FieldCodec codec(int threshold) {
    List<Object> ones = new ArrayList<>();
    List<Object> twos = new ArrayList<>();
    for (int i = 0; i < POINTS; i++) {
      ones.add(i % 7 == 3 ? null : (Object) first[i]);
      twos.add(i % 7 == 3 ? null : (Object) second[i]);
    }
    FrozenSchema schema =
        new FrozenSchema(
            List.of(
                FieldCodecTest.column("lat", ColumnKind.INTEGER, true),
                FieldCodecTest.column("n", ColumnKind.INTEGER, false),
                FieldCodecTest.column("lon", ColumnKind.INTEGER, true)));
    TableProfile profile =
        new TableProfile(
            POINTS,
            List.of(
                FieldCodecTest.profile(ones),
                FieldCodecTest.profile(List.of(5L)),
                FieldCodecTest.profile(twos)));
    return FieldCodec.fit(schema, profile, Protection.OFF)
        .withPlace(0, 2, new PlacePoints(first, second, UNITS, POINTS, threshold));
  }

  @Test
  void cellsHoldAboutAsManyRecordsAndPointsStayOnTheRing() {
    PlaceTree tree = tree();
    int[] sizes = tree.sizes();
    int[] records = new int[sizes[0] * sizes[1]];
    RoundSteps any = new RoundSteps(new long[] {1}, new double[] {1});
    SplittableRandom random = new SplittableRandom(4);
    int off = 0;
    for (int i = 0; i < POINTS; i++) {
      int[] tokens = new int[PlaceTree.LEVELS];
      tree.locate(first[i], second[i], tokens, 0);
      records[tokens[0] * sizes[1] + tokens[1]]++;
      assertTrue(tokens[1] < tree.cells(tokens[0]));
      Long[] place = tree.draw(tokens, 0, any, any, random);
      double radius = Math.hypot(place[0], place[1]);
      off += Math.abs(radius - RADIUS) > 1_500 ? 1 : 0;
      if (i % 10 == 0) { // a spot of many records is a leaf of its own
        assertArrayEquals(new Long[] {first[i], second[i]}, place);
      }
    }
    int[] sorted = Arrays.stream(records).filter(n -> n > 0).sorted().toArray();
    assertTrue(sorted.length > 50, sorted.length + " cells");
    assertTrue(sorted[0] > 40 && sorted[sorted.length / 2] < 200, Arrays.toString(sorted));
    assertTrue(off < POINTS / 200, off + " points off the ring"); // 3.75 deviations were few anyway
  }

  @Test
  void whatOneCoordinateTellsAddsUpToOneOverAllItsValues() {
    PlaceTree tree = tree();
    double[] areas = new double[tree.sizes()[0]];
    double[] leaves = new double[tree.sizes()[2]];
    int[] path = {2, 3, 0};
    for (long tick = -RADIUS - 3_000; tick <= RADIUS + 3_000; tick++) {
      float[] of = tree.known(0, path, 0, 1, tick);
      float[] inside = tree.known(2, path, 0, 1, tick);
      assertTrue(max(of) > Float.NEGATIVE_INFINITY && max(inside) > Float.NEGATIVE_INFINITY);
      addIfHeld(areas, of);
      addIfHeld(leaves, inside);
    }
    for (double sum : areas) {
      assertEquals(1, sum, 1e-4);
    }
    assertTrue(leaves[1] > 0);
    for (double sum : leaves) { // a cell may have fewer leaves than others
      assertTrue(sum == 0 || Math.abs(sum - 1) < 1e-4, "" + sum);
    }
  }

  private static float max(float[] values) {
    float max = Float.NEGATIVE_INFINITY;
    for (float value : values) {
      max = Math.max(max, value);
    }
    return max;
  }

  /** Adds densities; the nearest cells to a tick that none holds all stand at 1, and tell none. */
  private static void addIfHeld(double[] sums, float[] logarithms) {
    boolean isHeld = false;
    for (float logarithm : logarithms) {
      isHeld |= logarithm < 0 && logarithm > Float.NEGATIVE_INFINITY;
    }
    for (int i = 0; i < sums.length && isHeld; i++) {
      sums[i] += Math.exp(logarithms[i]);
    }
  }

  @Test
  void aCodecWithAPlaceReadsWhatItWrites() {
    FieldCodec codec = FieldCodec.fromJson(codec(5).toJson(), "test");
    assertEquals(codec(5).toJson(), codec.toJson());
    SplittableRandom random = new SplittableRandom(5);
    int[] tokens = new int[codec.positions()];
    int[] again = new int[codec.positions()];
    for (int i = 0; i < POINTS; i += 11) {
      codec.encode(new Object[] {first[i], 5L, second[i]}, tokens);
      Object[] cells = codec.decode(tokens, 0, random);
      double away = Math.hypot(first[i] - (Long) cells[0], second[i] - (Long) cells[2]);
      assertTrue(away < 6_000, "record " + i + " came back " + away + " ticks away");
      codec.encode(cells, again);
      assertArrayEquals(tokens, again);
    }
    codec.encode(new Object[] {null, 5L, null}, tokens);
    assertArrayEquals(new Object[] {null, 5L, null}, codec.decode(tokens, 0, random));
  }

  @Test
  void aCoordinateAloneIsAHintAndBothAreGiven() {
    FieldCodec codec = codec(5);
    assertArrayEquals(
        new int[] {-1, -1, -1, -1, 0}, codec.given(new Object[] {null, null, second[1]}));
    int[] whole = new int[codec.positions()];
    codec.encode(new Object[] {first[1], 5L, second[1]}, whole);
    assertArrayEquals(whole, codec.given(new Object[] {first[1], 5L, second[1]}));
    assertNull(codec.hint(new Object[] {first[1], null, second[1]}, 0, whole));
    assertNull(codec.hint(new Object[] {null, 5L, null}, 0, whole));
    assertNull(codec.hint(new Object[] {first[1], null, null}, 3, whole));
    float[] hint = codec.hint(new Object[] {first[1], null, null}, 0, whole);
    assertEquals(codec.vocabularySize(0), hint.length);
    assertEquals(Float.NEGATIVE_INFINITY, hint[hint.length - 1], "it is not missing");
    assertTrue(hint[whole[0]] > Float.NEGATIVE_INFINITY);
    for (int level = 1; level < PlaceTree.LEVELS; level++) {
      float[] part = codec.hint(new Object[] {first[1], null, null}, level, whole);
      assertTrue(part[whole[level]] > Float.NEGATIVE_INFINITY);
    }
  }

  @Test
  void leavesHoldAsManyRecordsAsProtectionAsks() {
    FieldCodec codec = codec(100);
    int[] sizes = {codec.vocabularySize(0), codec.vocabularySize(1), codec.vocabularySize(2)};
    int[] records = new int[sizes[0] * sizes[1] * sizes[2]];
    int[] tokens = new int[codec.positions()];
    for (int i = 0; i < POINTS; i++) {
      codec.encode(new Object[] {first[i], 5L, second[i]}, tokens);
      records[(tokens[0] * sizes[1] + tokens[1]) * sizes[2] + tokens[2]]++;
    }
    assertTrue(Arrays.stream(records).filter(n -> n > 0).min().orElseThrow() >= 50);
  }
}
