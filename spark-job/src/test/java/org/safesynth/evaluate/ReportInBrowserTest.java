package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page in a browser, where there is one: it draws, without an error and without a request. */
@Tag("unit")
final class ReportInBrowserTest {
  private static Optional<Path> browser() {
    return Stream.of("chromium", "chromium-browser", "google-chrome")
        .flatMap(
            name ->
                Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
                    .map(folder -> Path.of(folder, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }

  @Test
  void thePageDrawsItselfWithoutErrorAndWithoutRequest(@TempDir Path folder) throws Exception {
    Optional<Path> browser = browser();
    assumeTrue(browser.isPresent(), "no Chromium or Chrome on the PATH: the page is not looked at");
    Path page = folder.resolve("report.html");
    Files.writeString(
        page,
        ReportPage.html(ReportSamples.metrics(12, ReportPageTest.EVIL), ReportPageTest.facts(0)));

    String told = run(browser.get(), folder, page, "--dump-dom");

    assertFalse(told.contains("CONSOLE"), () -> lines(told, "CONSOLE"));
    String dom = told.substring(told.indexOf("<html"));
    assertEquals(12, count(dom, "<article "), "a card for each column");
    assertTrue(dom.contains("<canvas"), "charts in view are drawn");
    assertTrue(dom.contains("Strongest risk"));
    assertFalse(dom.contains("<noscript><section"), "the figures take the place of the summary");
    assertEquals(List.of(), requestsOfThePage(folder));
  }

  @Test
  void aPageThatAsksForSomethingIsSeen(@TempDir Path folder) throws Exception {
    Optional<Path> browser = browser();
    assumeTrue(browser.isPresent(), "no Chromium or Chrome on the PATH: the page is not looked at");
    Path page = folder.resolve("asks.html");
    Files.writeString(page, "<html><body><img src='http://example.invalid/x.png'></body></html>");

    run(browser.get(), folder, page, "--dump-dom");

    List<String> requests = requestsOfThePage(folder);
    assertEquals(1, requests.size(), () -> String.join("\n", requests));
    assertTrue(requests.get(0).contains("example.invalid/x.png"));
  }

  /**
   * The requests that the page made over the network. The browser asks its maker for the time and
   * for updates on its own; what a document loads carries the annotation of Chromium's resource
   * loader ({@code blink_resource_loader}).
   */
  private static List<String> requestsOfThePage(Path folder) throws IOException {
    List<String> requests = new ArrayList<>();
    for (String line : Files.readString(folder.resolve("net.json")).split("\n")) {
      if (line.contains("\"traffic_annotation\":101845102,")
          && line.matches(".*\"url\":\"(https?|wss?|ftp):.*")) {
        requests.add(line);
      }
    }
    return requests;
  }

  private static String run(Path browser, Path folder, Path page, String action)
      throws IOException, InterruptedException {
    Path output = folder.resolve("output.txt");
    Process process =
        new ProcessBuilder(
                browser.toString(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--user-data-dir=" + folder.resolve("profile"),
                "--enable-logging=stderr",
                "--log-net-log=" + folder.resolve("net.json"),
                "--virtual-time-budget=8000",
                "--window-size=1200,2000",
                action,
                page.toUri().toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    if (!process.waitFor(120, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("the browser did not end");
    }
    return Files.readString(output, StandardCharsets.UTF_8);
  }

  private static String lines(String text, String part) {
    return String.join("\n", text.lines().filter(line -> line.contains(part)).toList());
  }

  private static int count(String text, String part) {
    return (text.length() - text.replace(part, "").length()) / part.length();
  }
}
