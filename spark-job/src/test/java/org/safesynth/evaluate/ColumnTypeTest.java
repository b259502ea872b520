package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
final class ColumnTypeTest {
  private static ColumnType numbers(Storage storage, double... values) {
    return ColumnType.of(FrameColumn.ofNumbers("x", storage, values));
  }

  private static ColumnType texts(String... values) {
    return ColumnType.of(FrameColumn.ofTexts("x", Storage.TEXT, values));
  }

  private static String[] repeated(int distinct, int rows, String prefix) {
    return IntStream.range(0, rows).mapToObj(i -> prefix + i % distinct).toArray(String[]::new);
  }

  @Test
  void numbersAreNumericOrCodes() {
    assertEquals(ColumnType.EMPTY, numbers(Storage.FLOAT, Double.NaN, Double.NaN));
    assertEquals(ColumnType.BINARY, numbers(Storage.FLOAT, 0, 1, Double.NaN));
    assertEquals(ColumnType.NUMERIC, numbers(Storage.FLOAT, 1, 2, 3, Double.NaN));
    assertEquals(ColumnType.CATEGORICAL, numbers(Storage.INTEGER, 1, 2, 3));
    assertEquals(ColumnType.NUMERIC, numbers(Storage.INTEGER, -1, 2, 3));
    double[] eleven = IntStream.range(0, 11).asDoubleStream().toArray();
    assertEquals(ColumnType.NUMERIC, numbers(Storage.INTEGER, eleven));
    assertEquals(ColumnType.CATEGORICAL, numbers(Storage.INTEGER, Arrays.copyOf(eleven, 10)));
    assertEquals(ColumnType.NUMERIC, numbers(Storage.DATE, 1, 2, 3));
  }

  @Test
  void textsAreCategoriesWhereTheyRepeat() {
    assertEquals(ColumnType.EMPTY, texts(null, null));
    assertEquals(ColumnType.CATEGORICAL, texts(repeated(10, 100, "v")));
    assertEquals(ColumnType.OTHER, texts(repeated(11, 100, "v")));
    assertEquals(ColumnType.CATEGORICAL, texts(repeated(15, 50, "v")));
    assertEquals(ColumnType.OTHER, texts(repeated(16, 50, "v")));
    assertEquals(ColumnType.TEXT, texts(repeated(100, 100, "a b c d")));
    assertEquals(ColumnType.OTHER, texts(repeated(100, 100, "a b c")));
  }
}
