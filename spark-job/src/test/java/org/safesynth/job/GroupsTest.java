package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.config.ConfigReader;
import org.safesynth.evaluate.TypedTable;

/** Whole runs on tables of groups, through the command line. */
@Tag("spark")
final class GroupsTest {
  private static final LocalDate START = LocalDate.of(2020, 1, 1);
  private static final LocalDate STOP = LocalDate.of(2020, 12, 31);

  @TempDir private static Path temp;

  private final CommandRuns runs = new CommandRuns(temp);

  /** Orders of customers: a weekly or monthly rhythm, one home, amounts near the customer's own. */
  private static List<String> orders(int customers) {
    SplittableRandom random = new SplittableRandom(6);
    List<String> lines = new ArrayList<>();
    for (int c = 0; c < customers; c++) {
      LocalDate day = START.plusDays(random.nextInt(60));
      boolean weekly = random.nextBoolean();
      int level = random.nextInt(1, 5);
      String home = weekly ? "town" : "village";
      do {
        lines.add("C%04d,%s,%s,%d".formatted(3 * c, day, home, 100 * level + random.nextInt(20)));
        day = day.plusDays(weekly ? 7 : 28 + random.nextInt(4));
      } while (random.nextInt(5) > 0 && !day.isAfter(STOP));
    }
    return lines;
  }

  private static Path csv(String name, String header, List<String> lines) throws IOException {
    List<String> all = new ArrayList<>(List.of(header));
    all.addAll(lines);
    return Files.write(temp.resolve(name), all);
  }

  private static final String HEADER = "customer,day,home,amount";

  @BeforeAll
  static void learn() throws IOException {
    LocalSpark.session();
    GroupsTest test = new GroupsTest();
    Path table = csv("orders.csv", HEADER, orders(500));
    assertEquals(0, test.run("learned", train(table)), test.runs.said());
  }

