package org.safesynth.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

@Tag("unit")
final class GroupCodecTest {
  private static final long LAST = 130;

  /** A key, a day, a value that is constant in a group, and one that is not. */
  private static final FrozenSchema TABLE =
      new FrozenSchema(
          List.of(
              column("key", ColumnKind.IDENTIFIER),
              column("day", ColumnKind.DATE),
              column("home", ColumnKind.CATEGORICAL),
              column("what", ColumnKind.CATEGORICAL)));

  private static final GroupLayout LAYOUT =
      new GroupLayout(
          0,
          1,
          new boolean[] {true, false, true, false},
          GroupLayout.clock(100, LAST),
          7,
          LAST,
          2,
          5);

  private static ColumnSchema column(String name, ColumnKind kind) {
    return new ColumnSchema(name, "string", kind, false, 0, 0, null, null, null, null, 9);
  }

  private static GroupCodec codec() {
    IdentifierColumn key =
        new IdentifierColumn(
            null, List.of(new IdentifierColumn.Form(List.of("K", "0123456789"), true)), false, 5);
    return new GroupCodec(
        new FieldCodec(
            List.of(
                key,
                new NumberSetColumn(new long[] {100, 110, 120}, true),
                new NumberSetColumn(new long[] {0, 7, 14}, true),
                new TextSetColumn(List.of("town", "village"), false, false),
                new TextSetColumn(List.of("a", "b"), false, false),
                new TextSetColumn(List.of("false", "true"), false, false))),
        LAYOUT);
  }

  private static Object[] row(long day, String what) {
    return new Object[] {"K7", day, "village", what};
  }

  @Test
  void theModelsColumnsAreTheTablesWithFirstAndStepInPlaceOfTheOrder() {
    assertEquals(
        List.of("key", "first", "step", "home", "what", "last row"),
        LAYOUT.derived(TABLE).columns().stream().map(ColumnSchema::name).toList());
  }

  @Test
  void rowsComeBackWithTheirTimesAndAFreshKey() {
    GroupCodec codec = codec();
    SplittableRandom random = new SplittableRandom(1);
    int[] tokens = new int[codec.fields().positions()];
    codec.encode(row(110, "b"), null, true, GroupCodec.End.GOES_ON, tokens);
    assertArrayEquals(new int[] {0, 1, 3, 1, 1, 0}, tokens);
    Object[] first = codec.decode(tokens, null, null, 12, 60, random);
    assertEquals(110L, first[1]);
    assertEquals("village", first[2]);
    assertFalse(first[0].equals("K7"));
    codec.encode(row(117, "a"), 110L, false, GroupCodec.End.LAST, tokens);
    assertArrayEquals(new int[] {0, 3, 1, 1, 0, 1}, tokens);
    Object[] second = codec.decode(tokens, first, 110L, 12, 61, random);
    assertArrayEquals(new Object[] {first[0], 117L, "village", "a"}, second);
  }

  @Test
  void whatIsConstantIsDrawnOnceAndStepsNotInTheFirstRow() {
    GroupCodec codec = codec();
    boolean[] onlyFirst = new boolean[6];
    boolean[] neverFirst = new boolean[6];
    boolean[] constant = new boolean[6];
    for (int t = 0; t < 6; t++) {
      onlyFirst[t] = codec.isOnlyFirst(t);
      neverFirst[t] = codec.isNeverFirst(t);
      constant[t] = codec.isConstant(t);
    }
    assertArrayEquals(new boolean[] {true, true, false, true, false, false}, onlyFirst);
    assertArrayEquals(new boolean[] {false, false, true, false, false, false}, neverFirst);
    assertArrayEquals(new boolean[] {true, false, false, true, false, false}, constant);
    assertEquals(3, codec.restToken(codec.stepPosition()));
    assertEquals(3, codec.restToken(codec.firstTickPosition()));
  }

  @Test
  void stepsDoNotPassTheLastDay() {
    GroupCodec codec = codec();
    assertTrue(codec.isStepWithin(2, 116));
    assertFalse(codec.isStepWithin(2, 117));
    int[] tokens = {0, 3, 2, 1, 0, 1};
    Object[] first = {"K1", 120L, "town", "a"};
    assertEquals(LAST, codec.decode(tokens, first, 125L, 3, 16, new SplittableRandom(1))[1]);
  }

  @Test
  void clockBucketsCoverTheRangeInOrder() {
    GroupLayout wide =
        new GroupLayout(0, 1, LAYOUT.constant(), GroupLayout.clock(0, 9_999), 100, 9_999, 2, 5);
    int[] none = wide.features(null);
    assertArrayEquals(new int[] {0, 81, 117}, none);
    assertEquals(153, wide.featureRows());
    int before = 1;
    for (long tick = 0; tick < 10_000; tick++) {
      int bucket = wide.features(Rhythm.of(tick))[0];
      assertTrue(bucket == before || bucket == before + 1);
      before = bucket;
    }
    assertEquals(80, before);
  }

  @Test
  void theRhythmTellsQuickGroupsFromSlowOnes() {
    GroupLayout layout =
        new GroupLayout(0, 1, LAYOUT.constant(), GroupLayout.clock(0, 9_999), 100, 9_999, 2, 5);
    Rhythm quick = Rhythm.of(5).next(6).next(7).next(8);
    Rhythm slow = Rhythm.of(5).next(905).next(1_805);
    Rhythm slowing = quick.next(908);
    assertEquals(1, quick.mean());
    assertTrue(layout.features(quick)[1] < layout.features(slow)[1]);
    assertTrue(layout.features(slowing)[2] > layout.features(quick)[2]);
    assertTrue(layout.features(slowing)[2] > layout.features(slowing)[1]);
    assertEquals(1.0 + 0.3 * (900 - 1.0), slowing.recent(), 1e-9);
    for (int feature : layout.features(Rhythm.of(0).next(Long.MAX_VALUE / 4))) {
      assertTrue(feature < layout.featureRows());
    }
  }

