package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs on a parent table and a child table, through the command line. */
@Tag("spark")
final class RelatedTablesTest {
  private static final String PARENT_HEADER = "id,plan,age,since";
  private static final String CHILD_HEADER = "order,buyer,day,what";
  private static final LocalDate START = LocalDate.of(2022, 1, 1);
  private static final int PARENTS = 600;

  @TempDir private static Path temp;

  private final CommandRuns runs = new CommandRuns(temp);

  /** Customers: half of them on the free plan, who never order. */
  private static List<String> parents(int count) {
    SplittableRandom random = new SplittableRandom(6);
    List<String> lines = new ArrayList<>();
    for (int p = 0; p < count; p++) {
      String plan = List.of("free", "basic", "gold").get(random.nextInt(3));
      int age = 20 + random.nextInt(40);
      lines.add("%d,%s,%d,%s".formatted(3 * p + 1, plan, age, START.plusDays(random.nextInt(100))));
    }
    return lines;
  }

  /** Orders: one or two of pears on the basic plan, three to five of gems on the gold one. */
  private static List<String> children(List<String> parents) {
    SplittableRandom random = new SplittableRandom(7);
    List<String> lines = new ArrayList<>();
    for (String parent : parents) {
      String[] cells = parent.split(",");
      int orders =
          switch (cells[1]) {
            case "free" -> 0;
            case "basic" -> 1 + random.nextInt(2);
            default -> 3 + random.nextInt(3);
          };
      LocalDate day = LocalDate.parse(cells[3]).plusDays(random.nextInt(4));
      for (int o = 0; o < orders; o++) {
        String what = cells[1].equals("gold") ? "gem" : "pear";
        lines.add("%d,%s,%s,%s".formatted(9_000 + lines.size(), cells[0], day, what));
        day = day.plusDays(5 + random.nextInt(3));
      }
    }
    return lines;
  }

  private static Path csv(String name, String header, List<String> lines) throws IOException {
    List<String> all = new ArrayList<>(List.of(header));
    all.addAll(lines);
    return Files.write(temp.resolve(name), all);
  }

  @BeforeAll
  static void learn() throws IOException {
    LocalSpark.session();
    List<String> parents = parents(PARENTS);
    Path parentTable = csv("customers.csv", PARENT_HEADER, parents);
    Path childTable = csv("orders.csv", CHILD_HEADER, children(parents));
    RelatedTablesTest test = new RelatedTablesTest();
    assertEquals(
        0,
        test.runs.command(
            "run",
            "learned",
            train(
                parentTable,
                childTable,
                "--output-file",
                temp.resolve("made.csv").toString(),
                "--evaluation.mia_enabled",
                "false",
                "--evaluation.aia_enabled",
                "false")),
        test.runs.said());
  }

