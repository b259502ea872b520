package org.safesynth.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes {@code report.html}: one file that needs nothing else, with the figures as JSON, the chart
 * library and the script that draws them. What comes from a table is data within JSON or escaped
 * text, never markup.
 */
public final class ReportPage {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Pattern PLACE = Pattern.compile("@\\{([a-z]+)}");
  private static final String CHART =
      "/META-INF/resources/webjars/chart.js/4.5.1/dist/chart.umd.min.js";

  private ReportPage() {}

  /**
   * The page.
   *
   * @param metrics what {@link MetricsFile} wrote
   */
  public static String html(String metrics, ReportFacts facts) {
    JsonNode found = read(metrics);
    ObjectNode data = MAPPER.createObjectNode();
    data.put("subtitle", facts.subtitle());
    data.put("foot", facts.foot());
    data.set("metrics", ReportData.of(found, facts.rareRows()));
    facts.dates().forEach(data.putArray("dates")::add);
    ObjectNode run = data.putObject("run");
    run.put("config", facts.config());
    run.put("reproduce", facts.reproduce());
    facts.facts().forEach(run.putObject("facts")::put);
    if (facts.privacy() != null) {
      data.putObject("dp")
          .put("summary", facts.privacy().summary())
          .put("ledger", facts.privacy().ledger());
    }
    // One pass: a value that looks like a place of the template stays a value.
    return fill(
        resource("report.html"),
        Map.of(
            "title", escaped(facts.title()),
            "subtitle", escaped(facts.subtitle()),
            "summary", summary(found),
            "data", embedded(data),
            "chart", chart(),
            "script", resource("report.js")));
  }

  private static JsonNode read(String json) {
    try {
      return MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("metrics.json is no JSON", e);
    }
  }

  private static String fill(String template, Map<String, String> values) {
    Matcher place = PLACE.matcher(template);
    StringBuilder page = new StringBuilder();
    while (place.find()) {
      String value = values.get(place.group(1));
      if (value == null) {
        throw new IllegalStateException("the template has a place without value: " + place.group());
      }
      place.appendReplacement(page, Matcher.quoteReplacement(value));
    }
    return place.appendTail(page).toString();
  }

  /** JSON that cannot end the script element that it stands in, nor begin a comment in it. */
  private static String embedded(JsonNode data) {
    return data.toString()
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029");
  }

  /** The scores for browsers without scripts. */
  private static String summary(JsonNode found) {
    StringBuilder rows = new StringBuilder("<section><h2>Scores</h2><table>");
    found
        .path("scores")
        .properties()
        .forEach(
            score -> {
              JsonNode value = score.getValue().path("score");
              rows.append("<tr><th scope=\"row\">")
                  .append(escaped(score.getKey().replace('_', ' ')))
                  .append("</th><td>")
                  .append(value.isNumber() ? value.asText() : "unavailable")
                  .append("</td><td>")
                  .append(escaped(score.getValue().path("grade").asText("")))
                  .append("</td></tr>");
            });
    return rows.append("</table><p>The charts need JavaScript; metrics.json has all figures.</p>")
        .append("</section>")
        .toString();
  }

  static String escaped(String text) {
    StringBuilder escaped = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '&' -> escaped.append("&amp;");
        case '"' -> escaped.append("&quot;");
        case '\'' -> escaped.append("&#39;");
        default -> escaped.append(c);
      }
    }
    return escaped.toString();
  }

  /** The library with its licence line, without the link to its source map, which is not there. */
  private static String chart() {
    return resource(CHART).replaceAll("(?m)^//# sourceMappingURL=.*$", "");
  }

  private static String resource(String name) {
    try (InputStream in = ReportPage.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the jar lacks " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
