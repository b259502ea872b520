package org.safesynth.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.LocalDateTime;
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
  void fractionsThatAColumnRoundsAreKept() {
    assertEquals(713L, reader("double", 2).read(7.125));
    assertEquals(new KeptCell(713L, 7.125), reader("double", 2).readExact("7.125"));
    assertEquals(new KeptCell(713L, 7.125f), reader("float", 2).readExact(7.125f));
    assertEquals(712L, reader("double", 2).readExact("7.120"));
    BigDecimal finer = new BigDecimal("7.125");
    assertEquals(new KeptCell(713L, finer), reader("decimal(38,18)", 2).readExact(finer));
    assertThrows(
        CellReader.UnfitCellException.class, () -> reader("decimal(20,4)", 2).readExact("7.12345"));
  }

  private static CellReader times(String type, ColumnKind kind, long resolution, String format) {
    ColumnSchema column =
        new ColumnSchema("t", type, kind, true, 0, resolution, format, null, null, null, 0);
    return CellReader.of(column, Set.of());
  }

  @Test
  void timesFinerThanTheirColumnAreKept() {
    long hour = 3_600_000_000L;
    LocalDateTime time = LocalDateTime.of(1970, 1, 1, 2, 30);
    CellReader reader = times("timestamp_ntz", ColumnKind.TIMESTAMP, hour, null);
    assertEquals(2L, reader.readExact("1970-01-01 02:00:00"));
    assertEquals(new KeptCell(2L, hour * 5 / 2), reader.readExact("1970-01-01T02:30"));
    assertEquals(new KeptCell(2L, hour * 5 / 2), reader.readExact(time));
    ColumnSchema column =
        new ColumnSchema(
            "t", "timestamp_ntz", ColumnKind.TIMESTAMP, true, 0, hour, null, null, null, null, 0);
    assertEquals(time, CellWriter.of(column, true).write(reader.readExact(time)));
    assertThrows(
        CellReader.UnfitCellException.class, () -> reader.readExact("1970-01-01 02:00:00.0000001"));
    assertEquals(2L, reader.readExact("1970-01-01 02:00:00.0000000"));
    CellReader days = times("date", ColumnKind.DATE, 0, null);
    assertThrows(CellReader.UnfitCellException.class, () -> days.readExact("1970-01-01 00:00:00"));
  }

  @Test
  void textsOfAnotherLookAreKept() {
    CellReader days = times("string", ColumnKind.DATE, 0, "%d-%b-%Y");
    assertEquals(9L, days.readExact("10-Jan-1970"));
    assertEquals(new KeptCell(9L, "10-JAN-1970"), days.readExact("10-JAN-1970"));
    assertEquals(9L, days.readExact(LocalDate.of(1970, 1, 10)));
    CellReader times = times("string", ColumnKind.TIMESTAMP, 1_000_000, "%Y-%m-%d %H:%M:%S%z");
    assertEquals(
        new KeptCell(0L, "1970-01-01 02:00:00+02:00"),
        times.readExact("1970-01-01 02:00:00+02:00"));
  }
}