  @Test
  void keysOfRowsAreTheirOwnAndThoseOfGroupsTheGroups() {
    IdentifierColumn numbers = new IdentifierColumn(1_000L, List.of(), false, 5);
    GroupCodec codec =
        new GroupCodec(
            new FieldCodec(
                List.of(
                    numbers, numbers, new TextSetColumn(List.of("false", "true"), false, false))),
            new GroupLayout(0, -1, new boolean[] {true, false}, new long[0], 1, 0, 2, 5));
    Object[] first = codec.decode(new int[3], null, null, 7, 35, new SplittableRandom(1));
    Object[] second = codec.decode(new int[3], first, null, 7, 36, new SplittableRandom(1));
    assertArrayEquals(new Object[] {1_008L, 1_036L}, first);
    assertArrayEquals(new Object[] {1_008L, 1_037L}, second);
  }

  /** The parent's key and town and the mark, then a day and an amount. */
  private static GroupCodec ofParents() {
    return new GroupCodec(
        new FieldCodec(
            List.of(
                new IdentifierColumn(1_000L, List.of(), false, 5),
                new TextSetColumn(List.of("town", "village"), false, false),
                new TextSetColumn(List.of(ParentColumns.NONE, ParentColumns.SOME), false, false),
                new NumberSetColumn(new long[] {100, 110}, true),
                new NumberSetColumn(new long[] {0, 7}, true),
                new TextSetColumn(List.of("a", "b"), false, false),
                new TextSetColumn(List.of("false", "true"), false, false))),
        new GroupLayout(
                0,
                3,
                new boolean[] {true, true, true, false, false},
                GroupLayout.clock(100, LAST),
                7,
                LAST,
                2,
                5)
            .withParent(new ParentColumns(3, 1.5, null)));
  }

  @Test
  void aParentWithoutChildrenIsOneRowWithoutTheirCells() {
    GroupCodec codec = ofParents();
    int[] tokens = new int[7];
    Object[] alone = {5L, "village", ParentColumns.NONE, null, null};
    codec.encode(alone, null, true, GroupCodec.End.LAST, tokens);
    assertArrayEquals(new int[] {0, 1, 0, 2, 2, 0, 1}, tokens);
    assertTrue(codec.layout().isChildless(alone));
    assertEquals(2, codec.markerPosition());
    assertArrayEquals(
        new Object[] {1_004L, "village", ParentColumns.NONE, null, null},
        codec.decode(tokens, null, null, 3, 15, new SplittableRandom(1)));
    Object[] child = {5L, "town", ParentColumns.SOME, 110L, "b"};
    codec.encode(child, null, true, GroupCodec.End.LAST, tokens);
    assertArrayEquals(new int[] {0, 0, 1, 1, 2, 1, 1}, tokens);
    assertFalse(codec.layout().isChildless(child));
    assertArrayEquals(
        new Object[] {1_004L, "town", ParentColumns.SOME, 110L, "b"},
        codec.decode(tokens, null, null, 3, 15, new SplittableRandom(1)));
  }

  @Test
  void aFirstChildIsMeasuredFromItsParentsDateAndNeverBeforeIt() {
    GroupCodec codec =
        new GroupCodec(
            new FieldCodec(
                List.of(
                    new IdentifierColumn(1_000L, List.of(), false, 5),
                    new NumberSetColumn(new long[] {100, 120, 140}, false),
                    new TextSetColumn(
                        List.of(ParentColumns.NONE, ParentColumns.SOME), false, false),
                    new NumberSetColumn(new long[] {0, 15}, true),
                    new NumberSetColumn(new long[] {0, 7}, true),
                    new TextSetColumn(List.of("false", "true"), false, false))),
            new GroupLayout(
                    0,
                    3,
                    new boolean[] {true, true, true, false},
                    GroupLayout.clock(100, LAST),
                    7,
                    LAST,
                    2,
                    5)
                .withParent(new ParentColumns(3, 1.5, 1)));
    Object[] first = {5L, 100L, ParentColumns.SOME, 115L};
    int[] tokens = new int[6];
    codec.encode(first, null, true, GroupCodec.End.GOES_ON, tokens);
    assertArrayEquals(new int[] {0, 0, 1, 1, 2, 0}, tokens);
    SplittableRandom random = new SplittableRandom(1);
    assertEquals(115L, codec.decode(tokens, null, null, 0, 0, random)[3]);
    assertTrue(codec.isFirstWithin(1, tokens));
    int[] late = {0, 1, 1, 1, 2, 0};
    assertFalse(codec.isFirstWithin(1, late)); // 120 + 15 is after the last day
    assertEquals(LAST, codec.decode(late, null, null, 0, 0, random)[3]);
    int[] beyond = {0, 2, 1, 0, 2, 0};
    Object[] afterEnd = codec.decode(beyond, null, null, 0, 0, random);
    assertEquals(140L, afterEnd[3]);
    int[] next = {0, 2, 1, 2, 1, 1};
    assertEquals(140L, codec.decode(next, afterEnd, 140L, 0, 1, random)[3]);
  }
}
