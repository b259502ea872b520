package org.safesynth.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * The figures as the report takes them: rounded, without what it does not draw, so that 250 columns
 * stay a small page, and without the names of values that only a few real rows have.
 */
final class ReportData {
  private static final int DIGITS = 5;
  private static final int MOST_PAIRS = 50;
  private static final String RARE = "(rare values)";

  private ReportData() {}

  static JsonNode of(JsonNode metrics, int rareRows) {
    JsonNode copy = metrics.deepCopy();
    JsonNode measures = copy.path("measures");
    int sampled = measures.path("tables").path("reference").path("sampled").asInt(0);
    for (JsonNode column : measures.path("column_distribution").path("columns")) {
      if (column.path("histogram") instanceof ObjectNode histogram) {
        hideRare(histogram, sampled == 0 ? 0 : (double) rareRows / sampled);
      }
    }
    if (measures.path("column_pair_trends") instanceof ObjectNode trends) {
      keepWeakest(trends);
    }
    return rounded(copy);
  }

  /** Puts the categories together that some, but fewer than a share of the real rows have. */
  private static void hideRare(ObjectNode histogram, double least) {
    if (!(histogram.get("labels") instanceof ArrayNode labels)) {
      return;
    }
    List<Integer> rare = new ArrayList<>();
    for (int i = 0; i < labels.size(); i++) {
      double real = histogram.path("real").path(i).asDouble();
      if (real > 0 && real < least * (1 - 1e-9) && !isPutTogether(labels.get(i).asText())) {
        rare.add(i);
      }
    }
    if (rare.isEmpty()) {
      return;
    }
    for (String side : new String[] {"real", "synthetic"}) {
      ArrayNode shares = (ArrayNode) histogram.get(side);
      double sum = rare.stream().mapToDouble(i -> shares.get(i).asDouble()).sum();
      remove(shares, rare);
      shares.add(sum);
    }
    remove(labels, rare);
    labels.add(RARE);
  }

  /** Whether a label is the one of the categories beyond those that are drawn. */
  private static boolean isPutTogether(String label) {
    return label.startsWith("(") && label.endsWith(" others)");
  }

  private static void remove(ArrayNode array, List<Integer> places) {
    for (int i = places.size() - 1; i >= 0; i--) {
      array.remove((int) places.get(i));
    }
  }

  private static void keepWeakest(ObjectNode trends) {
    List<JsonNode> pairs = new ArrayList<>();
    trends.path("pairs").forEach(pairs::add);
    pairs.sort(Comparator.comparingDouble(pair -> pair.path("real_bins_score").asDouble(2)));
    ArrayNode kept = trends.putArray("pairs");
    pairs.stream().limit(MOST_PAIRS).forEach(kept::add);
  }

  private static JsonNode rounded(JsonNode node) {
    if (node instanceof ObjectNode object) {
      for (Map.Entry<String, JsonNode> field : object.properties()) {
        field.setValue(rounded(field.getValue()));
      }
    } else if (node instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) {
        array.set(i, rounded(array.get(i)));
      }
    } else if (node.isDouble()) {
      double value = new BigDecimal(node.asDouble()).round(new MathContext(DIGITS)).doubleValue();
      return new DoubleNode(Math.abs(value) < 1e-9 ? 0 : value);
    }
    return node;
  }
}
