package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
final class RelatedStructureTest {
  @Test
  void childrenOfAParentAreCountedWithThoseThatHaveNone() {
    TreeMap<Long, Long> real = new TreeMap<>(Map.of(0L, 50L, 1L, 30L, 4L, 20L));
    TreeMap<Long, Long> made = new TreeMap<>(Map.of(0L, 20L, 2L, 20L));
    RelatedStructure found =
        (RelatedStructure) RelatedStructure.of(new ChildCounts("t", real, made, 3, 2));
    assertFigure(found, "parents", 100, 40, Double.NaN);
    assertFigure(found, "rows of a parent, on average", 1.1, 1, 0.3);
    assertFigure(found, "parents without rows", 0.5, 0.5, Double.NaN);
    assertFigure(found, "rows of the parent with most", 4, 2, Double.NaN);
    assertFigure(found, "rows without their parent", 0, 3, Double.NaN);
    assertFigure(found, "parents with a key that another has", 0, 2, Double.NaN);
  }

  private static void assertFigure(
      RelatedStructure found, String name, double real, double synthetic, double distance) {
    GroupStructure.Figure figure =
        found.figures().stream().filter(f -> f.name().equals(name)).findFirst().orElseThrow();
    assertEquals(real, figure.real(), 1e-12, name);
    assertEquals(synthetic, figure.synthetic(), 1e-12, name);
    assertEquals(distance, figure.distance(), 1e-12, name);
  }
}
