package org.safesynth.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.RunFailedException;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnProfile;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.TableProfile;

@Tag("unit")
class FieldCodecTest {
  private static final Protection ON = new Protection(true, 5, 99);

  /** A column's profile counted in memory, as the passes over a table count it. */
  static ColumnProfile profile(List<?> cells) {
    TreeMap<Long, Long> ticks = new TreeMap<>();
    TreeMap<String, Long> texts = new TreeMap<>();
    long missing = 0;
    for (Object cell : cells) {
      if (cell == null) {
        missing++;
      } else if (cell instanceof Long tick) {
        ticks.merge(tick, 1L, Long::sum);
      } else {
        texts.merge((String) cell, 1L, Long::sum);
      }
    }
    long[] sorted = ticks.keySet().stream().mapToLong(x -> x).toArray();
    long[] counts =
        (ticks.isEmpty() ? texts.values() : ticks.values()).stream().mapToLong(x -> x).toArray();
    int ends = Math.min(512, sorted.length);
    int from = sorted.length - ends;
    return new ColumnProfile(
        cells.size(),
        missing,
        counts.length,
        true,
        sorted,
        texts.keySet().toArray(new String[0]),
        counts,
        new long[0],
        new long[0],
        Arrays.copyOf(sorted, ends),
        sorted.length == 0 ? new long[0] : Arrays.copyOf(counts, ends),
        Arrays.copyOfRange(sorted, from, sorted.length),
        sorted.length == 0 ? new long[0] : Arrays.copyOfRange(counts, from, counts.length));
  }

  static ColumnSchema column(String name, ColumnKind kind, boolean missing) {
    return new ColumnSchema(name, "string", kind, missing, 0, 0, null, null, null, null, 0);
  }

  static FieldCodec fit(ColumnKind kind, Protection protection, List<?> cells) {
    FrozenSchema schema =
        new FrozenSchema(List.of(column("c", kind, cells.stream().anyMatch(Objects::isNull))));
    return FieldCodec.fit(
        schema, new TableProfile(cells.size(), List.of(profile(cells))), protection);
  }

  private static Object through(FieldCodec codec, Object cell, RandomGenerator random) {
    int[] tokens = new int[codec.positions()];
    codec.encode(new Object[] {cell}, tokens);
    for (int t = 0; t < tokens.length; t++) {
      assertTrue(tokens[t] >= 0 && tokens[t] < codec.vocabularySize(t));
    }
    return codec.decode(tokens, 0, random)[0];
  }

  @Property(tries = 200)
  void anyCategoryComesBack(@ForAll @Size(min = 1, max = 300) List<String> cells) {
    FieldCodec codec = fit(ColumnKind.CATEGORICAL, Protection.OFF, cells);
    for (String cell : cells) {
      assertEquals(cell, through(codec, cell, new SplittableRandom(1)));
    }
  }

  @Property(tries = 100)
  void anyNumberComesBackInItsOwnCell(
      @ForAll @Size(min = 1, max = 400) List<Long> cells, @ForAll long seed) {
    List<Long> bounded = cells.stream().map(x -> x >> 3).toList();
    FieldCodec codec = fit(ColumnKind.INTEGER, Protection.OFF, bounded);
    long least = Collections.min(bounded);
    long greatest = Collections.max(bounded);
    RandomGenerator random = new SplittableRandom(seed);
    int[] tokens = new int[codec.positions()];
    int[] again = new int[codec.positions()];
    for (Long cell : bounded) {
      codec.encode(new Object[] {cell}, tokens);
      Object back = codec.decode(tokens, 0, random)[0];
      codec.encode(new Object[] {back}, again);
      assertArrayEquals(tokens, again);
      assertTrue((Long) back >= least && (Long) back <= greatest);
    }
  }

