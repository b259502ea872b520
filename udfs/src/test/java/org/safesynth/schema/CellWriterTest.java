package org.safesynth.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;

/** Numbers are written as they are, or not at all. */
@Tag("unit")
final class CellWriterTest {
  private static ColumnSchema whole(String type) {
    return new ColumnSchema("n", type, ColumnKind.INTEGER, false, 0, 0, null, null, null, null, 0);
  }

  private static ColumnSchema decimal(String type, int scale) {
    return new ColumnSchema(
        "n", type, ColumnKind.DECIMAL, false, scale, 0, null, null, null, null, 0);
  }

  private static Object written(ColumnSchema column, long tick) {
    return CellWriter.of(column, true).write(tick);
  }

  private static void refuses(ColumnSchema column, long tick, String expected) {
    BadInputException fault =
        assertThrows(BadInputException.class, () -> written(column, tick), column.type());
    assertTrue(fault.getMessage().contains(expected), fault.getMessage());
  }

  @Test
  void noNumberWrapsAround() {
    assertEquals((byte) -128, written(whole("tinyint"), -128));
    assertEquals((short) 32_767, written(whole("smallint"), 32_767));
    assertEquals(Integer.MAX_VALUE, written(whole("int"), Integer.MAX_VALUE));
    assertEquals(Long.MIN_VALUE, written(whole("bigint"), Long.MIN_VALUE));
    refuses(whole("tinyint"), 300, "column 'n': 300 does not fit its type tinyint");
    refuses(whole("smallint"), -32_769, "-32769 does not fit its type smallint");
    refuses(whole("int"), 1L << 31, "2147483648 does not fit its type int");
    refuses(decimal("tinyint", 1), 1_280, "128.0 does not fit its type tinyint");
    refuses(decimal("decimal(4,2)", 2), 15_000, "150.00 does not fit its type decimal(4,2)");
  }

  @Test
  void typesGrowToHoldGivenNumbers() {
    ColumnSchema narrow = whole("tinyint");
    assertSame(narrow, OutputType.holding(narrow, -128, 127));
    assertEquals("smallint", OutputType.holding(narrow, -129, 0).type());
    assertEquals("int", OutputType.holding(narrow, 0, 32_768).type());
    assertEquals("bigint", OutputType.holding(narrow, 0, 1L << 31).type());
    assertEquals("bigint", OutputType.holding(whole("int"), Long.MIN_VALUE, 0).type());
    assertEquals("double", OutputType.holding(decimal("double", 2), 0, 1L << 60).type());
    ColumnSchema price = decimal("decimal(4,2)", 2);
    assertSame(price, OutputType.holding(price, -9_999, 9_999));
    ColumnSchema wider = OutputType.holding(price, -15_000, 0);
    assertEquals("decimal(5,2)", wider.type());
    assertEquals(new BigDecimal("-150.00"), written(wider, -15_000));
  }

  @Test
  void aDecimalGrowsToItsThirtyEightDigits() {
    ColumnSchema fine = decimal("decimal(38,30)", 5);
    long greatest = OutputType.greatestTick(fine);
    assertEquals(9_999_999_999_999L, greatest);
    assertSame(fine, OutputType.holding(fine, -greatest, greatest));
    assertEquals(Long.MAX_VALUE, OutputType.greatestTick(decimal("decimal(4,2)", 2)));
    assertEquals(Long.MAX_VALUE, OutputType.greatestTick(whole("int")));
  }
}
