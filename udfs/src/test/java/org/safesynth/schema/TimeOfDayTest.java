package org.safesynth.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Times of day are ticks that go on over midnight and are written as a clock shows them. */
@Tag("unit")
final class TimeOfDayTest {
  private static ColumnSchema column(TimeOfDay way) {
    return new ColumnSchema(
        "t", "string", ColumnKind.INTEGER, false, 0, 0, way.pattern(), null, null, null, 0);
  }

  @Test
  void everyTimeOfADayIsReadAndWrittenBack() {
    for (TimeOfDay way : TimeOfDay.values()) {
      CellReader reader = CellReader.of(column(way), Set.of());
      CellWriter writer = CellWriter.of(column(way), true);
      for (long tick = 0; tick < way.ticksOfADay(); tick++) {
        String text = (String) writer.write(tick);
        assertEquals(way.pattern().length(), text.length());
        assertEquals(tick, reader.read(text));
        assertEquals(text, writer.write(tick + 3L * way.ticksOfADay()));
      }
    }
    assertEquals(86_399L, TimeOfDay.SECONDS.parse("23:59:59"));
    assertEquals("07:05", TimeOfDay.MINUTES.write(7 * 60 + 5));
  }

  @Test
  void otherTextsAreNoTimes() {
    for (String text :
        List.of("24:00", "07:60", "7:05", "07-05", "07:05:60", "0a:00", "", "07:0é")) {
      assertNull(TimeOfDay.of(text), text);
    }
    assertEquals(TimeOfDay.MINUTES, TimeOfDay.of("07:05"));
    assertEquals(TimeOfDay.SECONDS, TimeOfDay.of("07:05:09"));
    CellReader reader = CellReader.of(column(TimeOfDay.SECONDS), Set.of("-"));
    assertNull(reader.read("-"));
    assertThrows(CellReader.UnfitCellException.class, () -> reader.read("07:05"));
  }

  @Test
  void aTimeBeforeTheLastOneIsOfTheNextDay() {
    TimeOfDay way = TimeOfDay.MINUTES;
    assertEquals(1_430, way.notBefore(1_420, 1_430));
    assertEquals(1_430, way.notBefore(1_430, 1_430));
    assertEquals(1_445, way.notBefore(1_430, 5));
    assertEquals(2 * 1_440 + 4, way.notBefore(1_440 + 5, 4));
  }

  @Test
  void theSchemaFileKeepsThem() {
    FrozenSchema schema = new FrozenSchema(List.of(column(TimeOfDay.SECONDS)));
    assertEquals(schema, SchemaFile.readSchema(SchemaFile.write(schema), "schema.json"));
  }
}
