package org.safesynth.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

@Tag("unit")
final class RoundnessTest {
  /** Tenths, prices, and numbers of which a public grid tells each apart. */
  private static final FrozenSchema SCHEMA =
      new FrozenSchema(
          List.of(
              number("degrees", ColumnKind.DECIMAL, -200, 9_999),
              number("age", ColumnKind.INTEGER, 0, 120),
              number("price", ColumnKind.INTEGER, 0, 99_999)));

  private static ColumnSchema number(String name, ColumnKind kind, long min, long max) {
    boolean isDecimal = kind == ColumnKind.DECIMAL;
    return new ColumnSchema(
        name,
        isDecimal ? "double" : "int",
        kind,
        true,
        isDecimal ? 1 : 0,
        0,
        null,
        min,
        max,
        null,
        0);
  }

  private static double[][] counts(Roundness roundness, long[] degrees, long[] prices) {
    double[][] counts = new double[roundness.positions()][];
    for (int t = 0; t < counts.length; t++) {
      counts[t] = new double[roundness.vocabularySize(t)];
    }
    int[] tokens = new int[roundness.positions()];
    for (int i = 0; i < degrees.length; i++) {
      roundness.encode(new Object[] {degrees[i], 30L, i == 0 ? null : prices[i]}, tokens);
      for (int t = 0; t < tokens.length; t++) {
        counts[t][tokens[t]]++;
      }
    }
    return counts;
  }

  @Test
  void onlyWideCellsAreLookedAt() {
    Roundness roundness = new Roundness(SCHEMA);
    assertEquals(2, roundness.positions());
    int[] tokens = new int[2];
    roundness.encode(new Object[] {null, null, Long.MAX_VALUE}, tokens);
    int[] ofRange = new int[2];
    roundness.encode(new Object[] {null, 3L, 99_999L}, ofRange);
    assertArrayEquals(ofRange, tokens, "what lies outside the range counts as its end");
    assertEquals(roundness.vocabularySize(0) - 1, tokens[0]);
    for (int t = 0; t < tokens.length; t++) {
      assertTrue(tokens[t] >= 0 && tokens[t] < roundness.vocabularySize(t));
    }
  }

  @Test
  void sizesAreNumbersOfDigits() {
    assertEquals(0, Roundness.size(0));
    assertEquals(1, Roundness.size(-9));
    assertEquals(2, Roundness.size(10));
    assertEquals(19, Roundness.size(Long.MIN_VALUE));
  }

  /** Whole degrees, but for one in ten; prices below 1,000 as they come, larger ones in fifties. */
  @Test
  void numbersAreWrittenAsRoundAsTheyAre() {
    SplittableRandom random = new SplittableRandom(1);
    int records = 20_000;
    long[] degrees =
        random.longs(records, 0, 1_000).map(d -> d % 10 == 0 ? d : 10 * (d % 900)).toArray();
    for (int i = 0; i < records; i += 10) {
      degrees[i] = random.nextLong(0, 999) * 10 + 3;
    }
    long[] prices =
        LongStream.range(0, records)
            .map(i -> i % 2 == 0 ? random.nextLong(100, 1_000) : 50 * random.nextLong(100, 1_900))
            .toArray();
    Roundness roundness = new Roundness(SCHEMA);
    double[][] rounds = counts(roundness, degrees, prices);
    FieldCodec codec = DomainCodec.binned(SCHEMA, null, 32, roundness, rounds, 1);
    int[] tokens = new int[codec.positions()];
    int whole = 0;
    int inFifties = 0;
    int large = 0;
    int small = 0;
    int smallInTens = 0;
    for (int i = 0; i < records; i++) {
      codec.encode(new Object[] {degrees[i], 30L, prices[i]}, tokens);
      Object[] read = codec.decode(tokens, i, random);
      whole += (Long) read[0] > 500 && (Long) read[0] % 10 == 0 ? 1 : 0;
      if ((Long) read[2] >= 10_000) {
        large++;
        inFifties += (Long) read[2] % 50 == 0 ? 1 : 0;
      } else if ((Long) read[2] < 900) {
        small++;
        smallInTens += (Long) read[2] % 10 == 0 ? 1 : 0;
      }
    }
    long wholeDegrees =
        java.util.Arrays.stream(degrees).filter(d -> d > 500 && d % 10 == 0).count();
    assertEquals(wholeDegrees, whole, 0.05 * records);
    assertTrue(large > 5_000 && inFifties > 0.99 * large, inFifties + " of " + large);
    assertTrue(small > 5_000 && smallInTens < 0.15 * small, smallInTens + " of " + small);
  }

  @Test
  void fewRecordsAmongNoiseTellNothing() {
    Roundness roundness = new Roundness(SCHEMA);
    double[][] rounds = counts(roundness, new long[100], new long[100]);
    assertNull(roundness.of(3, rounds, 5).get(0));
    assertNull(roundness.of(3, null, 0).get(2));
    assertEquals(6, roundness.of(3, rounds, 1).get(2).size());
  }

  @Test
  void theCodecReadsItsOwnFile() {
    Roundness roundness = new Roundness(SCHEMA);
    double[][] rounds = counts(roundness, new long[] {10, 20, 35}, new long[] {5, 50, 7});
    FieldCodec codec = DomainCodec.binned(SCHEMA, null, 16, roundness, rounds, 0);
    FieldCodec read = FieldCodec.fromJson(codec.toJson(), "test");
    assertEquals(codec.toJson(), read.toJson());
    assertTrue(codec.toJson().contains("rounding"));
  }
}
