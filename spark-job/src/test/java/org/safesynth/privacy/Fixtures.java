package org.safesynth.privacy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** Reference values that other libraries computed; they lie beside the project, not in it. */
final class Fixtures {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Fixtures() {}

  /** A file of {@code fixtures/privacy}; skips the test where there is none. */
  static JsonNode read(String name) throws IOException {
    Path file = folder().resolve("privacy").resolve(name);
    Assumptions.assumeTrue(
        Files.exists(file), "no " + file + ": set SAFESYNTH_FIXTURES to the folder of fixtures");
    return JSON.readTree(file.toFile());
  }

  private static Path folder() {
    String named = System.getProperty("SAFESYNTH_FIXTURES", System.getenv("SAFESYNTH_FIXTURES"));
    if (named != null) {
      return Path.of(named);
    }
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path shared = at.resolve("shared/fixtures");
      if (Files.isDirectory(shared)) {
        return shared;
      }
    }
    return Path.of("../shared/fixtures").toAbsolutePath().normalize();
  }
}
