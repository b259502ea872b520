package org.safesynth.build;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.config.ReferencePage;

@Tag("unit")
class ReferencePageTest {
  /** {@code -Dreference.write=true} writes the page anew. */
  @Test
  void thePageInConfIsWhatTheDeclarationsSay() throws IOException {
    Path page = ProjectFolder.resolve("conf/reference.yaml");
    if (Boolean.getBoolean("reference.write")) {
      Files.writeString(page, ReferencePage.text());
    }
    assertEquals(
        Files.readString(page),
        ReferencePage.text(),
        "run the test with -Dreference.write=true and commit conf/reference.yaml");
  }
}
