package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Date;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.schema.FrozenSchema;

/** Whole runs on small tables, through the command line. */
@Tag("spark")
final class PipelineTest {
  private static final String TYPES =
      "`a.b` int, `group` string, `price \"€\"` decimal(8,2), day date, score double, ok boolean";

  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  @TempDir private Path temp;

  @BeforeAll
  static void useTheSharedSession() {
    LocalSpark.session();
  }

  private static SparkSession spark() {
    return LocalSpark.session();
  }

  private int run(String id, String... arguments) {
    err.reset();
    List<String> all = new ArrayList<>(List.of("run"));
    all.addAll(List.of(arguments));
    all.addAll(List.of("--artifact-path", temp.resolve("out").toString(), "--run-id", id));
    return Main.execute(
        all.toArray(String[]::new),
        new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        Map.of());
  }

  private String said() {
    return err.toString(StandardCharsets.UTF_8);
  }

  private static List<Row> rows(int count) {
    SplittableRandom random = new SplittableRandom(4);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int a = random.nextInt(40);
      rows.add(
          RowFactory.create(
              i % 11 == 0 ? null : a,
              "g" + a % 4,
              BigDecimal.valueOf(100L * a + random.nextInt(4_000), 2),
              Date.valueOf("2021-0" + (1 + a % 9) + "-15"),
              a * 0.5,
              a % 3 == 0));
    }
    return rows;
  }

  private Path parquet(String name, List<Row> rows, int partitions) {
    Path path = temp.resolve(name + ".parquet");
    spark()
        .createDataFrame(rows, (StructType) DataType.fromDDL(TYPES))
        .repartition(partitions)
        .write()
        .mode(SaveMode.Overwrite)
        .parquet(path.toString());
    return path;
  }

  private Dataset<Row> synthetic(String id) {
    return spark().read().parquet(temp.resolve("out").resolve(id).resolve("synthetic").toString());
  }

  private static final String[] BRIEF = {
    "--data.random_state", "5",
    "--training.num_input_records_to_sample", "1500",
    "--generation.num_records", "1300"
  };

  private String[] brief(Path table, String... more) {
    List<String> all = new ArrayList<>(List.of(BRIEF));
    if (!List.of(more).contains("--evaluation.enabled")) {
      all.addAll(List.of("--evaluation.enabled", "false")); // EvaluateJobTest judges runs
    }
    all.addAll(List.of("--data-source", table.toString()));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  @Test
  void theSameTableComesOutForAnyPartitionsAndOrderOfTheInput() {
    List<Row> rows = rows(700);
    assertEquals(0, run("one", brief(parquet("one", rows, 1))), said());
    List<String> expected = sorted(synthetic("one"));
    assertEquals(1_300, expected.size());
    assertEquals(DataType.fromDDL(TYPES).json(), synthetic("one").schema().asNullable().json());
    Collections.shuffle(rows, new Random(1));
    for (int partitions : new int[] {2, 7}) {
      String id = "cut" + partitions;
      assertEquals(0, run(id, brief(parquet(id, rows, partitions))), said());
      assertEquals(expected, sorted(synthetic(id)));
    }
  }

  @Test
  void theSameTableComesOutForAnyTasksAndAfterARetry() throws IOException {
    assertEquals(0, run("r", brief(parquet("t", rows(300), 2))), said());
    List<String> expected = sorted(synthetic("r"));
    Path folder = temp.resolve("out").resolve("r");
    FrozenSchema schema =
        SchemaStage.read(
            RunFolder.toGenerate(
                new Configuration(), new org.apache.hadoop.fs.Path(folder.toUri())));
    ShardSampler sampler =
        new ShardSampler(
            new SerializableConfiguration(spark().sparkContext().hadoopConfiguration()),
            folder.resolve("model").toUri().toString(),
            schema,
            1_300,
            5,
            1,
            1,
            false,
            spark().sparkContext().longAccumulator());
    for (int tasks : new int[] {1, 2, 7}) {
      Dataset<Long> shards =
          spark()
              .range(0, 3, 1, tasks)
              .map((MapFunction<Long, Long>) PipelineTest::failingOnce, Encoders.LONG());
      assertEquals(expected, sorted(GenerateStage.sampled(shards, sampler, schema)));
    }
  }

  /**
   * Spark reads files back in the order of their size: rows are compared in an order of their own.
   */
  private static List<String> sorted(Dataset<Row> table) {
    return table.toJSON().collectAsList().stream().sorted().toList();
  }

  /** The second shard fails in its task's first attempt. */
  private static long failingOnce(long shard) {
    if (shard == 1 && TaskContext.get().attemptNumber() == 0) {
      throw new IllegalStateException("injected");
    }
    return shard;
  }

  @Test
  void aRunLeavesWhatItShouldAndNoRecords() throws IOException {
    Path csv = temp.resolve("copy.csv");
    assertEquals(
        0,
        run(
            "r",
            brief(
                parquet("t", rows(300), 2),
                "--output-file",
                csv.toString(),
                "--evaluation.enabled",
                "true")),
        said());
    Path folder = temp.resolve("out").resolve("r");
    for (String name :
        List.of(
            "config.yaml",
            "schema.json",
            "result.json",
            "rejected.json",
            "metrics.json",
            "report.html",
            "progress.jsonl")) {
      assertTrue(Files.exists(folder.resolve(name)), name);
    }
    for (String name : List.of("config.json", "encoding.json", "model.safetensors")) {
      assertTrue(Files.exists(folder.resolve("model").resolve(name)), name);
    }
    assertFalse(Files.exists(folder.resolve("work")));
    assertFalse(Files.exists(folder.resolve("checkpoints")));
    assertEquals(1_301, Files.readAllLines(csv).size());
    String result = Files.readString(folder.resolve("result.json"));
    assertTrue(result.contains("\"status\" : \"succeeded\""), result);
    assertTrue(result.contains("\"shapes\""), result);
    assertEquals(2, run("r", brief(parquet("t", rows(300), 2))));
    assertTrue(said().contains("is finished: choose another --run-id"), said());
  }

  @Test
  void aTrainedModelIsSampledAgainWithOtherSettings() throws IOException {
    assertEquals(0, run("r", brief(parquet("t", rows(300), 2))), said());
    assertEquals(0, run("r", "generate", "--generation.num_records", "17"), said());
    assertEquals(17, synthetic("r").count());
  }

  private int generate(String id, String... arguments) {
    List<String> all = new ArrayList<>(List.of("generate"));
    all.addAll(List.of(arguments));
    return run(id, all.toArray(String[]::new));
  }

  @Test
  void aDamagedModelIsNamedAndNothingIsWritten() throws IOException {
    assertEquals(0, run("r", brief(parquet("t", rows(300), 2))), said());
    Path model = temp.resolve("out").resolve("r").resolve("model");
    for (String name : List.of("model.safetensors", "encoding.json", "config.json")) {
      byte[] whole = Files.readAllBytes(model.resolve(name));
      byte[] damaged = whole.clone();
      damaged[whole.length / 2] ^= 1;
      Files.write(model.resolve(name), damaged);
      assertEquals(1, generate("r", "--generation.num_records", "5"));
      assertTrue(said().contains(name + " is corrupt or truncated: its checksum"), said());
      Files.write(model.resolve(name), java.util.Arrays.copyOf(whole, whole.length - 1));
      assertEquals(1, generate("r", "--generation.num_records", "5"));
      Files.write(model.resolve(name), whole);
    }
    Files.delete(model.resolve("manifest.json"));
    assertEquals(1, generate("r", "--generation.num_records", "5"));
    assertTrue(said().contains("is not whole"), said());
  }

  private Path csv(String... lines) throws IOException {
    Path file = temp.resolve("t" + lines.length + "-" + String.join("", lines).hashCode() + ".csv");
    Files.writeString(file, String.join("\n", lines) + "\n");
    return file;
  }

  private static String[] repeated(String header, int rows, String line) {
    String[] lines = new String[rows + 1];
    java.util.Arrays.fill(lines, line);
    lines[0] = header;
    return lines;
  }

  @Test
  void theSmallestTablesAreLearned() throws IOException {
    Map<String, Path> tables =
        Map.of(
            "one-row", csv("a,b", "1,x"),
            "one-column", csv(repeated("a", 60, "5")),
            "constant", csv(repeated("a,b", 60, "5,x")),
            "all-missing", csv(repeated("a,b,c", 60, "1,,x")));
    tables.forEach(
        (id, table) -> {
          assertEquals(
              0,
              run(id, "--data-source", table.toString(), "--generation.num_records", "40"),
              said());
          assertEquals(40, synthetic(id).count());
        });
    assertEquals(40, synthetic("all-missing").where("b IS NULL").count());
    assertEquals(40, synthetic("constant").where("a = 5 AND b = 'x'").count());
  }

  @Test
  void identifiersAreFreshAndRareValuesAreNotWritten() throws IOException {
    String[] lines = new String[401];
    lines[0] = "id,name,key";
    Set<String> real = new TreeSet<>();
    for (int i = 1; i <= 400; i++) {
      lines[i] = i + "," + (i == 7 ? "Rumpelstiltskin" : "name" + i % 5) + ",K-" + (5_000 + 3 * i);
      real.add("K-" + (5_000 + 3 * i));
    }
    Path table = csv(lines);
    assertEquals(0, run("r", brief(table)), said());
    Dataset<Row> synthetic = synthetic("r");
    assertEquals(0, synthetic.where("id <= 400").count());
    assertEquals(1_300, synthetic.select("id").distinct().count());
    assertEquals(0, synthetic.where("name = 'Rumpelstiltskin' OR name IS NULL").count());
    for (Row row : synthetic.select("key").collectAsList()) {
      assertTrue(row.getString(0).startsWith("K-"), row.getString(0));
      assertFalse(real.contains(row.getString(0)));
    }
    Path folder = temp.resolve("out").resolve("r");
    for (String file : List.of("schema.json", "result.json", "model/encoding.json")) {
      assertFalse(Files.readString(folder.resolve(file)).contains("Rumpelstiltskin"), file);
    }
  }

  @Test
  void badInputEndsWithTwoAndOneSentence() throws IOException {
    Path good = csv(repeated("a,b", 60, "5,x"));
    Path schema = temp.resolve("schema.json");
    Files.writeString(schema, "{\"columns\": [{\"name\": \"b\", \"kind\": \"integer\"}]}");
    assertBad("no such", "does not exist", "--data-source", temp + "/none.csv");
    assertBad("empty", "no rows", "--data-source", csv("a,b").toString());
    assertBad("twice", "more than once", "--data-source", csv("a,a", "1,2").toString());
    assertBad("ragged", "lines do not have", "--data-source", csv("a,b", "1,2", "3").toString());
    assertBad("wrong", "sep", "--data-source", csv("a;b", "1;2", "3;4").toString());
    assertBad(
        "unfit",
        "column 'b': 60 of 60 values are not of kind integer",
        "--data-source",
        good.toString(),
        "--data.schema_file",
        schema.toString());
    assertBad("range", "data.holdout", "--data-source", good.toString(), "--data.holdout", "-1");
    assertBad("unknown", "--data.holdot", "--data-source", good.toString(), "--data.holdot", "1");
    Path yaml = temp.resolve("run.yaml");
    Files.writeString(yaml, "data: {holdot: 0.1}\n");
    assertBad("key", "data.holdout", "--data-source", good.toString(), "--config", yaml.toString());
    assertBad(
        "domain",
        "privacy.dp_enabled needs a domain",
        "--data-source",
        good.toString(),
        "--privacy.dp_enabled",
        "true");
  }

  private void assertBad(String id, String sentence, String... arguments) {
    assertEquals(2, run("bad-" + id.replace(' ', '-'), arguments), said());
    assertTrue(said().contains(sentence), id + ": " + said());
    assertFalse(said().contains("\tat "), said());
  }
}
