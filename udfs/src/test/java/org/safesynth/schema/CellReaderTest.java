package org.safesynth.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigDecimal;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Cells that have to come back as they are. */
@Tag("unit")
final class CellReaderTest {
  private static CellReader reader(String type, int scale) {
    ColumnSchema column =
        new ColumnSchema("n", type, ColumnKind.DECIMAL, true, scale, 0, null, null, null, null, 0);
    return CellReader.of(column, Set.of("-"));
  }

  @Test
  void aGivenDecimalIsNotRounded() {
    CellReader reader = reader("decimal(4,2)", 2);
    assertEquals(710L, reader.readExact("7.100"));
    assertEquals(8_000L, reader.readExact(new BigDecimal("8E+1")));
    assertEquals(0L, reader.readExact("0.0000"));
    assertNull(reader.readExact("-"));
    assertEquals(713L, reader.read("7.125"));
    for (Object cell : new Object[] {"7.125", 7.125, new BigDecimal("7.125"), "many"}) {
      assertThrows(CellReader.UnfitCellException.class, () -> reader.readExact(cell));
    }
  }

  @Test
  void fractionsThatAreRoundedAnywayAreRead() {
    assertEquals(713L, reader("double", 2).readExact(7.125));
    assertEquals(713L, reader("decimal(38,18)", 2).readExact(new BigDecimal("7.125")));
  }
}