  private static String[] train(Path parents, Path children, String... more) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("--data-source", children.toString());
    options.put("--data.parent", "{path: %s, key: id, foreign_key: buyer}".formatted(parents));
    options.put("--data.random_state", "3");
    options.put("--data.order_training_examples_by", "day");
    options.put("--training.num_input_records_to_sample", "40000");
    options.put("--generation.num_groups", "1500");
    return CommandRuns.options(options, more);
  }

  private static String[] brief(Path parents, Path children, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "--training.num_input_records_to_sample",
                "1500",
                "--generation.num_groups",
                "300",
                "--evaluation.enabled",
                "false"));
    all.addAll(List.of(more));
    return train(parents, children, all.toArray(String[]::new));
  }

  private static Dataset<Row> written(String id, String table) {
    return LocalSpark.session().read().parquet(temp.resolve(id).resolve(table).toString());
  }

  private static List<String> sorted(String id, String table) {
    return written(id, table).toJSON().collectAsList().stream().sorted().toList();
  }

  /** The rows of each parent, by its key. */
  private static Map<Long, List<Row>> children(String id) {
    Map<Long, List<Row>> children = new HashMap<>();
    for (Row row : written(id, "synthetic").collectAsList()) {
      children.computeIfAbsent(row.getLong(1), key -> new ArrayList<>()).add(row);
    }
    return children;
  }

  private static void assertKeysAreWhole(String id, int realParents) {
    Set<Long> keys = new HashSet<>();
    for (Row row : written(id, "synthetic_parent").collectAsList()) {
      assertTrue(row.getLong(0) > 3L * realParents - 2, row.get(0) + " may be a real key");
      assertTrue(keys.add(row.getLong(0)), row.get(0) + " is there twice");
    }
    Map<Long, List<Row>> children = children(id);
    assertTrue(keys.containsAll(children.keySet()), "a child has no parent");
    Set<Long> orders = new HashSet<>();
    children.values().forEach(rows -> rows.forEach(row -> orders.add(row.getLong(0))));
    assertEquals(children.values().stream().mapToLong(List::size).sum(), orders.size());
  }

  @Test
  void bothTablesHaveTheInputsColumnsAndTypes() {
    Dataset<Row> parents = written("learned", "synthetic_parent");
    Dataset<Row> children = written("learned", "synthetic");
    assertEquals(List.of(PARENT_HEADER.split(",")), List.of(parents.columns()));
    assertEquals(List.of(CHILD_HEADER.split(",")), List.of(children.columns()));
    assertEquals("bigint", parents.schema().apply("id").dataType().sql().toLowerCase());
    assertEquals(
        parents.schema().apply("id").dataType(), children.schema().apply("buyer").dataType());
    assertEquals(1_500, parents.count());
  }

  @Test
  void everyKeyIsFreshAndItsParents() {
    assertKeysAreWhole("learned", PARENTS);
  }

  @Test
  void parentsWithoutRowsAreAsFrequentAsInTheRealTables() {
    double childless = 0;
    Map<Long, List<Row>> children = children("learned");
    for (Row parent : written("learned", "synthetic_parent").collectAsList()) {
      childless += children.containsKey(parent.getLong(0)) ? 0 : 1;
    }
    double real = parents(PARENTS).stream().filter(line -> line.contains("free")).count();
    assertEquals(real / PARENTS, childless / 1_500, 0.05);
  }

  @Test
  void rowsFollowFromTheirParent() {
    Map<Long, List<Row>> children = children("learned");
    double right = 0;
    double near = 0;
    double withRows = 0;
    for (Row parent : written("learned", "synthetic_parent").collectAsList()) {
      List<Row> rows = children.getOrDefault(parent.getLong(0), List.of());
      boolean fits =
          switch (parent.getString(1)) {
            case "free" -> rows.isEmpty();
            case "basic" ->
                (rows.size() == 1 || rows.size() == 2)
                    && rows.stream().allMatch(row -> row.getString(3).equals("pear"));
            default ->
                rows.size() >= 3
                    && rows.size() <= 5
                    && rows.stream().allMatch(row -> row.getString(3).equals("gem"));
          };
      right += fits ? 1 : 0;
      for (int i = 1; i < rows.size(); i++) {
        assertFalse(rows.get(i).getDate(2).before(rows.get(i - 1).getDate(2)), "order broken");
      }
      if (!rows.isEmpty()) {
        LocalDate since = parent.getDate(3).toLocalDate();
        long gap = rows.get(0).getDate(2).toLocalDate().toEpochDay() - since.toEpochDay();
        assertTrue(gap >= 0, rows.get(0) + " comes before " + parent);
        near += gap <= 3 ? 1 : 0;
        withRows++;
      }
    }
    assertTrue(right > 0.93 * 1_500, right + " of 1500 parents have rows of their plan");
    assertTrue(near > 0.97 * withRows, near + " of " + withRows + " first rows are near");
  }

  @Test
  void bothTablesAreJudged() throws IOException {
    JsonNode rows = json("learned", "metrics.json");
    JsonNode figures = rows.at("/measures/related/figures");
    Map<String, JsonNode> byName = new HashMap<>();
    figures.forEach(figure -> byName.put(figure.at("/name").asText(), figure));
    assertEquals(0, byName.get("rows without their parent").at("/synthetic").asInt());
    assertTrue(byName.get("rows of a parent, on average").at("/distance").asDouble() < 0.06);
    Map<String, Double> distances = new HashMap<>();
    rows.at("/measures/column_distribution/columns")
        .forEach(c -> distances.put(c.at("/name").asText(), c.at("/distance").asDouble()));
    for (String column : List.of("what", "parent.plan", "parent.age")) {
      assertTrue(distances.get(column) < 0.2, column + " in " + distances);
    }
    JsonNode parents = json("learned", "metrics_parent.json");
    assertTrue(parents.at("/synthetic_data_quality_score").asDouble() > 7);
    assertTrue(parents.toString().contains("number of rows"));
    assertTrue(Files.size(temp.resolve("learned").resolve("report_parent.html")) > 10_000);
  }

  private static JsonNode json(String id, String name) throws IOException {
    return new ObjectMapper().readTree(temp.resolve(id).resolve(name).toFile());
  }

  @Test
  void bothTablesAreCopiedToFiles() throws IOException {
    assertEquals(1_501, Files.readAllLines(temp.resolve("made_parent.csv")).size());
    assertEquals(CHILD_HEADER, Files.readAllLines(temp.resolve("made.csv")).get(0));
  }

  @Test
  void theModelIsSampledAndJudgedAgain() throws IOException {
    Path parents = csv("again-parents.csv", PARENT_HEADER, parents(300));
    Path children = csv("again-children.csv", CHILD_HEADER, children(parents(300)));
    assertEquals(0, runs.command("run", "again", brief(parents, children)), runs.said());
    List<String> all = sorted("again", "synthetic");
    assertEquals(
        0,
        runs.command(
            "run generate",
            "again",
            "--generation.num_groups",
            "null",
            "--generation.num_records",
            "100"),
        runs.said());
    assertKeysAreWhole("again", 300);
    List<String> first = sorted("again", "synthetic");
    long last = children("again").values().stream().mapToLong(List::size).max().orElseThrow();
    assertTrue(first.size() >= 100 && first.size() < 100 + last, first.size() + " rows");
    assertTrue(all.containsAll(first), "other rows come out when fewer are asked for");
    assertEquals(0, runs.command("run evaluate", "again"), runs.said());
    Path judged = temp.resolve("again").resolve("metrics_parent.json");
    assertTrue(Files.exists(judged));
    String ofBoth = "[\"`parent.age` >= 30\", \"day < '2022-04-20'\"]";
    assertEquals(
        0, runs.command("run generate", "again", "--generation.constraints", ofBoth), runs.said());
    assertKeysAreWhole("again", 300);
    for (Row parent : written("again", "synthetic_parent").collectAsList()) {
      assertTrue(parent.getLong(2) >= 30, parent.toString());
    }
    assertTrue(written("again", "synthetic").where("day >= '2022-04-20'").isEmpty());
    assertEquals(300, written("again", "synthetic_parent").count());
    assertFalse(Files.exists(judged), "it is not of the new tables");
    List<String> whole = new ArrayList<>(List.of(brief(parents, children)));
    whole.addAll(List.of("--generation.constraints", ofBoth));
    assertEquals(0, runs.command("run", "both", whole.toArray(String[]::new)), runs.said());
    assertTrue(written("both", "synthetic").where("day >= '2022-04-20'").isEmpty());
  }

  @Test
  void theSameTablesComeOutForAnyOrderOfTheInputAndAfterABreak() throws IOException {
    List<String> lines = parents(300);
    List<String> orders = children(lines);
    Path parents = csv("one-parents.csv", PARENT_HEADER, lines);
    Path children = csv("one-children.csv", CHILD_HEADER, orders);
    assertEquals(0, runs.command("run", "one", brief(parents, children)), runs.said());
    Collections.shuffle(lines, new Random(1));
    Collections.shuffle(orders, new Random(2));
    Path otherParents = csv("other-parents.csv", PARENT_HEADER, lines);
    Path otherChildren = csv("other-children.csv", CHILD_HEADER, orders);
    assertEquals(
        0, runs.command("run train", "other", brief(otherParents, otherChildren)), runs.said());
    Files.delete(temp.resolve("other").resolve("result.json")); // as if the run had been killed
    List<String> resumed = new ArrayList<>(List.of(brief(otherParents, otherChildren)));
    resumed.add("--resume");
    assertEquals(0, runs.command("run", "other", resumed.toArray(String[]::new)), runs.said());
    for (String table : List.of("synthetic", "synthetic_parent")) {
      assertEquals(sorted("one", table), sorted("other", table), table);
    }
    assertFalse(Files.exists(temp.resolve("other").resolve("work")));
  }

  private void refuses(String expected, String... arguments) {
    assertEquals(2, runs.command("run", "bad" + expected.hashCode(), arguments), runs.said());
    assertTrue(runs.said().contains(expected), runs.said());
  }

  @Test
  void badKeysAreNamed() throws IOException {
    List<String> lines = parents(60);
    List<String> orders = children(lines);
    Path parents = csv("p.csv", PARENT_HEADER, lines);
    Path children = csv("c.csv", CHILD_HEADER, orders);
    List<String> orphans = new ArrayList<>(orders);
    orphans.add("1,99999,2022-01-03,pear");
    refuses(
        "1 of %d rows have a value of 'buyer' that is no 'id' of".formatted(orphans.size()),
        brief(parents, csv("orphans.csv", CHILD_HEADER, orphans)));
    List<String> twice = new ArrayList<>(lines);
    twice.add(lines.get(3));
    refuses(
        "1 of 61 rows have a value of 'id' that another row has",
        brief(csv("twice.csv", PARENT_HEADER, twice), children));
    List<String> nameless = new ArrayList<>(lines);
    nameless.add(",free,30,2022-01-01");
    refuses(
        "1 of 61 rows have no value in the key 'id'",
        brief(csv("nameless.csv", PARENT_HEADER, nameless), children));
    List<String> nobody = new ArrayList<>(orders);
    nobody.add("1,,2022-01-03,pear");
    refuses(
        "column 'buyer': 1 of %d rows have no value".formatted(nobody.size()),
        brief(parents, csv("nobody.csv", CHILD_HEADER, nobody)));
    refuses(
        "data.parent.key is 'no', but",
        brief(
            parents,
            children,
            "--data.parent",
            "{path: %s, key: no, foreign_key: buyer}".formatted(parents)));
    refuses(
        "data.parent.foreign_key is 'id', but",
        brief(parents, children, "--data.parent", "{path: %s, key: id}".formatted(parents)));
    refuses(
        "nowhere.csv does not exist",
        brief(
            parents,
            children,
            "--data.parent",
            "{path: /nowhere.csv, key: id, foreign_key: buyer}"));
    Path schema =
        Files.writeString(
            temp.resolve("declared.json"),
            "{\"columns\": [{\"name\": \"id\", \"kind\": \"integer\"}]}");
    refuses(
        "data.parent.schema_file declares 'id' as integer, but a key is an identifier",
        brief(
            parents,
            children,
            "--data.parent",
            "{path: %s, key: id, foreign_key: buyer, schema_file: %s}".formatted(parents, schema)));
  }
}
