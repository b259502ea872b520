package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.safesynth.model.TinyLlama;

/** Whole private runs of a pretrained model, through the command line. */
@Tag("spark")
final class PrivateLanguageRunTest {
  private static final int ROWS = 700;
  private static final String SCHEMA =
      """
      {"columns": [
        {"name": "key", "kind": "identifier", "missing": false, "max_length": 6},
        {"name": "age", "kind": "integer", "missing": true, "min": 0, "max": 120},
        {"name": "town", "kind": "categorical", "missing": false, "values": ["north", "south"]},
        {"name": "note", "kind": "text", "missing": true, "max_length": 6}
      ]}
      """;
  private static final Pattern LOSS = Pattern.compile("training loss[^a-z]{0,3}[0-9]");

  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  @TempDir private Path temp;
  private Path model;
  private Path table;

  @BeforeAll
  static void useTheSharedSession() {
    LocalSpark.session();
  }

  /**
   * One row is outside the domain in every column, and its note alone is longer than the context.
   */
  @BeforeEach
  void makeModelAndTable() throws IOException {
    model = Files.createDirectories(temp.resolve("tinyllama-random"));
    TinyLlama.write(model);
    SplittableRandom random = new SplittableRandom(8);
    StringBuilder csv = new StringBuilder("key,age,town,note\n");
    csv.append("K-00000007,old,west,").append("secret".repeat(3_000)).append('\n');
    for (int i = 1; i < ROWS; i++) {
      int age = random.nextInt(18, 90);
      csv.append("K-%04d,".formatted(i)).append(i % 50 == 0 ? "" : age);
      csv.append(age < 50 ? ",north," : ",south,").append(i % 9 == 0 ? "" : "n" + i % 4);
      csv.append('\n');
    }
    table = Files.writeString(temp.resolve("table.csv"), csv);
    Files.writeString(temp.resolve("schema.json"), SCHEMA);
  }

