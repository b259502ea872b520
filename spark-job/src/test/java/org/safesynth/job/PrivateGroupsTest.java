package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.config.ConfigReader;

/** Whole private runs on tables of groups, where the group is what is hidden. */
@Tag("spark")
final class PrivateGroupsTest {
  private static final LocalDate START = LocalDate.of(2020, 1, 1);
  private static final int CUSTOMERS = 1_200;
  private static final int CAP = 6;
  private static final String SCHEMA =
      """
      {"columns": [
        {"name": "customer", "kind": "integer"},
        {"name": "day", "kind": "date", "min": "2020-01-01", "max": "2020-12-31"},
        {"name": "home", "kind": "categorical", "missing": false, "values": ["town", "village"]},
        {"name": "amount", "kind": "integer", "missing": false, "min": 0, "max": 1000}
      ]}
      """;

  @TempDir private static Path temp;
  private static String toldWhileLearning;

  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  /** Orders of customers with one home each; town's come weekly and are dear. */
  private static List<String> orders() {
    SplittableRandom random = new SplittableRandom(6);
    List<String> lines = new ArrayList<>();
    for (int c = 0; c < CUSTOMERS; c++) {
      LocalDate day = START.plusDays(random.nextInt(60));
      boolean isTown = random.nextBoolean();
      int rows = 1;
      do {
        int amount = (isTown ? 600 : 100) + random.nextInt(100);
        lines.add("%d,%s,%s,%d".formatted(7_000 + c, day, isTown ? "town" : "village", amount));
        day = day.plusDays(isTown ? 7 : 28);
      } while (random.nextInt(5) > 0 && rows++ < 10);
    }
    return lines;
  }

  private static Path csv(String name, List<String> lines) throws IOException {
    List<String> all = new ArrayList<>(List.of("customer,day,home,amount"));
    all.addAll(lines);
    return Files.write(temp.resolve(name), all);
  }

  @BeforeAll
  static void learn() throws IOException {
    LocalSpark.session();
    Files.writeString(temp.resolve("schema.json"), SCHEMA);
    PrivateGroupsTest test = new PrivateGroupsTest();
    Path table = csv("orders.csv", orders());
    assertEquals(
        0,
        test.run("learned", table, "--privacy.max_rows_per_group", String.valueOf(CAP)),
        test::said);
    toldWhileLearning = test.said();
  }