  @Test
  void anIntervalWidenedToASpikeIsNotReadAsTheSpike() {
    TickPartition bins = new TickPartition(new long[] {0}, new long[] {100}, new boolean[] {false});
    TickPartition leaves =
        new TickPartition(
            new long[] {0, 5, 5}, new long[] {3, 5, 9}, new boolean[] {false, true, false});
    double[] shares = new double[NumberFit.decimalLadder().length];
    shares[1] = 1; // every number ends in 5, as only the spike does
    RoundSteps rounding = new RoundSteps(NumberFit.decimalLadder(), shares);
    BinnedNumberColumn column =
        new BinnedNumberColumn(bins, List.of(leaves), List.of(rounding), null, null, false);
    Set<Object> read = new HashSet<>();
    for (int i = 0; i < 200; i++) {
      read.add(column.decode(new int[] {0, 2}, 0, i, new SplittableRandom(i)));
    }
    assertEquals(Set.of(6L, 7L, 8L, 9L), read);
  }

  @Test
  void twoSidesOfABorderShareNoBin() {
    List<Long> cells = new ArrayList<>();
    for (long i = 0; i < 5_000; i++) {
      cells.add(i * i % 3_001);
    }
    for (long i = 0; i < 60; i++) {
      cells.add(3_100 + 7 * i);
    }
    FrozenSchema schema = new FrozenSchema(List.of(column("c", ColumnKind.INTEGER, false)));
    TableProfile profile = new TableProfile(cells.size(), List.of(profile(cells)));
    FieldCodec codec = FieldCodec.fit(schema, profile, Protection.OFF, Map.of(0, 3_100L));
    Set<Integer> lower = new HashSet<>();
    Set<Integer> upper = new HashSet<>();
    for (Long cell : cells) {
      int[] tokens = new int[codec.positions()];
      codec.encode(new Object[] {cell}, tokens);
      (cell < 3_100 ? lower : upper).add(tokens[0]);
      long back = (Long) codec.decode(tokens, 0, new SplittableRandom(cell))[0];
      assertEquals(cell < 3_100, back < 3_100 - 50);
    }
    assertTrue(Collections.disjoint(lower, upper), lower + " and " + upper);
    assertTrue(lower.size() > 20 && !upper.isEmpty());
  }

  @Property(tries = 100)
  void fewNumbersAndMissingOnesComeBackExactly(@ForAll @Size(min = 1, max = 300) List<Byte> cells) {
    List<Long> narrow = new ArrayList<>();
    cells.forEach(x -> narrow.add(x % 10 == 3 ? null : (long) (x % 10)));
    FieldCodec codec = fit(ColumnKind.INTEGER, Protection.OFF, narrow);
    for (Long cell : narrow) {
      assertEquals(cell, through(codec, cell, new SplittableRandom(1)));
    }
  }

  @Property(tries = 100)
  void anyValidTokensAreAValidRecord(@ForAll @Size(min = 1, max = 200) List<Long> cells) {
    List<Long> bounded = cells.stream().map(x -> x >> 3).toList();
    FieldCodec codec = fit(ColumnKind.INTEGER, ON, bounded);
    RandomGenerator random = new SplittableRandom(4);
    for (int i = 0; i < 100; i++) {
      int[] tokens = new int[codec.positions()];
      for (int t = 0; t < tokens.length; t++) {
        tokens[t] = random.nextInt(codec.vocabularySize(t));
      }
      Long value = (Long) codec.decode(tokens, i, random)[0];
      assertTrue(value >= Collections.min(bounded) && value <= Collections.max(bounded));
    }
  }

