package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The page is one file that nothing in a table can break. */
@Tag("unit")
final class ReportPageTest {
  static final String EVIL = "</script><script>alert(1)</script><!-- @{chart} \u2028 & \" '";

  static ReportFacts facts(int rareRows) {
    return new ReportFacts(
        "Report of " + EVIL,
        EVIL,
        Map.of("source", EVIL),
        EVIL,
        EVIL,
        new ReportFacts.PrivacyNote(EVIL, EVIL),
        rareRows,
        List.of("column_2"),
        EVIL);
  }

  private static JsonNode data(String page) throws Exception {
    Matcher data =
        Pattern.compile("(?s)<script type=\"application/json\" id=\"data\">(.*?)</script>")
            .matcher(page);
    assertTrue(data.find());
    return new ObjectMapper().readTree(data.group(1));
  }

  @Test
  void valuesOfTheTableAreNeverMarkup() throws Exception {
    String page = ReportPage.html(ReportSamples.metrics(4, EVIL), facts(0));
    assertFalse(page.contains("alert(1)</script>"), "only in JSON, with its signs escaped");
    assertEquals(1, count(page, "<script type=\"application/json\""));
    assertEquals(3, count(page, "</script>"));
    assertEquals(
        EVIL,
        data(page).at("/metrics/measures/column_distribution/columns/0/name").asText(),
        "and comes out of it as it went in");
  }

  @Test
  void thePageNeedsNothingElse() {
    String page = ReportPage.html(ReportSamples.metrics(4, "x"), facts(0));
    assertTrue(page.contains("Released under the MIT License"));
    assertFalse(page.contains("sourceMappingURL"));
    String markup = page.replaceAll("(?s)<script>.*?</script>", "");
    assertFalse(Pattern.compile("(src|href)=\"(?!#|data:)").matcher(markup).find());
    assertTrue(markup.contains("default-src 'none'"));
  }

  @Test
  void twoHundredAndFiftyColumnsStaySmall() {
    String page = ReportPage.html(ReportSamples.metrics(250, "x"), facts(0));
    int bytes = page.getBytes(StandardCharsets.UTF_8).length;
    assertTrue(bytes < 5_000_000, bytes + " bytes");
  }

  @Test
  void valuesOfFewRealRowsAreNotNamed() throws Exception {
    // Of 1,000 sampled rows 'b' has 30, 'c' 4 and 'd' none; 'd' is the synthetic table's own.
    String metrics = ReportSamples.metrics(2, "x");
    JsonNode all = data(ReportPage.html(metrics, facts(0)));
    JsonNode hidden = data(ReportPage.html(metrics, facts(7)));
    String labels = "/metrics/measures/column_distribution/columns/1/histogram/labels";
    String real = "/metrics/measures/column_distribution/columns/1/histogram/real";
    assertEquals("[\"a\",\"b\",\"c\",\"d\"]", all.at(labels).toString());
    assertEquals("[\"a\",\"b\",\"d\",\"(rare values)\"]", hidden.at(labels).toString());
    assertEquals("[0.966,0.03,0,0.004]", hidden.at(real).toString());
  }

  private static int count(String text, String part) {
    return (text.length() - text.replace(part, "").length()) / part.length();
  }
}
