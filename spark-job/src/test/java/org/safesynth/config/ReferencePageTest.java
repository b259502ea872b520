package org.safesynth.config;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * conf/reference.yaml says what the declarations say; {@code mvn test -Dreference.write=true
 * -Dtest=ReferencePageTest} writes it anew.
 */
@Tag("unit")
final class ReferencePageTest {
  private static final Path PAGE = Path.of("..", "conf", "reference.yaml");

  @Test
  void committedPageIsWhatTheDeclarationsGive() throws IOException {
    if (Boolean.getBoolean("reference.write")) {
      Files.createDirectories(PAGE.getParent());
      Files.writeString(PAGE, ReferencePage.text());
    }
    assertEquals(ReferencePage.text(), Files.readString(PAGE).replace("\r\n", "\n"));
  }

  @Test
  void pageReadsAsTheDefaults() {
    SafeSynthesizerConfig read = ConfigReader.read(ReferencePage.text(), "page", Map.of());
    assertEquals(ConfigReader.defaults(), read.withExplicit(Set.of()));
  }

  @Test
  void partsInCommentsReadOnceUncommented() {
    String page = ReferencePage.text();
    String off = page.substring(page.indexOf("# replace_pii:"), page.indexOf("\ncluster:"));
    String uncommented = Pattern.compile("(?m)^# ").matcher(off).replaceAll("");
    String upToNext = uncommented.substring(0, uncommented.lastIndexOf("\n\n"));
    SafeSynthesizerConfig read = ConfigReader.read(upToNext, "page", Map.of());
    assertEquals(
        ConfigReader.read("replace_pii: {}", "empty", Map.of()).replacePii(), read.replacePii());
  }
}
