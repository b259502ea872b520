package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tables of which one knows how they should be judged. */
@Tag("spark")
final class EvaluationTest {
  private static final Path ADULT = Path.of("../conf/data/adult.csv.gz");
  private static final String TYPES = "age int, job string, pay double, code string";

  private static EvaluationResult judge(
      TypedTable reference, TypedTable synthetic, TypedTable holdout) {
    return Evaluation.run(
        EvaluatedTables.input(reference, synthetic, holdout), EvaluatedTables.config(Map.of()), 1);
  }

  /** Rows of the packaged table: every {@code step}-th from {@code first} on. */
  private static TypedTable adult(int first, int step, int rows) {
    TypedTable all = EvaluatedTables.csv(ADULT);
    List<Row> kept = new ArrayList<>();
    List<Row> read = all.rows().limit((rows + 1) * step + first).collectAsList();
    for (int row = first; row < read.size() && kept.size() < rows; row += step) {
      kept.add(read.get(row));
    }
    Dataset<Row> part =
        all.rows().sparkSession().createDataFrame(kept, all.rows().schema()).repartition(3);
    return new TypedTable("adult" + first, part, all.columns());
  }

  private static double score(EvaluationResult result, String name) {
    return result.findings().score(name).orElseThrow(() -> new AssertionError(name));
  }

  @Test
  void unseenRowsAreJudgedNearPerfectAndACopyIsFlagged() {
    TypedTable train = adult(0, 3, 2_500);
    TypedTable other = adult(1, 3, 2_500);
    TypedTable holdout = adult(2, 3, 1_000);
    EvaluationResult fresh = judge(train, other, holdout);
    assertTrue(score(fresh, ColumnDistribution.SCORE) >= 9, fresh.findings().scores().toString());
    assertTrue(score(fresh, ColumnCorrelation.SCORE) >= 9, fresh.findings().scores().toString());
    assertTrue(score(fresh, DeepStructure.SCORE) >= 8.5, fresh.findings().scores().toString());
    assertTrue(score(fresh, QualityScore.SCORE) >= 9, fresh.findings().scores().toString());
    assertTrue(score(fresh, MembershipInference.SCORE) >= 8, fresh.findings().scores().toString());
    ClosestRecords near = fresh.findings().find(ClosestRecords.class).orElseThrow();
    assertTrue(near.low() < 0.5 && near.high() > 0.5, near.toString());
    assertEquals(0.5, near.share(), 0.06);
    PairTrends pairs = fresh.findings().find(PairTrends.class).orElseThrow();
    assertTrue(pairs.realBinsScore() > 0.93, pairs.realBinsScore() + "");

    EvaluationResult copy = judge(train, train, holdout);
    assertEquals(10, score(copy, QualityScore.SCORE));
    assertEquals(10, score(copy, DeepStructure.SCORE));
    assertTrue(score(copy, MembershipInference.SCORE) < 4, copy.findings().scores().toString());
    assertTrue(
        score(copy, AttributeInference.SCORE) < score(fresh, AttributeInference.SCORE),
        copy.findings().scores().toString());
    ClosestRecords copied = copy.findings().find(ClosestRecords.class).orElseThrow();
    assertTrue(copied.isSuspicious() && copied.share() > 0.95, copied.toString());
    assertEquals(1, copied.copies());
    MembershipInference found = copy.findings().find(MembershipInference.class).orElseThrow();
    assertTrue(found.auc() > 0.95, found.toString());
    assertEquals(360, found.attacks());
  }