  private List<String> arguments(String command, String... more) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("--data-source", table.toString());
    options.put("--data.schema_file", temp.resolve("schema.json").toString());
    options.put("--training.pretrained_model", model.toString());
    options.put("--data.random_state", "3");
    options.put("--training.num_input_records_to_sample", "300");
    options.put("--training.lora_r", "4");
    options.put("--training.learning_rate", "0.01");
    options.put("--privacy.dp_enabled", "true");
    options.put("--privacy.epsilon", "8");
    options.put("--evaluation.enabled", "false");
    options.put("--generation.num_records", "40");
    options.put("--generation.use_structured_generation", "true");
    List<String> all = new ArrayList<>(List.of(command.split(" ")));
    for (int i = 0; i < more.length; i++) {
      if (i + 1 < more.length && !more[i + 1].startsWith("--")) {
        options.put(more[i], more[++i]);
      } else {
        all.add(more[i]);
      }
    }
    all.addAll(List.of("--artifact-path", temp.resolve("out").toString(), "--run-id", "r"));
    options.forEach((name, value) -> all.addAll(List.of(name, value)));
    return all;
  }

  private int execute(List<String> arguments) {
    err.reset();
    return Main.execute(
        arguments.toArray(String[]::new),
        new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        Map.of());
  }

  private int run(String command, String... more) {
    return execute(arguments(command, more));
  }

  private String said() {
    return err.toString(StandardCharsets.UTF_8);
  }

  private JsonNode json(String name) throws IOException {
    return new ObjectMapper().readTree(temp.resolve("out/r").resolve(name).toFile());
  }

  private List<Row> rows() {
    return LocalSpark.session()
        .read()
        .parquet(temp.resolve("out/r/synthetic").toString())
        .collectAsList();
  }

  @Test
  void aPrivateAdapterHasATrueLedgerAndWritesTheDomainOnly() throws IOException {
    assertEquals(0, run("run", "--evaluation.enabled", "true"), this::said);
    JsonNode ledger = json("privacy.json");
    assertTrue(ledger.path("epsilon").asDouble() <= 8);
    assertTrue(ledger.path("epsilon").asDouble() > 7.9, "most of the budget is used");
    assertTrue(ledger.path("secure_random").asBoolean());
    List<String> names = new ArrayList<>();
    ledger.path("mechanisms").forEach(m -> names.add(m.path("entry").path("name").asText()));
    assertTrue(
        names.containsAll(List.of("count", "single columns", "scores", "tree", "training")),
        names::toString);
    JsonNode model = json("result.json").path("model");
    assertEquals(ledger.path("training").path("steps").asLong(), model.path("steps").asLong());
    assertEquals(300, model.path("format_rows").asLong());

    String spent = "epsilon %.3f so far".formatted(ledger.path("epsilon").asDouble());
    assertTrue(said().contains(spent), spent + " in " + said());
    assertTrue(said().contains("not private: for the operator only"), this::said);
    assertTrue(LOSS.matcher(said()).find(), "the pattern finds what it looks for");
    try (Stream<Path> files = Files.walk(temp.resolve("out/r"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        assertFalse(text.contains("loss_nats_per_token"), file::toString);
        assertFalse(LOSS.matcher(text).find(), file::toString);
        boolean isInternal = file.getFileName().toString().matches("report.html|metrics.json");
        assertTrue(isInternal || !text.contains("secret"), file::toString);
        assertTrue(isInternal || !text.contains("west"), file::toString);
      }
    }
    assertFalse(Files.exists(temp.resolve("out/r/checkpoints")));
    assertFalse(Files.exists(temp.resolve("out/r/work")));
    assertTrue(Files.exists(temp.resolve("out/r/adapter/encoding.json")));

    List<Row> rows = rows();
    assertEquals(40, rows.size());
    for (Row row : rows) {
      assertTrue(row.getString(0).matches("[0-9]{7,}"), row::toString);
      assertTrue(row.isNullAt(1) || (row.getLong(1) >= 0 && row.getLong(1) <= 120), row::toString);
      assertTrue(List.of("north", "south").contains(row.getString(2)), row::toString);
    }
    assertEquals(40, rows.stream().map(row -> row.getString(0)).distinct().count());
    List<String> first = rows.stream().map(Row::toString).sorted().toList();
    assertEquals(
        0,
        execute(List.of("run", "generate", "--run-path", temp.resolve("out/r").toString())),
        this::said);
    assertEquals(first, rows().stream().map(Row::toString).sorted().toList());
  }

  /** Kinds, values, ranges and lengths are bought: the prompt, the grammar and the limit follow. */
  @Test
  void aDomainMayBeBought() throws IOException {
    Files.writeString(temp.resolve("schema.json"), "{\"columns\": []}");
    String[] bought = {
      "--privacy.epsilon", "12",
      "--privacy.domain_epsilon_share", "0.4",
      "--privacy.marginal_epsilon_share", "1",
      "--training.num_input_records_to_sample", "64"
    };
    assertEquals(0, run("run", bought), this::said);
    JsonNode ledger = json("privacy.json");
    assertEquals("bought", ledger.path("domain").path("town").asText());
    assertTrue(ledger.path("epsilon").asDouble() <= 12);
    JsonNode columns = json("schema.json").path("columns");
    assertEquals("integer", columns.get(1).path("kind").asText());
    assertEquals("[\"north\",\"south\"]", columns.get(2).path("values").toString());
    String adapter = Files.readString(temp.resolve("out/r/adapter/encoding.json"));
    assertTrue(adapter.contains("north") && !adapter.contains("west"), adapter);
    assertTrue(json("adapter/context.json").path("longest_record").asInt() < 400);
    assertEquals(40, rows().size());
  }

  /** The noise is fresh, so two runs of one seed end with two adapters. */
  @Test
  void withoutMarginalsOrWithNothingElse() throws IOException {
    assertEquals(0, run("run train", "--privacy.marginal_epsilon_share", "0"), this::said);
    assertEquals(0, json("result.json").path("model").path("format_rows").asLong());
    byte[] adapter = Files.readAllBytes(temp.resolve("out/r/adapter/adapter_model.safetensors"));
    Files.move(temp.resolve("out/r"), temp.resolve("out/first"));
    assertEquals(0, run("run train", "--privacy.marginal_epsilon_share", "0"), this::said);
    byte[] other = Files.readAllBytes(temp.resolve("out/r/adapter/adapter_model.safetensors"));
    assertFalse(java.util.Arrays.equals(adapter, other));
    Files.move(temp.resolve("out/r"), temp.resolve("out/second"));

    assertEquals(0, run("run train", "--privacy.marginal_epsilon_share", "1"), this::said);
    assertEquals(0, json("result.json").path("model").path("steps").asLong());
    assertTrue(json("privacy.json").path("training").path("steps").isMissingNode());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --training.validation_ratio        | 0.1                  | trains without validation records
          --training.lr_scheduler            | reduce_lr_on_plateau | follows the validation loss
          --data.max_sequences_per_example   | 10                   | an example holds one privacy unit
          --training.use_unsloth             | true                 | without differential privacy
          --data.value_protection            | true                 | outside the privacy budget
          --data.group_training_examples_by  | town                 | data.group_training_examples_by is town
          --privacy.per_sample_max_grad_norm | 0                    | privacy.per_sample_max_grad_norm
          --privacy.delta                    | 0                    | privacy.delta
          """)
  void whatCannotBePrivateIsRefusedInOneSentence(String name, String value, String sentence) {
    assertEquals(2, run("run train", name, value), this::said);
    assertTrue(said().contains(sentence), this::said);
    assertFalse(said().contains("Exception"), this::said);
    assertFalse(Files.exists(temp.resolve("out/r/bought")));
  }

  /** Told by the domain: the records may all be short. */
  @Test
  void aDomainThatDoesNotFitTheContextIsRefused() throws IOException {
    Path config = model.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replace("\"max_position_embeddings\": 2048", "\"max_position_embeddings\": 90"));
    assertEquals(2, run("run train", "--training.rope_scaling_factor", "1"), this::said);
    assertTrue(said().contains("a record of this domain may have"), this::said);
    assertFalse(Files.exists(temp.resolve("out/r/adapter")));
  }

  @Test
  void withoutADomainNothingStarts() throws IOException {
    Files.writeString(
        temp.resolve("schema.json"),
        "{\"columns\": [{\"name\": \"age\", \"kind\": \"integer\", \"min\": 0, \"max\": 120}]}");
    assertEquals(2, run("run train"), this::said);
    assertTrue(said().contains("needs a domain that does not come from the private rows"));
    assertFalse(Files.exists(temp.resolve("out/r/bought")));
  }

  /** A process that is killed in its private steps leaves what it paid for, and is resumed. */
  @Test
  void aKilledRunGoesOnAndBuysNothingTwice() throws IOException, InterruptedException {
    String[] longer = {"--training.num_input_records_to_sample", "500"};
    killInPrivateSteps(arguments("run train", longer));
    assertFalse(Files.exists(temp.resolve("out/r/adapter/manifest.json")));
    Map<String, byte[]> bought = bought();
    assertTrue(bought.size() >= 4, bought.keySet()::toString);
    String ledger = Files.readString(temp.resolve("out/r/privacy.json"));

    assertEquals(
        2,
        run("run train", longer[0], longer[1], "--privacy.epsilon", "9", "--resume"),
        this::said);
    assertTrue(said().contains("other parameters of privacy"), this::said);
    Path plan = temp.resolve("out/r/checkpoints/private-plan.json");
    String saved = Files.readString(plan);
    Files.writeString(plan, saved.replace("dp-sgd-lora", "dp-sgd"));
    assertEquals(2, run("run train", longer[0], longer[1], "--resume"), this::said);
    assertTrue(said().contains("another run, mechanism or noise"), this::said);
    Files.writeString(plan, saved);

    assertEquals(0, run("run train", longer[0], longer[1], "--resume"), this::said);
    assertTrue(said().contains("resuming the plan"), "the first stage is not begun again");
    Map<String, byte[]> after = bought();
    assertEquals(bought.keySet(), after.keySet());
    bought.forEach((name, bytes) -> assertArrayEquals(bytes, after.get(name), name));
    assertEquals(ledger, Files.readString(temp.resolve("out/r/privacy.json")));

    // The adapter is whole and the result is not: what a run leaves that dies in generation.
    byte[] adapter = Files.readAllBytes(temp.resolve("out/r/adapter/adapter_model.safetensors"));
    Path result = temp.resolve("out/r/result.json");
    Files.writeString(result, Files.readString(result).replace("\"succeeded\"", "\"failed\""));
    assertEquals(0, run("run", longer[0], longer[1], "--resume"), this::said);
    assertTrue(said().contains("training is skipped"), this::said);
    assertFalse(Files.exists(temp.resolve("out/r/checkpoints")));
    assertArrayEquals(
        adapter, Files.readAllBytes(temp.resolve("out/r/adapter/adapter_model.safetensors")));
    assertEquals(40, rows().size());
  }

  private Map<String, byte[]> bought() throws IOException {
    Map<String, byte[]> all = new LinkedHashMap<>();
    try (Stream<Path> files = Files.list(temp.resolve("out/r/bought"))) {
      for (Path file : files.sorted().toList()) {
        if (!file.getFileName().toString().startsWith(".")) {
          all.put(file.getFileName().toString(), Files.readAllBytes(file));
        }
      }
    }
    return all;
  }

  /** Kills a process of its own as soon as the private steps begin. */
  private void killInPrivateSteps(List<String> arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Paths.get(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> argument.startsWith("--add-"))
        .forEach(command::add);
    command.addAll(List.of("-Xmx1g", "-cp", System.getProperty("java.class.path")));
    command.add(Main.class.getName());
    command.addAll(arguments);
    Path log = temp.resolve("killed.log");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    Path begun = temp.resolve("out/r/checkpoints/attempt.json");
    while (process.isAlive() && !Files.exists(begun)) {
      Thread.sleep(10);
    }
    process.destroyForcibly().waitFor();
    assertTrue(Files.exists(begun), Files.readString(log));
  }
}
