package org.safesynth.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;

@Tag("unit")
final class TypeSketchTest {
  private static TypeSketch sketch(Object cell, CellType type) {
    TypeSketch sketch = new TypeSketch(true, Set.of(), 10, 1).reading("%Y%m%d%H%M%S");
    sketch.add(cell, type);
    return sketch;
  }

  @Test
  void timesWhoseDigitsAreNumbersTellTheirResolution() {
    assertEquals(Resolution.MINUTE, sketch(20_240_115_133_000L, CellType.LONG).resolution);
    assertEquals(Resolution.SECOND, sketch(20_240_115_133_001L, CellType.LONG).resolution);
    assertEquals(Resolution.DAY, sketch(20_240_115_000_000L, CellType.LONG).resolution);
    assertEquals(Resolution.MINUTE, sketch("20240115133000", CellType.TEXT).resolution);
  }

  @Test
  void aTimeThatIsNoNumberHasNoTypeOfNumbers() {
    DeclaredColumn declared =
        SchemaFile.read(
                "{\"columns\": [{\"name\": \"d\", \"format\": \"%d/%m/%Y\", \"type\": \"int\"}]}",
                "types.json")
            .get("d");
    ColumnSchema inferred =
        new ColumnSchema(
            "d", "string", ColumnKind.CATEGORICAL, false, 0, 0, null, null, null, null, 10);
    BadInputException e =
        assertThrows(BadInputException.class, () -> SchemaFile.apply(declared, inferred, null));
    assertTrue(e.getMessage().contains("no number"), e.getMessage());
  }

  @Test
  void codesOfTimesOfDayAreTheirPatterns() {
    for (String[] pair : new String[][] {{"%H:%M", "HH:mm"}, {"%T", "HH:mm:ss"}}) {
      String json =
          "{\"columns\": [{\"name\": \"t\", \"kind\": \"integer\", \"type\": \"string\", \"format\": \"%s\"}]}"
              .formatted(pair[0]);
      assertEquals(pair[1], SchemaFile.read(json, "types.json").get("t").format());
    }
  }
}
