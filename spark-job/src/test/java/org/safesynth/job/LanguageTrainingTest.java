package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.safesynth.config.ConfigReader;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.model.TinyLlama;

/** A pretrained model's whole road by the command line: table, adapter, synthetic table. */
@Tag("spark")
final class LanguageTrainingTest {
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  @TempDir private Path temp;
  private Path model;
  private Path table;

  @BeforeAll
  static void useTheSharedSession() {
    LocalSpark.session();
  }

  @BeforeEach
  void makeModelAndTable() throws IOException {
    model = Files.createDirectories(temp.resolve("tinyllama-random"));
    TinyLlama.write(model);
    StringBuilder csv = new StringBuilder("id,colour,size\n");
    for (int i = 0; i < 120; i++) {
      csv.append(i % 40).append(i % 3 == 0 ? ",red," : ",blue,").append(i % 7).append('\n');
    }
    table = temp.resolve("table.csv");
    Files.writeString(table, csv);
  }

  private int execute(String command, String id, String... more) {
    err.reset();
    List<String> all = new ArrayList<>(List.of(command.split(" ")));
    all.addAll(List.of("--run-path", temp.resolve(id).toString()));
    all.addAll(List.of(more));
    return Main.execute(
        all.toArray(String[]::new),
        new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        Map.of());
  }

  private int run(String command, String id, String... more) {
    Map<String, String> options = new LinkedHashMap<>();
    options.put("--data-source", table.toString());
    options.put("--training.pretrained_model", model.toString());
    options.put("--data.random_state", "3");
    options.put("--training.num_input_records_to_sample", "600");
    options.put("--training.validation_ratio", "0.1");
    options.put("--training.lora_r", "4");
    options.put("--training.learning_rate", "0.01");
    options.put("--evaluation.enabled", "false");
    options.put("--generation.num_records", "40");
    options.put("--generation.use_structured_generation", "true");
    List<String> all = new ArrayList<>();
    for (int i = 0; i < more.length; i++) {
      if (i + 1 < more.length && !more[i + 1].startsWith("--")) {
        options.put(more[i], more[++i]);
      } else {
        all.add(more[i]);
      }
    }
    options.forEach((name, value) -> all.addAll(List.of(name, value)));
    return execute(command, id, all.toArray(String[]::new));
  }

  private String said() {
    return err.toString(StandardCharsets.UTF_8);
  }

  private byte[] adapter(String id) throws IOException {
    return Files.readAllBytes(temp.resolve(id).resolve("adapter/adapter_model.safetensors"));
  }

  private List<String> rows(String id) {
    Dataset<Row> rows =
        LocalSpark.session().read().parquet(temp.resolve(id).resolve("synthetic").toString());
    return rows.collectAsList().stream().map(Row::toString).sorted().toList();
  }

  @Test
  void aTableIsLearnedAndAnotherOneOfItsKindIsWritten() throws IOException {
    assertEquals(0, run("run", "whole"), said());
    Path folder = temp.resolve("whole");
    JsonNode result =
        new ObjectMapper().readTree(Files.readAllBytes(folder.resolve("result.json")));
    assertEquals("succeeded", result.path("status").asText());
    assertEquals(120, result.path("counts").path("rows").asLong());
    assertEquals(40, result.path("counts").path("generated").asLong());
    String losses = result.path("model").path("ended").asText();
    assertTrue(
        losses.matches(".*validation loss [0-9.]+ nats a token before and [0-9.]+ after"), losses);
    String[] figures =
        losses.replaceAll(".*loss ([0-9.]+) .* and ([0-9.]+) .*", "$1 $2").split(" ");
    assertTrue(Double.parseDouble(figures[1]) < 0.95 * Double.parseDouble(figures[0]), losses);
    assertTrue(result.path("quality").path("shapes").asDouble() > 0, result.toString());
    assertFalse(Files.exists(folder.resolve("work")));
    assertFalse(Files.exists(folder.resolve("checkpoints")));

    Dataset<Row> rows = LocalSpark.session().read().parquet(folder.resolve("synthetic").toString());
    assertEquals("STRUCT<id: BIGINT, colour: STRING, size: BIGINT>", rows.schema().sql());
    assertEquals(0, rows.filter("id is null or colour is null or size is null").count());

    SafeSynthesizerConfig saved =
        ConfigReader.read(Files.readString(folder.resolve("config.yaml")), "saved", Map.of());
    assertEquals(1, saved.training().ropeScalingFactor().value());
    assertEquals(10, saved.data().maxSequencesPerExample().value());

    List<String> first = rows("whole");
    assertEquals(0, execute("run generate", "whole"), said());
    assertEquals(first, rows("whole"));
  }

