package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The measures against the field's Python libraries, on the same tables. */
@Tag("spark")
final class MetricFixturesTest {
  private static final double TOLERANCE = 1e-6;

  private static Evidence evidence;

  @BeforeAll
  static void readTheTables() {
    evidence =
        EvaluatedTables.evidence(
            EvaluatedTables.csv(Fixtures.metrics("real.csv")),
            EvaluatedTables.csv(Fixtures.metrics("synthetic.csv")),
            EvaluatedTables.csv(Fixtures.metrics("holdout.csv")));
  }

  @AfterAll
  static void close() {
    if (evidence != null) {
      evidence.close();
    }
    evidence = null;
  }

  private static JsonNode find(JsonNode list, String first, String second) {
    for (JsonNode node : list) {
      if (node.path("Column").asText(node.path("Column 1").asText()).equals(first)
          && (second == null || node.get("Column 2").asText().equals(second))) {
        return node;
      }
    }
    throw new AssertionError(first + " " + second);
  }

  @Test
  void columnShapesAndPairTrendsAreThoseOfSdmetrics() throws IOException {
    JsonNode quality = Fixtures.json("sdmetrics-reports.json").get("quality");
    ColumnShapes shapes = (ColumnShapes) ColumnShapes.of(evidence);
    Findings findings = new Findings();
    findings.add("column_shapes", shapes);
    PairTrends pairs = (PairTrends) PairTrends.of(evidence, findings);
    assertEquals(15, shapes.columns().size());
    for (ColumnShapes.Column column : shapes.columns()) {
      JsonNode expected = find(quality.get("column_shapes"), column.name(), null);
      assertEquals(expected.get("Score").asDouble(), column.shape(), TOLERANCE, column.name());
    }
    assertEquals(105, pairs.pairs().size());
    for (PairTrends.Pair pair : pairs.pairs()) {
      JsonNode expected = find(quality.get("column_pair_trends"), pair.first(), pair.second());
      assertEquals(expected.get("Score").asDouble(), pair.score(), TOLERANCE, pair.toString());
    }
    assertEquals(
        quality.get("properties").get(0).get("Score").asDouble(), shapes.score(), TOLERANCE);
    assertEquals(
        quality.get("properties").get(1).get("Score").asDouble(), pairs.score(), TOLERANCE);
    assertEquals(quality.get("score").asDouble(), pairs.quality(), TOLERANCE);
  }

  @Test
  void coverageAdherenceAndMissingRatesAreThoseOfSdmetrics() throws IOException {
    JsonNode expected = Fixtures.json("sdmetrics-columns.json");
    for (ColumnShapes.Column column : ((ColumnShapes) ColumnShapes.of(evidence)).columns()) {
      JsonNode of = expected.get(column.name());
      String coverage = column.isNumeric() ? "RangeCoverage" : "CategoryCoverage";
      String adherence = column.isNumeric() ? "BoundaryAdherence" : "CategoryAdherence";
      assertEquals(of.get(coverage).asDouble(), column.coverage(), TOLERANCE, column.name());
      assertEquals(of.get(adherence).asDouble(), column.adherence(), TOLERANCE, column.name());
      assertEquals(
          of.get("MissingValueSimilarity").asDouble(),
          column.missingSimilarity(),
          TOLERANCE,
          column.name());
    }
  }

  private int place(String column) {
    for (int c = 0; c < evidence.columns(); c++) {
      if (evidence.name(c).equals(column)) {
        return c;
      }
    }
    throw new AssertionError(column);
  }

  private static double[] numbers(FrameColumn column) {
    double[] numbers = new double[column.rows()];
    for (int row = 0; row < numbers.length; row++) {
      numbers[row] = column.number(row);
    }
    return numbers;
  }

  /** Codes with a missing value as a category, or below 0. */
  private static int[] codes(FrameColumn column, boolean missingIsCategory) {
    List<String> known = new ArrayList<>();
    int[] codes = new int[column.rows()];
    for (int row = 0; row < codes.length; row++) {
      if (column.isMissing(row) && !missingIsCategory) {
        codes[row] = -1;
        continue;
      }
      String text = String.valueOf(column.text(row));
      if (!known.contains(text)) {
        known.add(text);
      }
      codes[row] = known.indexOf(text);
    }
    return codes;
  }

  @Test
  void associationsAreThoseOfScipy() throws IOException {
    JsonNode fixture = Fixtures.json("association.json");
    for (String side : List.of("real", "synthetic")) {
      Frame frame = side.equals("real") ? evidence.reference() : evidence.synthetic();
      JsonNode expected = fixture.get(side);
      for (int i = 0; i < fixture.get("numeric").size(); i++) {
        double[] x = numbers(frame.column(place(fixture.get("numeric").get(i).asText())));
        for (int j = 0; j < i; j++) {
          double[] y = numbers(frame.column(place(fixture.get("numeric").get(j).asText())));
          assertEquals(
              expected.get("pearson").get(i).get(j).asDouble(), Association.pearson(x, y), 1e-9);
        }
        for (int c = 0; c < fixture.get("categorical").size(); c++) {
          int column = place(fixture.get("categorical").get(c).asText());
          assertEquals(
              expected.get("correlation_ratio").get(c).get(i).asDouble(),
              Association.correlationRatio(codes(frame.column(column), false), x),
              1e-9);
        }
      }
      for (int a = 0; a < fixture.get("categorical").size(); a++) {
        int[] x = codes(frame.column(place(fixture.get("categorical").get(a).asText())), true);
        for (int b = 0; b < fixture.get("categorical").size(); b++) {
          int[] y = codes(frame.column(place(fixture.get("categorical").get(b).asText())), true);
          assertEquals(
              expected.get("theils_u").get(a).get(b).asDouble(), Association.theilsU(x, y), 1e-9);
        }
      }
    }
  }

