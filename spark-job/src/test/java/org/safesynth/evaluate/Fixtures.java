package org.safesynth.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * Golden values of the field's Python libraries: sdmetrics 0.25.0, scipy 1.17.1, scikit-learn
 * 1.9.1. They lie beside the project, or where SAFESYNTH_FIXTURES says; without them a test is
 * skipped.
 */
final class Fixtures {
  private Fixtures() {}

  /** A file of the metrics' fixtures. */
  static Path metrics(String name) {
    String set = System.getProperty("SAFESYNTH_FIXTURES", System.getenv("SAFESYNTH_FIXTURES"));
    Path found = set == null ? null : Path.of(set, "metrics", name);
    for (Path folder = Path.of("").toAbsolutePath(); found == null && folder != null; ) {
      Path candidate = folder.resolve("shared/fixtures/metrics").resolve(name);
      found = Files.exists(candidate) ? candidate : null;
      folder = folder.getParent();
    }
    Assumptions.assumeTrue(
        found != null && Files.exists(found),
        "the fixtures are not here: set SAFESYNTH_FIXTURES to their folder");
    return found;
  }

  static JsonNode json(String name) throws IOException {
    return new ObjectMapper().readTree(Files.readString(metrics(name)));
  }
}
