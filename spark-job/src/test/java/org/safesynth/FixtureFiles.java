package org.safesynth;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import org.junit.jupiter.api.Assumptions;

/**
 * Finds the reference values that tests compare with; a test that needs missing ones is skipped.
 */
public final class FixtureFiles {
  private FixtureFiles() {}

  /** A file or folder of the fixtures. */
  public static Path path(String name) {
    String set = System.getProperty("SAFESYNTH_FIXTURES", System.getenv("SAFESYNTH_FIXTURES"));
    if (set != null) {
      return found(Paths.get(set), name);
    }
    for (Path up = Paths.get("").toAbsolutePath(); up != null; up = up.getParent()) {
      Path fixtures = up.resolve("shared/fixtures");
      if (Files.isDirectory(fixtures)) {
        return found(fixtures, name);
      }
    }
    return Assumptions.abort("no fixtures: set SAFESYNTH_FIXTURES to their folder");
  }

  private static Path found(Path fixtures, String name) {
    Path path = fixtures.resolve(name);
    Assumptions.assumeTrue(Files.exists(path), "the fixtures have no " + name);
    return path;
  }
}
