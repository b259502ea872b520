package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.Arrays;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.schema.ColumnProfile;

@Tag("unit")
final class FirstRowsTest {
  private static ColumnProfile profile(long[]... values) {
    TreeMap<Long, Long> counts = new TreeMap<>();
    long rows = 0;
    for (long[] some : values) {
      Arrays.stream(some).forEach(value -> counts.merge(value, 1L, Long::sum));
      rows += some.length;
    }
    long[] ticks = counts.keySet().stream().mapToLong(Long::longValue).toArray();
    long[] records = counts.values().stream().mapToLong(Long::longValue).toArray();
    long[] none = {};
    return new ColumnProfile(
        rows,
        0,
        ticks.length,
        true,
        ticks,
        new String[0],
        records,
        none,
        none,
        ticks,
        records,
        ticks,
        records);
  }

  private static long[] range(long from, long to) {
    return LongStream.range(from, to).toArray();
  }

  @Test
  void theBorderIsTheLeastTickOfTheUpperSide() {
    long[] first = range(5_000, 5_100);
    assertEquals(5_000, FirstRows.border(first, profile(range(0, 2_000), first), 100, 20));
    long[] low = range(0, 100);
    assertEquals(700, FirstRows.border(low, profile(low, range(700, 2_000)), 100, 20));
  }

  @Test
  void aFewThatCrossItDoNotMatter() {
    long[] first = range(5_000, 5_100);
    long[] others = LongStream.concat(LongStream.range(0, 2_000), LongStream.of(5_050)).toArray();
    assertEquals(5_000, FirstRows.border(first, profile(others, first), 100, 20));
  }

  @Test
  void rowsOfOneKindHaveNoBorder() {
    long[] first = range(500, 600);
    assertNull(FirstRows.border(first, profile(range(0, 1_000), first), 100, 20));
    long[] few = range(5_000, 5_019);
    assertNull(FirstRows.border(few, profile(range(0, 1_000), few), 19, 20));
    assertNull(FirstRows.border(first, profile(first), 100, 20));
  }
}