  private int run(String id, Path table, String... more) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("--run-path", temp.resolve(id).toString());
    options.put("--data-source", table.toString());
    options.put("--data.random_state", "3");
    options.put("--data.group_training_examples_by", "customer");
    options.put("--data.order_training_examples_by", "day");
    options.put("--data.schema_file", temp.resolve("schema.json").toString());
    options.put("--privacy.dp_enabled", "true");
    options.put("--privacy.epsilon", "8");
    options.put("--generation.num_records", "1500");
    for (int i = 0; i < more.length; i += 2) {
      options.put(more[i], more[i + 1]);
    }
    List<String> all = new ArrayList<>(List.of("run"));
    options.forEach((name, value) -> all.addAll(List.of(name, value)));
    err.reset();
    return Main.execute(
        all.toArray(String[]::new),
        new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        Map.of());
  }

  private String said() {
    return err.toString(StandardCharsets.UTF_8);
  }

  private static JsonNode json(String id, String name) throws IOException {
    return new ObjectMapper().readTree(temp.resolve(id).resolve(name).toFile());
  }

  @Test
  void theLedgerIsAboutGroups() throws IOException {
    JsonNode ledger = json("learned", "privacy.json");
    assertEquals("group (all rows with one value of 'customer')", ledger.path("unit").asText());
    assertEquals(CAP, ledger.path("most_rows_per_unit").asInt());
    double groups = ledger.path("units").asDouble();
    assertEquals(CUSTOMERS, groups, 100, "groups are counted, not rows");
    assertEquals(Math.pow(groups, -1.2), ledger.path("delta").asDouble(), 1e-12);
    assertTrue(ledger.path("epsilon").asDouble() <= 8);
    assertTrue(ledger.path("epsilon").asDouble() > 7.9, "most of the budget is used");
    assertTrue(ledger.path("secure_random").asBoolean());
    assertEquals("fresh keys", ledger.path("domain").path("customer").asText());
    List<String> names = new ArrayList<>();
    ledger.path("mechanisms").forEach(m -> names.add(m.path("entry").path("name").asText()));
    assertEquals(
        List.of(
            "count",
            "group sizes",
            "varying columns",
            "single columns",
            "first rows single columns",
            "first rows scores",
            "first rows tree",
            "steps single columns",
            "steps scores",
            "steps tree",
            "training"),
        names);
    double rate = ledger.path("training").path("sampling_rate").asDouble();
    double batch = ledger.path("training").path("expected_batch_size").asDouble();
    assertTrue(batch / rate <= groups, "the batch is a part of the groups");
    assertTrue(ledger.path("statement").asText().contains("any one group"));
    assertTrue(ledger.path("not_covered").toString().contains("a row has no group"));
  }

  @Test
  void nothingExactIsLeftBehind() throws IOException {
    try (Stream<Path> files = Files.walk(temp.resolve("learned"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        assertFalse(text.contains("loss_bits"), file::toString);
      }
    }
    assertFalse(Files.exists(temp.resolve("learned/work")));
    assertFalse(Files.exists(temp.resolve("learned/checkpoints")));
    JsonNode layout = json("learned", "model/groups.json");
    assertEquals(CAP, layout.path("most_rows").asInt(), "the longest group has 11 rows");
    assertTrue(layout.path("mean_rows").asDouble() != (double) orders().size() / CUSTOMERS);
  }

  @Test
  void groupsAreWholeOrderedAndFresh() {
    Map<Long, List<Row>> groups = new LinkedHashMap<>();
    for (Row row :
        LocalSpark.session()
            .read()
            .parquet(temp.resolve("learned/synthetic").toString())
            .collectAsList()) {
      groups.computeIfAbsent(row.getLong(0), key -> new ArrayList<>()).add(row);
    }
    int rows = 0;
    int dear = 0;
    for (List<Row> group : groups.values()) {
      LocalDate before = START;
      for (Row row : group) {
        LocalDate day = row.getDate(1).toLocalDate();
        assertFalse(day.isBefore(before) || day.isAfter(LocalDate.of(2020, 12, 31)));
        assertEquals(group.get(0).getString(2), row.getString(2), "a home does not change");
        before = day;
        rows++;
        dear += row.getLong(3) >= 400 == row.getString(2).equals("town") ? 1 : 0;
      }
    }
    assertTrue(rows >= 1_500);
    double mean = (double) orders().size() / CUSTOMERS; // at most 11, learned up to 6
    assertEquals(mean, (double) rows / groups.size(), 0.25 * mean);
    assertTrue(dear > 0.85 * rows, dear + " of " + rows + " amounts fit the home");
  }

  /** Whole groups are held out, each by its own hash: one more group moves no other. */
  @Test
  void aFurtherGroupMovesNoOther() throws IOException {
    List<String> more = new ArrayList<>(orders());
    for (int r = 0; r < 40; r++) {
      more.add(more.size() / 2, "99,2020-03-01,town,500");
    }
    Set<Integer> without = heldOut(temp.resolve("orders.csv"));
    Set<Integer> with = heldOut(csv("more.csv", more));
    with.remove(99);
    assertEquals(without, with);
    assertTrue(without.size() > 30 && without.size() < 100, without.size() + " of 1,200 at 5 %");
  }

  private static Set<Integer> heldOut(Path file) {
    RunFolder folder =
        RunFolder.toGenerate(
            new Configuration(), new org.apache.hadoop.fs.Path(temp.resolve("learned").toUri()));
    RunContext context =
        new RunContext(
            LocalSpark.session(),
            ConfigReader.read(folder.read(RunFolder.CONFIG).orElseThrow(), "c", Map.of()),
            folder,
            Console.plain(),
            3);
    TableSource table =
        TableSource.open(
            LocalSpark.session(), new TableSource.Address(file.toString(), null, Map.of()));
    try (HeldOut parts =
        HeldOut.ofPrivate(context, table, SchemaStage.read(folder), PrivateUnits.ofRun(context))) {
      Set<Integer> held = keys(parts.holdout().orElseThrow().rows());
      Set<Integer> both = keys(parts.reference().rows());
      both.retainAll(held);
      assertTrue(both.isEmpty(), "no group is on both sides");
      return held;
    }
  }

  private static Set<Integer> keys(org.apache.spark.sql.Dataset<Row> rows) {
    return new HashSet<>(
        rows.select(org.apache.spark.sql.functions.col("customer").cast("int"))
            .distinct()
            .as(Encoders.INT())
            .collectAsList());
  }

  @Test
  void fewGroupsAreWarnedOf() throws IOException {
    assertEquals(2, run("few", csv("few.csv", orders().subList(0, 40))));
    assertTrue(said().contains("too few for privacy.epsilon"), this::said);
    assertTrue(said().contains("groups"), this::said);
    assertTrue(
        toldWhileLearning.contains("privacy units are few"), "1,200 groups are below 10,000");
  }

  @Test
  void rowsWithoutAGroupAreRefused() throws IOException {
    List<String> lines = new ArrayList<>(orders());
    lines.add(",2020-02-02,town,5");
    assertEquals(2, run("keyless", csv("keyless.csv", lines)), this::said);
    assertTrue(said().contains("'customer'") && said().contains("no group is theirs"), this::said);
    assertFalse(Files.exists(temp.resolve("keyless/bought")), "nothing was paid for");
  }

  @Test
  void rowsWithoutATimeAreRefused() throws IOException {
    List<String> lines = new ArrayList<>(orders());
    lines.add("7001,some day,town,5");
    assertEquals(2, run("timeless", csv("timeless.csv", lines)), this::said);
    assertTrue(said().contains("'day'") && said().contains("ordered"), this::said);
  }

  @Test
  void theOrderMustBeANumberOrATime() throws IOException {
    assertEquals(
        2,
        run("wordy", temp.resolve("orders.csv"), "--data.order_training_examples_by", "home"),
        this::said);
    assertTrue(said().contains("'home' orders the rows"), this::said);
  }

  @Tag("slow")
  @Test
  void aDomainMayBeBoughtFromOneRowOfEachGroup() throws IOException {
    Files.writeString(
        temp.resolve("part.json"),
        "{\"columns\": [{\"name\": \"day\", \"kind\": \"date\", \"min\": \"2020-01-01\", \"max\": \"2020-12-31\"}]}");
    assertEquals(
        0,
        run(
            "bought",
            temp.resolve("orders.csv"),
            "--data.schema_file",
            temp.resolve("part.json").toString(),
            "--privacy.epsilon",
            "10",
            "--privacy.domain_epsilon_share",
            "0.4",
            "--training.num_input_records_to_sample",
            "800",
            "--evaluation.enabled",
            "false"),
        this::said);
    JsonNode ledger = json("bought", "privacy.json");
    assertEquals("bought", ledger.path("domain").path("home").asText());
    assertTrue(ledger.path("epsilon").asDouble() <= 10);
    for (JsonNode line : ledger.path("mechanisms")) {
      if (line.path("entry").path("name").asText().equals("forms")) {
        double sensitivity = line.path("entry").path("l2_sensitivity").asDouble();
        assertEquals(Math.sqrt(2), sensitivity, 1e-12, "one row of a group in each of 2 columns");
      }
    }
    JsonNode columns = json("bought", "schema.json").path("columns");
    assertEquals("[\"town\",\"village\"]", columns.get(2).path("values").toString());
    assertTrue(columns.get(3).path("max").asLong() >= 600);
    assertTrue(ledger.path("most_rows_per_unit").asInt() >= 7, "sizes go up to 11");
  }

  @Tag("slow")
  @Test
  void noisyTablesAloneMakeGroupsToo() throws IOException {
    assertEquals(
        0,
        run(
            "tables",
            temp.resolve("orders.csv"),
            "--privacy.marginal_epsilon_share",
            "1",
            "--evaluation.enabled",
            "false"),
        this::said);
    assertFalse(json("tables", "privacy.json").hasNonNull("training"));
    assertTrue(
        LocalSpark.session().read().parquet(temp.resolve("tables/synthetic").toString()).count()
            >= 1_500);
  }
}
