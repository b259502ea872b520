package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.config.ConfigReader;
import org.safesynth.generate.GroupRules;
import org.safesynth.model.TinyLlama;

/** Groups on the road of pretrained models, through the command line. */
@Tag("spark")
final class LanguageGroupsTest {
  private static final LocalDate START = LocalDate.of(2020, 1, 1);
  private static final String HEADER = "customer,day,home,amount";

  @TempDir private static Path temp;
  private static Path model;

  private final CommandRuns runs = new CommandRuns(temp);

  @BeforeAll
  static void learn() throws IOException {
    LocalSpark.session();
    model = Files.createDirectories(temp.resolve("tinyllama-random"));
    TinyLlama.write(model);
    LanguageGroupsTest test = new LanguageGroupsTest();
    Path table = csv("orders.csv", orders(60));
    assertEquals(0, test.runs.command("run", "learned", train(table)), test.runs.said());
  }

  /** A copy of the run, for a test that changes it. */
  private static Path copied(String id) throws IOException {
    Path from = temp.resolve("learned");
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, temp.resolve(id).resolve(from.relativize(file).toString()));
      }
    }
    return temp.resolve(id);
  }

  private static List<String> orders(int customers) {
    SplittableRandom random = new SplittableRandom(6);
    List<String> lines = new ArrayList<>();
    for (int c = 0; c < customers; c++) {
      LocalDate day = START.plusDays(random.nextInt(60));
      String home = random.nextBoolean() ? "town" : "village";
      for (int rows = 1 + random.nextInt(4); rows > 0; rows--) {
        lines.add("C%04d,%s,%s,%d".formatted(3 * c, day, home, random.nextInt(90)));
        day = day.plusDays(random.nextInt(9));
      }
    }
    return lines;
  }

  private static Path csv(String name, List<String> lines) throws IOException {
    List<String> all = new ArrayList<>(List.of(HEADER));
    all.addAll(lines);
    return Files.write(temp.resolve(name), all);
  }

  private static String[] train(Path table, String... more) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("--data-source", table.toString());
    options.put("--training.pretrained_model", model.toString());
    options.put("--data.random_state", "3");
    options.put("--data.group_training_examples_by", "customer");
    options.put("--data.order_training_examples_by", "day");
    options.put("--training.num_input_records_to_sample", "300");
    options.put("--training.validation_ratio", "0.1");
    options.put("--training.lora_r", "4");
    options.put("--training.learning_rate", "0.01");
    options.put("--generation.num_records", "50");
    options.put("--generation.use_structured_generation", "true");
    return CommandRuns.options(options, more);
  }

  private static JsonNode json(String id, String file) throws IOException {
    return new ObjectMapper().readTree(Files.readAllBytes(temp.resolve(id).resolve(file)));
  }

  private List<String> rows(String id) {
    return runs.groups(id).values().stream()
        .flatMap(List::stream)
        .map(Row::toString)
        .sorted()
        .toList();
  }

  @Test
  void groupsAreWholeOrderedAndFresh() throws IOException {
    Set<String> real = new HashSet<>();
    orders(60).forEach(line -> real.add(line.substring(0, 5)));
    Map<String, List<Row>> groups = runs.groups("learned");
    int rows = groups.values().stream().mapToInt(List::size).sum();
    int longest = groups.values().stream().mapToInt(List::size).max().orElse(0);
    assertTrue(rows >= 50 && rows < 50 + longest, rows + " rows");
    assertTrue(longest > 1 && longest <= 6, "longest " + longest);
    groups.forEach(
        (key, members) -> {
          assertTrue(key.matches("C\\d{4,}"), key);
          assertFalse(real.contains(key), key);
          LocalDate before = LocalDate.MIN;
          for (Row row : members) {
            assertEquals(members.get(0).getString(2), row.getString(2));
            LocalDate day = row.getDate(1).toLocalDate();
            assertFalse(day.isBefore(before), before + " then " + day);
            before = day;
          }
        });
    JsonNode rejected = json("learned", "rejected.json");
    assertEquals(0, rejected.path("rejected").asInt());
    assertTrue(rejected.path("groups").path("valid").asInt() >= groups.size());
    JsonNode result = json("learned", "result.json");
    assertEquals(60, result.path("counts").path("groups").asInt());
    assertEquals(orders(60).size(), result.path("counts").path("rows").asInt());
    String losses = result.path("model").path("ended").asText();
    String[] figures =
        losses.replaceAll(".*loss ([0-9.]+) .* and ([0-9.]+) .*", "$1 $2").split(" ");
    assertTrue(Double.parseDouble(figures[1]) < Double.parseDouble(figures[0]), losses);
    assertTrue(json("learned", "metrics.json").toString().contains("group"), "groups are judged");
  }

  @Test
  void groupsAllOfWhoseRowsMeetTheConditionsAreKept() throws IOException {
    copied("constrained");
    String[] asked = {
      "--generation.num_groups",
      "20",
      "--generation.constraints",
      "[\"amount between 20 and 70\", \"home = 'town'\", \"day >= '2020-01-20'\"]"
    };
    assertEquals(0, runs.command("run generate", "constrained", asked), runs.said());
    Map<String, List<Row>> groups = runs.groups("constrained");
    assertEquals(20, groups.size());
    for (List<Row> members : groups.values()) {
      for (Row row : members) {
        assertEquals("town", row.getString(2));
        assertFalse(row.getDate(1).toLocalDate().isBefore(LocalDate.of(2020, 1, 20)));
        long amount = ((Number) row.get(3)).longValue();
        assertTrue(amount >= 20 && amount <= 70, row.toString());
      }
    }
    JsonNode rejected = json("constrained", "rejected.json");
    assertTrue(rejected.path("rejected_groups").asInt() > 0, rejected.toString());
    for (JsonNode reason : rejected.path("reasons")) {
      boolean isRejected =
          reason.path("reason").asText().contains("day"); // the grammar has the rest
      assertEquals(isRejected, reason.path("count").asLong() > 0, reason.toString());
    }
    String[] contrary = {"--generation.constraints", "[\"amount < 20\", \"amount > 30\"]"};
    assertEquals(2, runs.command("run generate", "constrained", contrary), runs.said());
    assertTrue(runs.said().contains("contradict each other"), runs.said());
  }

  @Test
  void asManyGroupsAsAskedForAndTheSameOnesAgain() throws IOException {
    copied("counted");
    assertEquals(
        0, runs.command("run generate", "counted", "--generation.num_groups", "21"), runs.said());
    assertEquals(21, runs.groups("counted").size());
    List<String> first = rows("counted");
    assertEquals(
        0, runs.command("run generate", "counted", "--generation.num_groups", "21"), runs.said());
    assertEquals(first, rows("counted"));
  }

  @Test
  void groupsLongerThanTheContextAreCutAndCountedWhateverTheInputsOrder() throws IOException {
    Path small = Files.createDirectories(temp.resolve("tinyllama-small"));
    TinyLlama.write(small);
    Files.writeString(
        small.resolve("config.json"),
        Files.readString(small.resolve("config.json"))
            .replace("\"max_position_embeddings\": 2048", "\"max_position_embeddings\": 250"));
    List<String> lines = orders(30);
    String[] more = {
      "--training.pretrained_model", small.toString(),
      "--training.rope_scaling_factor", "1",
      "--data.holdout", "10",
      "--training.num_input_records_to_sample", "60"
    };
    assertEquals(
        0, runs.command("run train", "cut", train(csv("cut.csv", lines), more)), runs.said());
    assertTrue(
        runs.said().matches("(?s).* groups are longer than the model's context.*"), runs.said());
    JsonNode counts = json("cut", "result.json").path("counts");
    assertTrue(counts.path("cut_groups").asInt() > 0, counts.toString());
    assertTrue(counts.path("holdout").asInt() >= 10, counts.toString());
    Collections.shuffle(lines, new Random(1));
    assertEquals(
        0, runs.command("run train", "mixed", train(csv("mixed.csv", lines), more)), runs.said());
    assertEquals(
        json("cut", "adapter/manifest.json").path("sha256"),
        json("mixed", "adapter/manifest.json").path("sha256"));
  }

  @Test
  void groupsThatNeverEndAreRejectedByReason() throws IOException {
    copied("free");
    int code =
        runs.command(
            "run generate",
            "free",
            "--generation.use_structured_generation",
            "false",
            "--generation.num_groups",
            "4");
    assertEquals(1, code, runs.said());
    assertTrue(runs.said().contains("Group BOS and/or EOS tokens missing"), runs.said());
  }

  @Test
  void theSwitchesOfValidationReachTheReader() {
    RunFolder folder =
        RunFolder.toGenerate(
            new Configuration(), new org.apache.hadoop.fs.Path(temp.resolve("learned").toUri()));
    String[] names = {
      "group_by_accept_no_delineator",
      "group_by_ignore_invalid_records",
      "group_by_fix_non_unique_value",
      "group_by_fix_unordered_records"
    };
    for (int on = 0; on < names.length; on++) {
      Map<String, String> wish = Map.of("generation.validation." + names[on], "true");
      RunContext context =
          new RunContext(
              LocalSpark.session(),
              ConfigReader.read(folder.read(RunFolder.CONFIG).orElseThrow(), "c", wish),
              folder,
              Console.plain(),
              3);
      GroupRules rules = new LanguageStage(context, SchemaStage.read(folder)).rules();
      boolean[] read = {
        rules.acceptsMissingMarks(),
        rules.ignoresInvalidRecords(),
        rules.fixesKey(),
        rules.fixesOrder()
      };
      for (int s = 0; s < read.length; s++) {
        assertEquals(s == on, read[s], names[s]);
      }
      assertEquals(List.of(0, 1), List.of(rules.groupColumn(), rules.orderColumn()));
      assertArrayEquals(new boolean[] {false, false, true, false}, rules.constant());
      assertEquals(6, rules.mostRows());
    }
  }

  @Test
  void anAdapterThatHasSeenNoGroupsWritesNone() throws IOException {
    Path context = copied("alone").resolve("adapter/context.json");
    String text = Files.readString(context);
    Files.writeString(context, text.replaceAll("(?s),\\s*\"groups\".*", "}"));
    assertEquals(2, runs.command("run generate", "alone"), runs.said());
    assertTrue(runs.said().contains("does not say that it has learned such groups"), runs.said());
    Path table = temp.resolve("orders.csv");
    assertEquals(
        2, runs.command("run impute", "learned", "--data-source", table.toString()), runs.said());
    assertTrue(
        runs.said().contains("has learned groups, and single rows are completed"), runs.said());
    refuses(
        "data.order_training_examples_by is 'when', but",
        train(temp.resolve("orders.csv"), "--data.order_training_examples_by", "when"));
  }

  private void refuses(String expected, String... arguments) {
    assertEquals(2, runs.command("run", "bad" + expected.hashCode(), arguments), runs.said());
    assertTrue(runs.said().contains(expected), runs.said());
  }
}
