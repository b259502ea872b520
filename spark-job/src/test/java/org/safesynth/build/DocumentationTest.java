package org.safesynth.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.config.Availability;
import org.safesynth.config.ConfigReader;
import org.safesynth.config.SafeSynthesizerConfig;

/** Holds the documents and the ready configurations to what is there. */
@Tag("unit")
final class DocumentationTest {
  private static final Pattern LINK = Pattern.compile("\\[[^\\]]*\\]\\(([^)\\s]+)\\)");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.+)$");

  @Test
  void linksResolve() throws IOException {
    List<String> broken = new ArrayList<>();
    for (Path page : files("", ".md")) {
      Matcher matcher = LINK.matcher(Files.readString(page));
      while (matcher.find()) {
        String link = matcher.group(1);
        if (!link.matches("[a-z]+:.*") && !resolves(page, link)) {
          broken.add(ProjectFolder.root().relativize(page) + ": " + link);
        }
      }
    }
    assertEquals(List.of(), broken);
  }

  @Test
  void everyConfigurationIsValidInThisVersion() throws IOException {
    List<Path> configurations = files("conf", ".yaml");
    assertFalse(configurations.isEmpty());
    for (Path configuration : configurations) {
      SafeSynthesizerConfig config =
          ConfigReader.read(
              Files.readString(configuration), configuration.getFileName().toString(), Map.of());
      assertFalse(Availability.check(config).isEmpty(), configuration.toString());
    }
  }

  @Test
  void readmesTestCommandIsWhatContinuousIntegrationRuns() throws IOException {
    String readme = Files.readString(ProjectFolder.resolve("README.md"));
    String script = Files.readString(ProjectFolder.resolve(".ci/run"));
    assertTrue(readme.lines().anyMatch("mvn -B verify"::equals));
    assertTrue(script.lines().anyMatch("mvn -B verify"::equals));
  }

  @Test
  void packagedTableIsWhatItsNoteSays() throws IOException {
    List<String> lines;
    try (var stream =
        new GZIPInputStream(
            Files.newInputStream(ProjectFolder.resolve("conf/data/adult.csv.gz")))) {
      lines = new String(stream.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
    assertEquals(1 + 32_561, lines.size());
    assertEquals(Set.of(15), widths(lines));
    assertTrue(lines.get(0).startsWith("age,workclass,fnlwgt,"));
    assertEquals(0, lines.stream().filter(line -> line.contains("?")).count());
    long missing =
        lines.stream()
            .flatMap(line -> Stream.of(line.split(",", -1)))
            .filter(String::isEmpty)
            .count();
    assertEquals(1_836 + 1_843 + 583, missing);
  }

  private static Set<Integer> widths(List<String> lines) {
    return lines.stream().map(line -> line.split(",", -1).length).collect(Collectors.toSet());
  }

  private static boolean resolves(Path page, String link) throws IOException {
    String[] parts = link.split("#", 2);
    Path target = parts[0].isEmpty() ? page : page.resolveSibling(parts[0]).normalize();
    if (!Files.exists(target)) {
      return false;
    }
    return parts.length == 1 || anchors(target).contains(parts[1]);
  }

  /** Anchors of a page's headings as GitHub makes them. */
  private static Set<String> anchors(Path page) throws IOException {
    return HEADING
        .matcher(Files.readString(page))
        .results()
        .map(heading -> heading.group(1).toLowerCase(Locale.ROOT))
        .map(heading -> heading.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
        .collect(Collectors.toSet());
  }

  private static List<Path> files(String folder, String ending) throws IOException {
    try (Stream<Path> paths = Files.walk(ProjectFolder.resolve(folder))) {
      return paths
          .filter(path -> path.toString().endsWith(ending))
          .filter(path -> !path.toString().contains("/target/"))
          .filter(path -> !path.toString().contains("/safe-synthesizer-artifacts/"))
          .sorted()
          .toList();
    }
  }
}
