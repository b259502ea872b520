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
class DomainCodecTest {
  private static final ColumnSchema PRICE =
      new ColumnSchema(
          "price", "bigint", ColumnKind.INTEGER, true, 0, 0, null, -50L, 100_000L, null, 0);
  private static final ColumnSchema COLOUR =
      new ColumnSchema(
          "colour",
          "string",
          ColumnKind.CATEGORICAL,
          false,
          0,
          0,
          null,
          null,
          null,
          List.of("red", "blue"),
          0);
  private static final FrozenSchema SCHEMA = new FrozenSchema(List.of(PRICE, COLOUR));

  @Test
  void cellsOfAGridCoverTheRangeWithoutGaps() {
    long[][] ranges = {
      {0, 0}, {-3, 9}, {0, 99_999}, {-1_000_000, 5}, {100, 1_500_000}, {-7, 2_000_000_000_000L}
    };
    for (long[] range : ranges) {
      long[] lows = PublicGrid.lows(range[0], range[1]);
      assertEquals(range[0], lows[0]);
      for (int i = 1; i < lows.length; i++) {
        assertTrue(lows[i] > lows[i - 1]);
      }
      assertTrue(lows[lows.length - 1] <= range[1]);
      assertTrue(lows.length <= 2_000, "cells " + lows.length);
    }
  }

  @Test
  void everyValueOfTheRangeComesBackWithinItsBin() {
    FieldCodec codec = DomainCodec.binned(SCHEMA, null, 16);
    SplittableRandom random = new SplittableRandom(1);
    int[] tokens = new int[codec.positions()];
    int[] again = new int[codec.positions()];
    for (int i = 0; i < 2_000; i++) {
      Object[] cells = {random.nextLong(-50, 100_001), random.nextBoolean() ? "red" : "blue"};
      codec.encode(cells, tokens);
      Object[] decoded = codec.decode(tokens, i, random);
      long value = (Long) decoded[0];
      assertTrue(value >= -50 && value <= 100_000);
      assertEquals(cells[1], decoded[1]);
      codec.encode(decoded, again);
      assertArrayEquals(tokens, again);
    }
  }

  @Test
  void valuesOutsideTheDomainAreClampedOrBecomeOther() {
    FieldCodec codec = DomainCodec.binned(SCHEMA, null, 16);
    int[] outside = new int[2];
    int[] end = new int[2];
    codec.encode(new Object[] {Long.MAX_VALUE, "green"}, outside);
    codec.encode(new Object[] {100_000L, "red"}, end);
    assertEquals(end[0], outside[0]);
    assertEquals(2, outside[1]);
    assertFalse(codec.grammar().isWritable(1, 2), "other is never written");
  }

  @Test
  void aHeavyCellIsABinOfItsOwnAndBinsHoldAboutAlikeManyRecords() {
    FieldCodec fine = DomainCodec.fine(SCHEMA);
    double[][] counts = {new double[fine.vocabularySize(0)], {5, 5, 0}};
    int[] tokens = new int[2];
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; i < 10_000; i++) {
      long value = i % 2 == 0 ? 0 : (long) Math.exp(random.nextDouble(0, 11));
      fine.encode(new Object[] {value, "red"}, tokens);
      counts[0][tokens[0]]++;
    }
    FieldCodec codec = DomainCodec.binned(SCHEMA, counts, 20);
    double[][] sums = DomainCodec.inBins(SCHEMA, codec, counts);
    codec.encode(new Object[] {0L, "red"}, tokens);
    assertTrue(sums[0][tokens[0]] >= 5_000 && sums[0][tokens[0]] < 5_100);
    for (int bin = 0; bin < sums[0].length; bin++) {
      assertTrue(bin == tokens[0] || sums[0][bin] < 1_500, "bin " + bin + ": " + sums[0][bin]);
    }
    assertEquals(10_000, java.util.Arrays.stream(sums[0]).sum());
  }

  @Test
  void theCodecReadsItsOwnFile() {
    FieldCodec codec = DomainCodec.binned(SCHEMA, null, 16);
    FieldCodec read = FieldCodec.fromJson(codec.toJson(), "test");
    assertEquals(codec.vocabularySize(0), read.vocabularySize(0));
    assertEquals(codec.toJson(), read.toJson());
  }
}