  @Test
  void spikesStaySpikesAndOthersDoNotHitThem() {
    List<Long> cells = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; i < 20_000; i++) {
      cells.add(i % 10 < 9 ? 0L : 1 + random.nextLong(50_000));
    }
    FieldCodec codec = fit(ColumnKind.INTEGER, ON, cells);
    int zeros = 0;
    for (Long cell : cells) {
      long back = (Long) through(codec, cell, random);
      assertEquals(cell == 0, back == 0);
      zeros += back == 0 ? 1 : 0;
    }
    assertEquals(18_000, zeros);
  }

  @Test
  void roundNumbersStayRound() {
    List<Long> cells = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; i < 20_000; i++) {
      cells.add(50 * random.nextLong(10_000));
    }
    FieldCodec codec = fit(ColumnKind.INTEGER, ON, cells);
    for (Long cell : cells) {
      assertEquals(0, (Long) through(codec, cell, random) % 50);
    }
  }

  @Test
  void aHeavyTailKeepsItsMeanAndEndsAtTheProtectedEnd() {
    List<Long> cells = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; i < 40_000; i++) {
      cells.add((long) (1_000 * Math.pow(random.nextDouble(), -0.4)));
    }
    FieldCodec codec = fit(ColumnKind.INTEGER, ON, cells);
    List<Long> back = new ArrayList<>();
    for (Long cell : cells) {
      back.add((Long) through(codec, cell, random));
    }
    Collections.sort(cells);
    Collections.sort(back);
    int n = cells.size();
    assertTrue(back.get(n - 1) <= cells.get(n - 5));
    for (int rank : new int[] {n / 2, n - 400, n - 40}) {
      assertEquals(cells.get(rank), back.get(rank), 0.1 * cells.get(rank));
    }
  }

  @Test
  void rareCategoriesAreLearnedButNeverWritten() {
    List<String> cells = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      cells.add(i < 996 ? "common" + i % 4 : "rare");
    }
    FieldCodec codec = fit(ColumnKind.CATEGORICAL, ON, cells);
    int[] tokens = new int[1];
    codec.encode(new Object[] {"rare"}, tokens);
    assertFalse(codec.grammar().isWritable(0, tokens[0]));
    assertFalse(codec.toJson().contains("rare\","));
    assertNull(codec.decode(tokens, 0, new SplittableRandom(1))[0]);
    codec.encode(new Object[] {"common1"}, tokens);
    assertTrue(codec.grammar().isWritable(0, tokens[0]));
  }

  @Test
  void extremeNumbersArePulledIn() {
    List<Long> cells = new ArrayList<>();
    for (long i = 0; i < 10_000; i++) {
      cells.add(i * 7 % 10_007);
    }
    FieldCodec codec = fit(ColumnKind.INTEGER, ON, cells);
    List<Long> sorted = cells.stream().sorted().toList();
    SplittableRandom random = new SplittableRandom(3);
    for (int i = 0; i < 1_000; i++) {
      assertTrue((Long) through(codec, sorted.get(0), random) >= sorted.get(4));
      assertTrue((Long) through(codec, sorted.get(9_999), random) <= sorted.get(9_995));
    }
  }

  @Test
  void aHundredThousandCategoriesTakeTwoSmallVocabularies() {
    List<String> cells = new ArrayList<>();
    for (int i = 0; i < 100_000; i++) {
      cells.add("value " + i);
    }
    FieldCodec codec = fit(ColumnKind.CATEGORICAL, Protection.OFF, cells);
    assertEquals(2, codec.positions());
    assertTrue(codec.vocabularySize(0) <= 1_000 && codec.vocabularySize(1) <= 1_000);
    for (int i = 0; i < 100_000; i += 997) {
      assertEquals(cells.get(i), through(codec, cells.get(i), new SplittableRandom(1)));
    }
  }

  @Test
  void freshIdentifiersAreDistinctOfTheSameFormAndNeverReal() {
    SplittableRandom random = new SplittableRandom(8);
    Set<String> real = new TreeSet<>();
    while (real.size() < 2_000) {
      real.add(String.format("CUST-%08x-%c", random.nextInt(), 'A' + random.nextInt(26)));
    }
    FieldCodec codec = fit(ColumnKind.IDENTIFIER, ON, List.copyOf(real));
    Set<Object> fresh = new HashSet<>();
    for (int i = 0; i < 5_000; i++) {
      String value = (String) codec.decode(new int[] {0}, i, random)[0];
      assertTrue(value.matches("CUST-[0-9a-f]{8}-[A-Z].*"), value);
      assertFalse(real.contains(value));
      assertTrue(fresh.add(value));
    }
  }

  @Test
  void crowdedIdentifiersGrowLongerThanAnyRealOne() {
    List<String> real = IntStream.range(0, 900).mapToObj(i -> String.format("K%03d", i)).toList();
    FieldCodec codec = fit(ColumnKind.IDENTIFIER, ON, real);
    Set<Object> fresh = new HashSet<>();
    for (int i = 0; i < 5_000; i++) {
      String value = (String) codec.decode(new int[] {0}, i, new SplittableRandom(1))[0];
      assertTrue(value.startsWith("K") && value.length() > 4, value);
      assertTrue(fresh.add(value));
    }
  }

  @Test
  void numericIdentifiersContinueAfterTheLast() {
    List<Long> real = IntStream.range(1, 500).mapToObj(i -> (long) i).toList();
    FieldCodec codec = fit(ColumnKind.IDENTIFIER, ON, real);
    assertEquals(500L, codec.decode(new int[] {0}, 0, new SplittableRandom(1))[0]);
    assertEquals(507L, codec.decode(new int[] {0}, 7, new SplittableRandom(1))[0]);
  }

  @Test
  void commonTextsComeBackThroughTheirPieces() {
    List<String> cells = new ArrayList<>();
    for (int i = 0; i < 4_000; i++) {
      cells.add(List.of("north", "south").get(i % 2) + " street " + i % 90);
    }
    FieldCodec codec = fit(ColumnKind.TEXT, ON, cells);
    for (int i = 0; i < 300; i++) {
      assertEquals(cells.get(i), through(codec, cells.get(i), new SplittableRandom(1)));
    }
    int[] tokens = new int[codec.positions()];
    codec.encode(new Object[] {"\u2603\u2603"}, tokens);
    assertFalse(codec.grammar().isWritable(0, tokens[0]));
    assertEquals("", codec.decode(tokens, 0, new SplittableRandom(1))[0]);
  }

  @Test
  void anEmptyTextAndAMissingOneAreTwoThings() {
    List<String> cells = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      cells.add(i % 3 == 0 ? null : i % 3 == 1 ? "" : "text");
    }
    FieldCodec codec = fit(ColumnKind.TEXT, ON, cells);
    for (String cell : cells) {
      assertEquals(cell, through(codec, cell, new SplittableRandom(1)));
    }
  }

  @Test
  void textsThatDoNotFitAreCounted() {
    List<String> cells = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      char letter = (char) ('a' + i % 26);
      cells.add(i % 10 == 0 ? (letter + "!" + i + " ").repeat(40) : letter + "?");
    }
    FrozenSchema schema = new FrozenSchema(List.of(column("c", ColumnKind.TEXT, false)));
    TableProfile profile = new TableProfile(cells.size(), List.of(profile(cells)));

    List<CutText> cut = FieldCodec.fit(schema, profile, ON).cutTexts(schema, profile);

    assertEquals(1, cut.size());
    assertEquals(0.1, cut.get(0).share(), 1e-9);
  }

  @Test
  void afterATextsEndOnlyTheEndIsAllowed() {
    List<String> cells = Collections.nCopies(100, "abcabc");
    FieldCodec codec = fit(ColumnKind.TEXT, Protection.OFF, cells);
    for (int t = 1; t < codec.positions(); t++) {
      assertEquals(1, codec.grammar().limits(t)[0]);
    }
  }

  @Test
  void edgeColumnsHaveACodec() {
    assertEquals(null, through(fit(ColumnKind.CATEGORICAL, ON, nulls(5)), null, null));
    assertEquals(7L, through(fit(ColumnKind.INTEGER, ON, List.of(7L)), 7L, null));
    assertEquals(7L, through(fit(ColumnKind.INTEGER, ON, Collections.nCopies(9, 7L)), 7L, null));
    assertEquals(
        "x", through(fit(ColumnKind.CATEGORICAL, ON, Collections.nCopies(9, "x")), "x", null));
    assertEquals(1, fit(ColumnKind.DATE, ON, List.of(1L, 2L, 3L)).positions());
  }

  private static List<String> nulls(int count) {
    return new ArrayList<>(Collections.nCopies(count, null));
  }

  @Test
  void aCodecComesBackFromJson() {
    List<Long> numbers = new ArrayList<>();
    List<String> names = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; i < 20_000; i++) {
      numbers.add(i % 50 == 0 ? null : (long) (1_000 / (0.01 + random.nextDouble())));
      names.add("name" + random.nextInt(2_000));
    }
    FrozenSchema schema =
        new FrozenSchema(
            List.of(
                column("n", ColumnKind.INTEGER, true),
                column("t", ColumnKind.CATEGORICAL, false),
                column("i", ColumnKind.IDENTIFIER, false),
                column("f", ColumnKind.TEXT, false)));
    TableProfile profile =
        new TableProfile(
            20_000, List.of(profile(numbers), profile(names), profile(names), profile(names)));
    FieldCodec codec = FieldCodec.fit(schema, profile, ON);
    FieldCodec back = FieldCodec.fromJson(codec.toJson(), "encoding.json");
    assertEquals(codec.toJson(), back.toJson());
    int[] tokens = new int[codec.positions()];
    int[] again = new int[codec.positions()];
    for (int i = 0; i < 2_000; i++) {
      Object[] cells = {numbers.get(i), names.get(i), names.get(i), names.get(i)};
      codec.encode(cells, tokens);
      back.encode(cells, again);
      assertArrayEquals(tokens, again);
      assertArrayEquals(
          codec.decode(tokens, i, new SplittableRandom(i)),
          back.decode(tokens, i, new SplittableRandom(i)));
    }
  }

  @Test
  void aDamagedEncodingIsRefused() {
    String json = fit(ColumnKind.INTEGER, ON, List.of(1L, 2L)).toJson();
    RunFailedException fault =
        assertThrows(
            RunFailedException.class,
            () -> FieldCodec.fromJson(json.substring(0, json.length() / 2), "encoding.json"));
    assertEquals(
        "encoding.json: the encoding is corrupt or truncated; train again or restore the file",
        fault.getMessage());
  }

  @Test
  void protectionIsCountedColumnByColumn() {
    List<Long> numbers = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      numbers.add((long) i);
      names.add(i < 2 ? "rare" : "common");
    }
    FrozenSchema schema =
        new FrozenSchema(
            List.of(
                column("number", ColumnKind.INTEGER, false),
                column("name", ColumnKind.CATEGORICAL, false)));
    TableProfile profile = new TableProfile(1_000, List.of(profile(numbers), profile(names)));
    List<ProtectionCount> counts = FieldCodec.protectionCounts(schema, profile, ON);
    int pulled = ON.threshold("number") - 1;
    assertEquals(new ProtectionCount("number", 0, 0, pulled, pulled, false), counts.get(0));
    assertEquals(new ProtectionCount("name", 1, 2, 0, 0, false), counts.get(1));
  }

  @Test
  void thresholdsAreKeyedAndBetweenFiveAndSeven() {
    Set<Integer> seen = new TreeSet<>();
    for (int i = 0; i < 100; i++) {
      seen.add(ON.threshold("column " + i));
    }
    assertEquals(Set.of(5, 6, 7), seen);
    assertNotEquals(
        IntStream.range(0, 50).map(i -> ON.threshold("c" + i)).boxed().toList(),
        IntStream.range(0, 50)
            .map(i -> new Protection(true, 5, 1).threshold("c" + i))
            .boxed()
            .toList());
  }
}
