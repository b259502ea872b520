package org.safesynth.evaluate;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;

/** A metrics.json of any number of columns, for the report's tests. */
final class ReportSamples {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private ReportSamples() {}

  /**
   * The file.
   *
   * @param first name of the first column, a category of the others and a note
   */
  static String metrics(int columns, String first) {
    ObjectNode file = MAPPER.createObjectNode();
    ObjectNode scores = file.putObject("scores");
    for (String name :
        List.of(
            "synthetic_data_quality_score",
            "column_distribution_stability_score",
            "data_privacy_score",
            "membership_inference_protection_score")) {
      scores.set(name, score(8.1));
    }
    scores.putObject("text_structure_similarity_score").put("notes", first);
    file.putArray("notes").add(first);
    file.putObject("unavailable").put("usefulness", first);
    file.putObject("timing").put("training_time_sec", 12.3);
    file.putObject("seconds").put("sample", 1.5);
    measures(file.putObject("measures"), columns, first);
    return file.toString();
  }

  private static void measures(ObjectNode measures, int columns, String first) {
    ObjectNode tables = measures.putObject("tables");
    for (String table : List.of("reference", "synthetic", "holdout")) {
      tables.set(
          table,
          MAPPER.valueToTree(
              Map.of("rows", 5_000, "sampled", 1_000, "columns", columns, "missing_percent", 1)));
    }
    ArrayNode list = measures.putObject("column_distribution").putArray("columns");
    ObjectNode correlation = measures.putObject("column_correlation").put("mean_difference", 0.03);
    ArrayNode names = correlation.putArray("columns");
    for (int c = 0; c < columns; c++) {
      String name = c == 0 ? first : c == 1 ? "" : "column_" + c;
      names.add(name);
      list.add(column(name, c % 2 == 0));
    }
    for (String side : List.of("real", "synthetic")) {
      ArrayNode matrix = correlation.putArray(side);
      for (int i = 0; i < columns; i++) {
        ArrayNode row = matrix.addArray();
        for (int j = 0; j < columns; j++) {
          row.add(Math.cos(i - j) * (side.equals("real") ? 1 : 0.9));
        }
      }
    }
    ObjectNode structure = measures.putObject("deep_structure");
    structure.putArray("distances").add(0.1).add(0.2);
    structure.putArray("explained").add(0.3).add(0.2);
    for (String side : List.of("real_points", "synthetic_points")) {
      ArrayNode points = structure.putArray(side);
      for (int i = 0; i < 1_000; i++) {
        points.addArray().add(Math.sin(i) * i / 100).add(Math.cos(i) * 3);
      }
    }
    ObjectNode judge =
        measures.putObject("discriminator").put("auc", 0.56).put("detection_score", 0.88);
    judge
        .put("rows_each", 1_000)
        .putArray("strongest")
        .addObject()
        .put("column", first)
        .put("importance", 0.4);
    ObjectNode attack = measures.putObject("linkability").putArray("attacks").addObject();
    attack.put("name", "Linkability").put("detail", first).put("attempts", 500).put("rate", 0.3);
    attack.put("control_rate", 0.1).put("baseline_rate", 0.01);
    attack.put("risk", 0.22).put("risk_low", 0.17).put("risk_high", 0.27);
    ObjectNode groups = measures.putObject("groups").put("group", first).put("order", first);
    groups.putArray("sampled_groups").add(20).add(30);
    ObjectNode figure = groups.putArray("figures").addObject().put("name", first);
    figure.put("real", 12_345).put("synthetic", 0.5).put("distance", 0.1).put("is_date", true);
    ObjectNode lags = groups.putArray("autocorrelations").addObject().put("column", first);
    lags.putArray("real").add(0.5).addNull();
    lags.putArray("synthetic").add(0.4).add(0.1);
  }

  private static ObjectNode score(double value) {
    return MAPPER.createObjectNode().put("score", value).put("grade", "Excellent");
  }

  private static ObjectNode column(String name, boolean isNumber) {
    ObjectNode column = MAPPER.createObjectNode().put("name", name);
    String type = isNumber ? "NUMERIC" : "CATEGORICAL";
    column.put("real_type", type).put("synthetic_type", type);
    column.put("real_distinct", 4).put("synthetic_distinct", 4).put("real_missing", 0.01);
    column.put("synthetic_missing", 0.02).put("distance", 0.1);
    column.set("score", score(8.7));
    ObjectNode histogram = column.putObject("histogram");
    if (isNumber) {
      ArrayNode edges = histogram.putArray("edges");
      for (int edge = 0; edge <= 60; edge++) {
        edges.add(edge * 1.23456789);
      }
      histogram.putNull("labels");
      for (String side : List.of("real", "synthetic")) {
        ArrayNode shares = histogram.putArray(side);
        for (int bin = 0; bin < 60; bin++) {
          shares.add(1 / 60.0);
        }
      }
      return column;
    }
    histogram.putNull("edges");
    histogram.putArray("labels").add("a").add("b").add("c").add("d");
    histogram.putArray("real").add(0.966).add(0.03).add(0.004).add(0);
    histogram.putArray("synthetic").add(0.95).add(0.04).add(0.005).add(0.005);
    return column;
  }
}