  /** Rows whose columns depend on each other. */
  private static List<Row> related(int count, int seed, boolean isShuffled) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int a = random.nextInt(60);
      int b = isShuffled ? random.nextInt(60) : a;
      int c = isShuffled ? random.nextInt(60) : a;
      rows.add(
          RowFactory.create(
              20 + a, "job" + b / 12, c * 10 + random.nextDouble() * 5, "c" + b / 20));
    }
    return rows;
  }

  private static TypedTable table(String name, List<Row> rows, int partitions) {
    return EvaluatedTables.of(name, TYPES, rows, partitions);
  }

  @Test
  void shuffledColumnsKeepTheirDistributionsAndLoseTheirCorrelations() {
    TypedTable real = table("real", related(1_500, 1, false), 2);
    EvaluationResult result =
        judge(real, table("s", related(1_500, 2, true), 2), table("h", related(300, 3, false), 1));
    assertTrue(score(result, ColumnDistribution.SCORE) > 9, result.findings().scores().toString());
    assertTrue(score(result, ColumnCorrelation.SCORE) < 2, result.findings().scores().toString());
    PairTrends pairs = result.findings().find(PairTrends.class).orElseThrow();
    assertTrue(pairs.realBinsScore() < 0.7, pairs.realBinsScore() + "");
    ColumnShapes shapes = result.findings().find(ColumnShapes.class).orElseThrow();
    assertTrue(shapes.score() > 0.95, shapes.score() + "");
  }

  @Test
  void aColumnReplacedByTextScoresZero() {
    TypedTable real = table("real", related(400, 1, false), 2);
    List<Row> ruined = new ArrayList<>();
    for (Row row : related(400, 2, false)) {
      ruined.add(
          RowFactory.create(
              "about " + row.getInt(0) + " years of age " + ruined.size(),
              row.get(1),
              row.get(2),
              row.get(3)));
    }
    TypedTable synthetic =
        EvaluatedTables.of("s", "age string, job string, pay double, code string", ruined, 2);
    EvaluationResult result = judge(real, synthetic, table("h", related(100, 3, false), 1));
    ColumnDistribution found = result.findings().find(ColumnDistribution.class).orElseThrow();
    ColumnDistribution.Column age = found.columns().get(0);
    assertEquals(0, age.score().score());
    assertEquals("Very Poor", age.score().grade());
    assertTrue(age.score().notes().contains("numeric and the synthetic one text"), age.toString());
    assertTrue(found.columns().get(1).score().score() > 9, found.toString());
    assertTrue(score(result, ColumnDistribution.SCORE) < 8, found.toString());
  }

  @Test
  void theFiguresAreTheSameForAnyPartitions() throws IOException {
    String first = null;
    for (int partitions : new int[] {1, 2, 7}) {
      EvaluationResult result =
          judge(
              table("r", related(700, 1, false), partitions),
              table("s", related(600, 2, false), partitions),
              table("h", related(120, 3, false), partitions));
      ObjectNode json =
          (ObjectNode)
              new ObjectMapper().readTree(MetricsFile.write(result, MetricsFile.RunFacts.none()));
      json.remove(List.of("seconds", "timing"));
      first = first == null ? json.toString() : first;
      assertEquals(first, json.toString());
    }
  }

  @Test
  void withoutAHoldoutWhatNeedsItSaysSo() throws IOException {
    EvaluationResult result =
        judge(table("r", related(300, 1, false), 2), table("s", related(300, 2, false), 2), null);
    JsonNode json =
        new ObjectMapper().readTree(MetricsFile.write(result, MetricsFile.RunFacts.none()));
    assertTrue(json.get("membership_inference_protection_score").isNull());
    String why = json.get("unavailable").get("membership_inference").asText();
    assertTrue(why.contains("there is no holdout"), why);
    assertTrue(json.get("attribute_inference_protection_score").isNumber());
    assertEquals(
        json.get("attribute_inference_protection_score").asDouble(),
        json.get("data_privacy_score").asDouble());
    ClosestRecords closest = result.findings().find(ClosestRecords.class).orElseThrow();
    assertNull(closest.holdout());
    assertTrue(closest.synthetic().median() > 0);
  }

  @Test
  void theSmallestTablesAreJudgedAsFarAsTheyGo() {
    TypedTable real = table("r", related(3, 1, false), 1);
    EvaluationResult result = judge(real, table("s", related(2, 2, false), 1), real);
    String why = result.findings().byName().get("membership_inference").unavailable();
    assertTrue(why.contains("3 unseen real rows are too few: 10 of each are needed"), why);
    why = result.findings().byName().get("attribute_inference").unavailable();
    assertTrue(why.contains("2 rows are too few"), why);
    assertNotNull(result.findings().score(ColumnDistribution.SCORE));

    TypedTable one = EvaluatedTables.of("o", "a int", List.of(RowFactory.create(4)), 1);
    EvaluationResult single = judge(one, one, one);
    why = single.findings().byName().get("column_correlation").unavailable();
    assertTrue(why.contains("two tabular columns"), why);
    why = single.findings().byName().get("deep_structure").unavailable();
    assertTrue(why.contains("two rows and two columns"), why);
    why = single.findings().byName().get("attribute_inference").unavailable();
    assertTrue(why.contains("a column to know and one to guess"), why);
  }

  @Test
  void columnsWithoutAnyValueAreJudged() {
    List<Row> real = new ArrayList<>();
    List<Row> made = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      real.add(RowFactory.create(i, null, i % 3 + 0.5, "c" + i % 4));
      made.add(RowFactory.create(i, null, null, "c" + i % 4));
    }
    EvaluationResult result = judge(table("r", real, 2), table("s", made, 2), table("h", real, 1));
    ColumnDistribution found = result.findings().find(ColumnDistribution.class).orElseThrow();
    assertEquals(ColumnType.EMPTY, found.columns().get(1).realType());
    assertNull(found.columns().get(1).score().score());
    assertEquals(0, found.columns().get(2).score().score());
    assertTrue(found.columns().get(2).score().notes().contains("synthetic one empty"));
    EvaluationResult nothing =
        judge(
            EvaluatedTables.of("r", "a string", List.of(RowFactory.create((Object) null)), 1),
            EvaluatedTables.of("s", "a string", List.of(RowFactory.create((Object) null)), 1),
            null);
    assertEquals("Unavailable", nothing.findings().scores().get(QualityScore.SCORE).grade());
    assertEquals("Unavailable", nothing.findings().scores().get(PrivacyScore.SCORE).grade());
  }

  @Test
  void textsAreJudgedByTheirFormAndTheirWords() {
    String[] subjects = {"the cat", "a grey dog", "my old horse", "one small bird", "every fish"};
    String[] verbs = {"sat on", "ran from", "looked at", "slept near", "ate"};
    String[] objects = {"the mat.", "a wide river.", "the tall tree.", "a red house.", "the moon."};
    List<Row> real = new ArrayList<>();
    List<Row> holdout = new ArrayList<>();
    List<Row> good = new ArrayList<>();
    List<Row> bad = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 1_200; i++) {
      String text = "";
      for (int k = 0; k < 2; k++) {
        text +=
            subjects[random.nextInt(5)]
                + " "
                + verbs[random.nextInt(5)]
                + " "
                + objects[random.nextInt(5)]
                + " ";
      }
      List<Row> part = i % 3 == 0 ? real : i % 3 == 1 ? holdout : good;
      part.add(RowFactory.create(i, text));
      if (i % 3 == 2) {
        bad.add(
            RowFactory.create(i, "unrelated words about taxes, tariffs and trade deficits " + i));
      }
    }
    String ddl = "n int, verse string";
    TypedTable train = EvaluatedTables.of("r", ddl, real, 2);
    TypedTable unseen = EvaluatedTables.of("h", ddl, holdout, 2);
    EvaluationResult likely = judge(train, EvaluatedTables.of("g", ddl, good, 2), unseen);
    EvaluationResult foreign = judge(train, EvaluatedTables.of("b", ddl, bad, 2), unseen);
    assertTrue(score(likely, TextStructure.SCORE) > 9, likely.findings().scores().toString());
    assertTrue(score(likely, TextSemantics.SCORE) > 8.5, likely.findings().scores().toString());
    assertTrue(score(foreign, TextStructure.SCORE) < 5, foreign.findings().scores().toString());
    assertTrue(score(foreign, TextSemantics.SCORE) < 5, foreign.findings().scores().toString());
    EvaluationResult copied = judge(train, train, unseen);
    assertTrue(score(copied, TextSemantics.SCORE) < 5, copied.findings().scores().toString());
    TextSemantics found = likely.findings().find(TextSemantics.class).orElseThrow();
    assertTrue(found.embedding().startsWith("TF-IDF"), found.embedding());
  }

  @Test
  void personalDataThatReturnsIsCounted() {
    List<Row> real = new ArrayList<>();
    List<Row> made = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      real.add(RowFactory.create(i, "p" + i / 2 + "@mail.example", "10.0.0." + i));
      made.add(RowFactory.create(i, i < 10 ? "p3@mail.example" : "q" + i + "@x.example", "none"));
    }
    String ddl = "id int, contact string, host string";
    EvaluationResult result =
        judge(EvaluatedTables.of("r", ddl, real, 2), EvaluatedTables.of("s", ddl, made, 2), null);
    PiiReplay found = result.findings().find(PiiReplay.class).orElseThrow();
    assertEquals(
        List.of(
            new PiiReplay.Column("contact", "email", 40, 20, 10, 1, 5),
            new PiiReplay.Column("host", "ipv4", 40, 40, 0, 0, 0)),
        found.columns());
  }
}