  @Test
  void theAdapterIsTheSameForAnyPartitionsAndAfterAResumedRun() throws IOException {
    assertEquals(0, run("run train", "one"), said());
    LocalSpark.session()
        .read()
        .option("header", "true")
        .csv(table.toString())
        .repartition(3)
        .write()
        .option("header", "true")
        .csv(temp.resolve("parts.csv").toString());
    Path single = table;
    table = temp.resolve("parts.csv");
    assertEquals(0, run("run train", "many"), said());
    assertArrayEquals(adapter("one"), adapter("many"));

    // The adapter is whole and the result is not: what a run leaves that dies in generation.
    table = single;
    Path result = temp.resolve("one").resolve("result.json");
    Files.writeString(result, Files.readString(result).replace("\"succeeded\"", "\"failed\""));
    assertEquals(0, run("run", "one", "--resume"), said());
    assertTrue(said().contains("training is skipped"), said());
    assertEquals(40, rows("one").size());
    assertArrayEquals(adapter("many"), adapter("one"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"8", "4"})
  void quantizedWeightsLearnAndAreSampled(String bits) throws IOException {
    String[] quantized = {
      "--training.quantize_model", "true",
      "--training.quantization_bits", bits,
      "--training.lr_scheduler", "reduce_lr_on_plateau"
    };
    assertEquals(0, run("run", "q" + bits, quantized), said());
    JsonNode result =
        new ObjectMapper()
            .readTree(Files.readAllBytes(temp.resolve("q" + bits).resolve("result.json")));
    String losses = result.path("model").path("ended").asText();
    String[] figures =
        losses.replaceAll(".*loss ([0-9.]+) .* and ([0-9.]+) .*", "$1 $2").split(" ");
    assertTrue(Double.parseDouble(figures[1]) < 0.95 * Double.parseDouble(figures[0]), losses);
    assertEquals(40, rows("q" + bits).size());
  }

  @Test
  void aRunOfAPretrainedModelIsEvaluated() throws IOException {
    String[] adjectives = "red old tall sad wet odd new dry shy big".split(" ");
    String[] nouns = "cat hat road lamp tree door boat ring shoe wall".split(" ");
    StringBuilder csv = new StringBuilder("note,size\n");
    for (int i = 0; i < 400; i++) {
      csv.append(
          "the %s %s and the %s %s,%d%n"
              .formatted(
                  adjectives[i % 10],
                  nouns[i / 10 % 10],
                  adjectives[i / 100],
                  nouns[(7 * i) % 10],
                  i % 9));
    }
    Files.writeString(table, csv);
    String[] judged = {
      "--evaluation.enabled", "true", "--data.holdout", "80", "--generation.num_records", "120"
    };
    assertEquals(0, run("run", "judged", judged), said());
    Path folder = temp.resolve("judged");
    JsonNode metrics =
        new ObjectMapper().readTree(Files.readAllBytes(folder.resolve("metrics.json")));
    assertTrue(metrics.toString().contains("synthetic_data_quality_score"), metrics.toString());
    assertTrue(Files.size(folder.resolve("report.html")) > 10_000);
    JsonNode semantics = metrics.path("measures").path("text_semantics");
    assertEquals(
        "mean hidden states of tinyllama-random",
        semantics.path("embedding").asText(),
        semantics.toString());
    assertTrue(metrics.path("text_semantic_similarity_score").isNumber(), semantics.toString());

    // A run can be judged when its base model is gone: the weaker measure says that it is one.
    Files.move(model, temp.resolve("elsewhere"));
    assertEquals(0, execute("run evaluate", "judged"), said());
    assertTrue(said().contains("texts are compared by statistics of words"), said());
    metrics = new ObjectMapper().readTree(Files.readAllBytes(folder.resolve("metrics.json")));
    String embedding = metrics.path("measures").path("text_semantics").path("embedding").asText();
    assertTrue(embedding.startsWith("TF-IDF"), embedding);
  }

  /** As the embedded model has it: of what few records hold, nothing is written. */
  @Test
  void rareValuesExtremesAndIdentifiersAreNotWritten() throws IOException {
    StringBuilder csv = new StringBuilder("code,colour,size\n");
    for (int i = 0; i < 150; i++) {
      String colour = i == 20 ? "mauve" : i % 3 == 0 ? "red" : "blue";
      int size = i == 70 ? 9_000_000 : i * 7 % 90;
      csv.append("K-%04d,%s,%d%n".formatted(7919 * i % 10_000, colour, size));
    }
    Files.writeString(table, csv);
    String[] rowsWanted = {"--generation.num_records", "70"};
    assertEquals(0, run("run", "protected", rowsWanted), said());
    Path folder = temp.resolve("protected");
    JsonNode result =
        new ObjectMapper().readTree(Files.readAllBytes(folder.resolve("result.json")));
    assertEquals(3, result.path("protection").size(), result.path("protection").toString());
    Dataset<Row> rows = LocalSpark.session().read().parquet(folder.resolve("synthetic").toString());
    assertEquals(0, rows.filter("colour not in ('red', 'blue')").count());
    assertEquals(0, rows.filter("size < 0 or size > 89").count());
    assertEquals(70, rows.select("code").distinct().count());
    Dataset<Row> real = LocalSpark.session().read().option("header", "true").csv(table.toString());
    assertEquals(0, rows.join(real, "code").count());
    assertEquals(0, rows.filter("code not rlike '^K-[0-9]+$'").count());
    Path encoding = folder.resolve("adapter/encoding.json");
    String writes = Files.readString(encoding);
    assertFalse(writes.contains("mauve"));

    // Without it, sampling would not be protected.
    Files.writeString(encoding, writes.replace("red", "mauve"));
    assertEquals(1, execute("run generate", "protected"), said());
    assertTrue(said().contains("encoding.json is corrupt or truncated"), said());
    Files.delete(encoding);
    assertEquals(1, execute("run generate", "protected"), said());
    assertTrue(said().contains("encoding.json is missing"), said());

    assertEquals(0, run("run train", "open", "--data.value_protection", "false"), said());
    assertFalse(Files.exists(temp.resolve("open").resolve("adapter/encoding.json")));
  }

  @Test
  void aGpuThatIsNotThereIsRefusedBeforeTheTableIsRead() {
    assumeFalse(torch.cuda_is_available(), "there is a GPU here");
    assertEquals(2, run("run train", "gpu", "--cluster.device", "cuda"), said());
    assertTrue(said().contains("a GPU is asked for"), said());
    assertFalse(Files.exists(temp.resolve("gpu").resolve("schema.json")));
    assertEquals(2, run("run", "later", "--cluster.generation_device", "cuda"), said());
    assertTrue(said().contains("a GPU is asked for"), said());
    assertFalse(Files.exists(temp.resolve("later").resolve("schema.json")));
  }

  @Test
  void aRateThatFollowsTheValidationLossNeedsOne() {
    String[] plateau = {
      "--training.lr_scheduler", "reduce_lr_on_plateau", "--training.validation_ratio", "0"
    };
    assertEquals(2, run("run train", "blind", plateau), said());
    assertTrue(said().contains("training.validation_ratio is 0"), said());
  }

  @Test
  void aRecordLongerThanTheContextIsRefusedBeforeTrainingWithoutItsValues() throws IOException {
    Files.writeString(
        model.resolve("config.json"),
        Files.readString(model.resolve("config.json"))
            .replace("\"max_position_embeddings\": 2048", "\"max_position_embeddings\": 160"));
    Files.writeString(table, Files.readString(table) + "3," + "secret".repeat(90) + ",4\n");
    assertEquals(2, run("run train", "long", "--training.rope_scaling_factor", "1"), said());
    assertTrue(said().contains("does not fit the model's context of 160"), said());
    assertTrue(said().contains("'colour' "), said());
    assertFalse(said().contains("secret"), said());
    assertFalse(Files.exists(temp.resolve("long").resolve("adapter")));
  }

  @Test
  void aModelThatIsNotWholeIsRefusedBeforeTheTableIsRead() throws IOException {
    byte[] weights = Files.readAllBytes(model.resolve("model.safetensors"));
    Files.write(
        model.resolve("model.safetensors"), java.util.Arrays.copyOf(weights, weights.length / 2));
    assertEquals(2, run("run train", "cut"), said());
    assertTrue(said().contains("model.safetensors"), said());
    Files.delete(model.resolve("model.safetensors"));
    assertEquals(2, run("run train", "none"), said());
    assertTrue(said().contains("model.safetensors"), said());
    Files.delete(model.resolve("tokenizer.json"));
    assertEquals(2, run("run train", "mute"), said());
    assertTrue(said().contains("has no tokenizer.json"), said());
    assertFalse(said().contains("Exception"), said());
  }
}