  @Test
  void distancesOfDistributionsAreThoseOfScipy() throws IOException {
    Fixtures.json("jensen-shannon.json")
        .fields()
        .forEachRemaining(
            entry -> {
              JsonNode of = entry.getValue();
              assertEquals(
                  of.get("js_distance_base2").asDouble(),
                  JensenShannon.distance(
                      doubles(of.get("real_counts")), doubles(of.get("synthetic_counts"))),
                  1e-9,
                  entry.getKey());
              if (of.get("kind").asText().equals("categorical")) {
                int c = place(entry.getKey());
                Categories categories =
                    Categories.of(evidence.reference().column(c), evidence.synthetic().column(c));
                assertEquals(
                    of.get("js_distance_base2").asDouble(),
                    JensenShannon.distance(categories.realCounts(), categories.syntheticCounts()),
                    1e-9,
                    entry.getKey());
              }
            });
  }

  private static double[] doubles(JsonNode list) {
    double[] values = new double[list.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = list.get(i).asDouble();
    }
    return values;
  }

  /** (rows, columns) standardised by the real mean and deviation; missing at the mean. */
  private double[][] standardised(Frame frame, JsonNode numeric) {
    double[][] rows = new double[frame.rows()][numeric.get("columns").size()];
    for (int c = 0; c < numeric.get("columns").size(); c++) {
      FrameColumn column = frame.column(place(numeric.get("columns").get(c).asText()));
      double mean = numeric.get("mean").get(c).asDouble();
      double deviation = numeric.get("std_ddof0").get(c).asDouble();
      for (int row = 0; row < frame.rows(); row++) {
        rows[row][c] = column.isMissing(row) ? 0 : (column.number(row) - mean) / deviation;
      }
    }
    return rows;
  }

  @Test
  void principalComponentsAreThoseOfScikitLearn() throws IOException {
    JsonNode numeric = Fixtures.json("pca.json").get("numeric");
    double[][] real = standardised(evidence.reference(), numeric);
    PrincipalComponents components = PrincipalComponents.fit(evidence.spark(), real, 2);
    for (int k = 0; k < 2; k++) {
      assertEquals(
          numeric.get("explained_variance_ratio").get(k).asDouble(),
          components.explained()[k],
          1e-9);
      for (int c = 0; c < 6; c++) {
        assertEquals(
            numeric.get("components").get(k).get(c).asDouble(),
            components.directions()[k][c],
            1e-6);
      }
    }
    double[][] projected = components.project(real);
    double[] square = Arrays.stream(projected[0]).map(x -> x * x).toArray();
    assertEquals(
        numeric.get("explained_variance").get(0).asDouble(),
        Arrays.stream(square).sum() / (square.length - 1),
        1e-6);
  }

  @Test
  void nearestNeighboursAreThoseOfScikitLearn() throws IOException {
    JsonNode numeric = Fixtures.json("pca.json").get("numeric");
    JsonNode expected = Fixtures.json("nearest-neighbour.json").get("numeric");
    double[][] real = standardised(evidence.reference(), numeric);
    double[][] synthetic = standardised(evidence.synthetic(), numeric);
    double[][] holdout = standardised(evidence.holdout().orElseThrow(), numeric);
    Neighbours toReal = Neighbours.of(evidence.spark(), synthetic, real, 2);
    double[] toHoldout = Neighbours.of(evidence.spark(), synthetic, holdout, 1).nearest();
    assertSummary(expected.get("synthetic_to_real"), toReal.nearest());
    assertSummary(expected.get("synthetic_to_holdout"), toHoldout);
    assertSummary(
        expected.get("real_to_real_leave_one_out"),
        Neighbours.of(evidence.spark(), real, real, 1, 0).nearest());
    double closer = 0;
    double[] ratios = new double[synthetic.length];
    for (int row = 0; row < synthetic.length; row++) {
      closer += toReal.distances()[row][0] < toHoldout[row] ? 1.0 / synthetic.length : 0;
      double second = toReal.distances()[row][1];
      ratios[row] = second == 0 ? 1 : toReal.distances()[row][0] / second;
    }
    assertEquals(expected.get("closer_to_real").asDouble(), closer, 1e-9);
    Arrays.sort(ratios);
    assertEquals(expected.get("nndr_median").asDouble(), (ratios[749] + ratios[750]) / 2, 1e-9);
  }

  private static void assertSummary(JsonNode expected, double[] distances) {
    double[] sorted = distances.clone();
    Arrays.sort(sorted);
    assertEquals(
        expected.get("mean").asDouble(), Arrays.stream(sorted).average().orElseThrow(), 1e-9);
    assertEquals(expected.get("median").asDouble(), (sorted[749] + sorted[750]) / 2, 1e-9);
    assertEquals(expected.get("min").asDouble(), sorted[0], 1e-9);
    assertEquals(expected.get("zeros").asInt(), Arrays.stream(sorted).filter(d -> d == 0).count());
  }

  @Test
  void copiedRowsAreCounted() {
    ClosestRecords closest = (ClosestRecords) ClosestRecords.of(evidence);
    assertEquals(120 / 1_500.0, closest.copies(), 1e-12);
    assertEquals(120 / 1_500.0, closest.synthetic().zeros(), 1e-12);
    assertEquals(120, TableFacts.of(evidence).memorizedLines());
  }
}