  private static String[] train(Path table, String... more) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("--data-source", table.toString());
    options.put("--data.random_state", "3");
    options.put("--data.group_training_examples_by", "customer");
    options.put("--data.order_training_examples_by", "day");
    options.put("--training.num_input_records_to_sample", "80000");
    options.put("--generation.num_records", "3000");
    return CommandRuns.options(options, more);
  }

  private int run(String id, String... arguments) {
    return runs.command("run", id, arguments);
  }

  private static Dataset<Row> written(String id) {
    return LocalSpark.session().read().parquet(temp.resolve(id).resolve("synthetic").toString());
  }

  @Test
  void groupsAreWholeOrderedAndFresh() throws IOException {
    Map<String, List<Row>> groups = runs.groups("learned");
    int rows = groups.values().stream().mapToInt(List::size).sum();
    int longest = groups.values().stream().mapToInt(List::size).max().orElse(0);
    assertTrue(rows >= 3_000 && rows < 3_000 + longest, rows + " rows");
    double weekly = 0;
    double steps = 0;
    for (Map.Entry<String, List<Row>> group : groups.entrySet()) {
      assertTrue(group.getKey().matches("C\\d{4,}"), group.getKey());
      assertTrue(group.getKey().length() > 5, group.getKey() + " may be a real customer");
      LocalDate before = null;
      for (Row row : group.getValue()) {
        assertEquals(group.getValue().get(0).getString(2), row.getString(2));
        LocalDate day = row.getDate(1).toLocalDate();
        assertFalse(day.isAfter(STOP), day.toString());
        if (before != null) {
          assertFalse(day.isBefore(before), before + " then " + day);
          steps++;
          weekly += before.plusDays(7).equals(day) == row.getString(2).equals("town") ? 1 : 0;
        }
        before = day;
      }
    }
    assertTrue(weekly > 0.9 * steps, weekly + " of " + steps + " steps fit the customer's home");
    double mean = (double) rows / groups.size();
    double real = (double) orders(500).size() / 500;
    assertEquals(real, mean, 0.15 * real);
  }

  @Test
  void noGroupIsBothLearnedAndHeldOut() {
    RunFolder folder = folder();
    RunContext context = context(folder);
    RunResult result = folder.result().orElseThrow();
    TableSource table =
        TableSource.open(
            LocalSpark.session(),
            new TableSource.Address(temp.resolve("orders.csv").toString(), null, Map.of()));
    Split split = Split.of(orders(500).size(), context.config());
    try (HeldOut parts = HeldOut.of(context, table, SchemaStage.read(folder), split)) {
      Set<String> learned = keys(parts.reference());
      Set<String> heldOut = keys(parts.holdout().orElseThrow());
      assertEquals(500, learned.size() + heldOut.size());
      assertTrue(Collections.disjoint(learned, heldOut));
      long rows = parts.holdout().orElseThrow().rows().count();
      assertTrue(rows >= split.holdout(), rows + " of " + split.holdout());
    }
    assertEquals("succeeded", result.status());
  }

  private static Set<String> keys(TypedTable table) {
    return new HashSet<>(
        table.rows().select("customer").as(Encoders.STRING()).distinct().collectAsList());
  }

  @Test
  void amountsBelongToTheirCustomer() {
    double within = 0;
    double all = 0;
    double sum = 0;
    double squares = 0;
    int rows = 0;
    for (List<Row> group : runs.groups("learned").values()) {
      double mean =
          group.stream().mapToDouble(r -> ((Number) r.get(3)).doubleValue()).average().orElse(0);
      for (Row row : group) {
        double amount = ((Number) row.get(3)).doubleValue();
        if (group.size() > 2) {
          within += Math.pow(amount - mean, 2);
          sum += amount;
          squares += amount * amount;
          rows++;
        }
      }
    }
    all = squares - sum * sum / rows;
    assertTrue(within < 0.3 * all, within / all + " of the variance is within customers");
  }

  /** 40 accounts: a deposit of hundreds first, then 30 small payments. */
  @Test
  void fewGroupsBeginAsFirstRowsDo() throws IOException {
    SplittableRandom random = new SplittableRandom(4);
    List<String> lines = new ArrayList<>();
    for (int account = 0; account < 40; account++) {
      for (int row = 0; row <= 30; row++) {
        int amount = row == 0 ? random.nextInt(300, 900) : random.nextInt(2, 20);
        lines.add("A%03d,%s,%s,%d".formatted(account, START.plusDays(row), "home", amount));
      }
    }
    Path table = csv("accounts.csv", HEADER, lines);
    assertEquals(0, run("accounts", train(table)), runs.said());
    for (List<Row> group : runs.groups("accounts").values()) {
      for (int row = 0; row < group.size(); row++) {
        double amount = ((Number) group.get(row).get(3)).doubleValue();
        assertEquals(row == 0, amount >= 200, "%f in row %d".formatted(amount, row));
      }
    }
  }

  @Test
  void aModelOfGroupsCompletesNoSingleRows() {
    String table = temp.resolve("orders.csv").toString();
    assertEquals(2, runs.command("run impute", "learned", "--data-source", table), runs.said());
    assertTrue(
        runs.said().contains("has learned groups, and single rows are completed"), runs.said());
  }

  @Test
  void asManyGroupsAsAskedFor() throws IOException {
    assertEquals(
        0, runs.command("run generate", "learned", "--generation.num_groups", "77"), runs.said());
    assertEquals(77, runs.groups("learned").size());
    assertEquals(
        0,
        runs.command("run generate", "learned", "--generation.num_records", "3000"),
        runs.said());
  }

  @Test
  void constraintsKeepTheGroupsAllOfWhoseRowsMeetThem() throws IOException {
    String[] all = {"--generation.num_groups", "600"};
    assertEquals(0, runs.command("run generate", "learned", all), runs.said());
    Map<String, List<Row>> free = runs.groups("learned");
    String[] asked = {
      "--generation.num_groups",
      "40",
      "--generation.constraints",
      "[\"amount < 300\", \"home = 'town'\"]"
    };
    assertEquals(0, runs.command("run generate", "learned", asked), runs.said());
    Map<String, List<Row>> kept = runs.groups("learned");
    assertEquals(40, kept.size());
    long meeting = 0;
    for (Map.Entry<String, List<Row>> group : free.entrySet()) {
      boolean meets =
          group.getValue().stream()
              .allMatch(row -> row.getLong(3) < 300 && row.getString(2).equals("town"));
      if (meets && ++meeting <= 40) {
        assertEquals(group.getValue(), kept.get(group.getKey()), "not the model's own group");
      }
    }
    assertTrue(meeting >= 40, meeting + " of the free groups meet the constraints");
    String rejected = Files.readString(temp.resolve("learned").resolve("rejected.json"));
    assertTrue(rejected.contains("rejected_groups") && rejected.contains("amount < 300"), rejected);
    String[] never = {
      "--generation.num_groups", "5", "--generation.constraints", "[\"length(home) > 90\"]"
    };
    assertEquals(1, runs.command("run generate", "learned", never), runs.said());
    assertTrue(runs.said().contains("sampled groups meet generation.constraints"), runs.said());
    String[] contrary = {
      "--generation.num_groups",
      "5",
      "--generation.constraints",
      "[\"amount < 200\", \"amount > 300\"]"
    };
    assertEquals(2, runs.command("run generate", "learned", contrary), runs.said());
    assertTrue(runs.said().contains("contradict each other"), runs.said());
    String[] dividing = {"--generation.constraints", "[\"amount / (amount - amount) > 1\"]"};
    assertEquals(2, runs.command("run generate", "learned", dividing), runs.said());
    assertTrue(runs.said().contains("some rows (divide by zero)"), runs.said());
    assertEquals(
        0,
        runs.command("run generate", "learned", "--generation.num_records", "3000"),
        runs.said());
  }

  /** Keys that a file declares as numbers are keys nevertheless: none is real or comes up twice. */
  @Test
  void declaredKeysAreFreshToo() throws IOException {
    List<String> lines =
        orders(150).stream().map(line -> line.substring(1).replaceFirst("^0*(?=\\d)", "")).toList();
    Path table = csv("numbers.csv", HEADER, lines);
    Path schema =
        Files.writeString(
            temp.resolve("declared.json"),
            "{\"columns\": [{\"name\": \"customer\", \"kind\": \"integer\", \"min\": 0, \"max\": 449}]}");
    String[] options = brief(table);
    List<String> all = new ArrayList<>(List.of(options));
    all.addAll(List.of("--data.schema_file", schema.toString()));
    assertEquals(0, run("declared", all.toArray(String[]::new)), runs.said());
    Dataset<Row> rows = written("declared");
    Set<String> real =
        lines.stream().map(line -> line.split(",")[0]).collect(java.util.stream.Collectors.toSet());
    List<String> keys =
        rows.select("customer").distinct().collectAsList().stream()
            .map(row -> String.valueOf(row.get(0)))
            .toList();
    assertTrue(keys.stream().noneMatch(real::contains), keys.toString());
    assertTrue(runs.said().contains("as the key of groups it is an identifier"), runs.said());
  }

  @Test
  void theSameRowsComeOutForAnyOrderOfTheInput() throws IOException {
    List<String> lines = orders(120);
    assertEquals(0, run("one", brief(csv("one.csv", HEADER, lines))), runs.said());
    Collections.shuffle(lines, new Random(1));
    assertEquals(0, run("other", brief(csv("other.csv", HEADER, lines))), runs.said());
    assertEquals(sorted(written("one")), sorted(written("other")));
  }

  private static String[] brief(Path table) {
    return train(
        table,
        "--training.num_input_records_to_sample",
        "2000",
        "--generation.num_records",
        "400",
        "--evaluation.enabled",
        "false");
  }

  private static List<String> sorted(Dataset<Row> table) {
    return table.toJSON().collectAsList().stream().sorted().toList();
  }

  @Test
  void theSameGroupsComeOutForAnyTasksAndAfterARetry() {
    SparkSession spark = LocalSpark.session();
    RunFolder folder = folder();
    GroupGeneration generation = new GroupGeneration(context(folder), SchemaStage.read(folder));
    GroupShardSampler sampler = generation.sampler(1_500, spark.sparkContext().longAccumulator());
    List<String> expected = null;
    for (int tasks : new int[] {1, 2, 3}) {
      Dataset<Long> shards =
          spark
              .range(0, 3, 1, tasks)
              .map((MapFunction<Long, Long>) GroupsTest::failingOnce, Encoders.LONG());
      List<String> rows = sorted(generation.sampled(shards, sampler));
      expected = expected == null ? rows : expected;
      assertEquals(expected, rows);
    }
  }

  private static RunFolder folder() {
    return RunFolder.toGenerate(
        new Configuration(), new org.apache.hadoop.fs.Path(temp.resolve("learned").toUri()));
  }

  private static RunContext context(RunFolder folder) {
    return new RunContext(
        LocalSpark.session(),
        ConfigReader.read(folder.read(RunFolder.CONFIG).orElseThrow(), "c", Map.of()),
        folder,
        Console.plain(),
        3);
  }

  private static long failingOnce(long shard) {
    if (shard == 1 && TaskContext.get().attemptNumber() == 0) {
      throw new IllegalStateException("injected");
    }
    return shard;
  }

  @Test
  void withoutAnOrderColumnTheInputsOrderIsLearned() throws IOException {
    List<String> lines = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(1);
    for (int g = 0; g < 300; g++) {
      int from = random.nextInt(3);
      for (int i = 0; i < 3; i++) {
        lines.add("g%d,%c".formatted(g, "abcabc".charAt(from + i)));
      }
    }
    assertEquals(
        0,
        run(
            "walk",
            "--data-source",
            csv("walk.csv", "group,letter", lines).toString(),
            "--data.group_training_examples_by",
            "group",
            "--data.random_state",
            "1",
            "--generation.num_groups",
            "100",
            "--evaluation.enabled",
            "false"),
        runs.said());
    Map<String, StringBuilder> words = new HashMap<>();
    for (Row row : written("walk").collectAsList()) {
      words.computeIfAbsent(row.getString(0), key -> new StringBuilder()).append(row.getString(1));
    }
    long right =
        words.values().stream()
            .filter(word -> List.of("abc", "bca", "cab").contains(word.toString()))
            .count();
    assertTrue(right > 80, right + " of 100 groups are walks: " + words.values());
  }

  @Test
  void theSmallestGroupsAreLearned() throws IOException {
    List<String> single = new ArrayList<>();
    List<String> ones = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      single.add("C1,%s,town,%d".formatted(START.plusDays(3 * i), 10 + i % 4));
      ones.add("C%03d,%s,town,%d".formatted(i, START.plusDays(i), 10 + i % 4));
    }
    assertEquals(0, run("single", brief(csv("single.csv", HEADER, single))), runs.said());
    assertTrue(runs.said().contains("a single group"), runs.said());
    assertEquals(0, run("ones", brief(csv("ones.csv", HEADER, ones))), runs.said());
    runs.groups("ones").values().forEach(group -> assertEquals(1, group.size()));
  }

  private void refuses(String expected, String... arguments) {
    assertEquals(2, run("bad" + expected.hashCode(), arguments), runs.said());
    assertTrue(runs.said().contains(expected), runs.said());
  }

  @Test
  void badGroupsAndOrdersAreNamed() throws IOException {
    List<String> lines = orders(20);
    Path table = csv("good.csv", HEADER, lines);
    refuses(
        "data.order_training_examples_by is 'when', but",
        train(table, "--data.order_training_examples_by", "when"));
    refuses(
        "data.group_training_examples_by is 'who', but",
        train(table, "--data.group_training_examples_by", "who"));
    refuses(
        "the column of the groups itself",
        train(table, "--data.order_training_examples_by", "customer"));
    List<String> mixed = new ArrayList<>(lines);
    mixed.set(3, mixed.get(3).replaceFirst(",[0-9-]+,", ",soon,"));
    refuses(
        "of %,d values are no dates of the form yyyy-MM-dd, as the others are (first: row 4, a text: \"soon\"); mend them"
            .formatted(lines.size()),
        train(csv("mixed.csv", HEADER, mixed)));
    List<String> gaps = new ArrayList<>(lines);
    gaps.set(3, gaps.get(3).replaceFirst(",[0-9-]+,", ",,"));
    refuses("have no value there", train(csv("gaps.csv", HEADER, gaps)));
    List<String> nobody = new ArrayList<>(lines);
    nobody.set(3, nobody.get(3).replaceFirst("C[0-9]+,", ","));
    refuses("no group is theirs", train(csv("nobody.csv", HEADER, nobody)));
    refuses(
        "counts groups only where",
        "--data-source",
        table.toString(),
        "--generation.num_groups",
        "5");
  }
}
