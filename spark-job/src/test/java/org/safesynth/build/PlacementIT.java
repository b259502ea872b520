package org.safesynth.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.model.TinyLlama;

/**
 * Where a cluster trains: on the executor that a resource profile, or a look at all of them, finds,
 * and never in a wait without end. One of two workers pretends to have a GPU.
 */
@Tag("cluster")
@EnabledOnOs(value = OS.LINUX, disabledReason = "scripts/local-cluster is for Linux")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class PlacementIT {
  private static final int PORT = 27_177;
  private static final List<String> DYNAMIC =
      List.of(
          "spark.dynamicAllocation.enabled=true",
          "spark.dynamicAllocation.minExecutors=0",
          "spark.dynamicAllocation.maxExecutors=1",
          "spark.dynamicAllocation.executorIdleTimeout=5s");

  @TempDir static Path temporary;
  private static LocalCluster cluster;
  private static Path table;
  private static Path model;

  @BeforeAll
  static void start() throws Exception {
    model = Files.createDirectories(temporary.resolve("tinyllama-random"));
    TinyLlama.write(model);
    table = temporary.resolve("table.csv");
    StringBuilder csv = new StringBuilder("colour,size\n");
    for (int i = 0; i < 60; i++) {
      csv.append(i % 3 == 0 ? "red," : "blue,").append(i % 7).append('\n');
    }
    Files.writeString(table, csv);
    start("with", "1");
  }

  /**
   * A cluster of one worker with one core: an executor of the profile finds room only where the one
   * that read the table has gone.
   */
  private static void start(String name, String gpus) throws Exception {
    cluster =
        new LocalCluster(
            temporary.resolve(name),
            PORT,
            Map.of(
                "LOCAL_CLUSTER_GPU", gpus,
                "LOCAL_CLUSTER_WORKERS", "1",
                "LOCAL_CLUSTER_MEMORY", "1200m"));
    cluster.start();
  }

  @AfterAll
  static void stop() throws Exception {
    cluster.stop();
  }

  /**
   * What a submitted training said.
   *
   * @param exitCode of the process
   */
  private record Said(int exitCode, String text) {}

  private static Said train(String id, List<String> settings, String... parameters)
      throws Exception {
    List<String> all = new ArrayList<>(List.of("--data-source", table.toString()));
    all.addAll(List.of("--training__pretrained_model", model.toString()));
    all.addAll(List.of("--training__num_input_records_to_sample", "60"));
    all.addAll(List.of("--training__lora_r", "4"));
    all.addAll(Arrays.asList(parameters));
    return submit("train", id, settings, all);
  }

  private static Said generate(String id, List<String> settings, String... parameters)
      throws Exception {
    List<String> all = new ArrayList<>(List.of("--generation__num_records", "70"));
    all.addAll(List.of("--generation__use_structured_generation", "true"));
    all.addAll(Arrays.asList(parameters));
    return submit("generate", id, settings, all);
  }

  private static Said submit(
      String stage, String id, List<String> settings, List<String> parameters) throws Exception {
    List<String> command = new ArrayList<>(List.of("scripts/local-cluster", "submit"));
    for (String setting : settings) {
      command.addAll(List.of("--spark-conf", setting));
    }
    command.addAll(List.of("--spark-conf", "spark.executor.memory=600m"));
    command.addAll(List.of("--spark-conf", "spark.executor.cores=1"));
    command.addAll(List.of("run", stage, "--run-id", id));
    command.addAll(List.of("--artifact-path", temporary.resolve("out").toString()));
    command.addAll(parameters);
    StringBuilder said = new StringBuilder();
    int exitCode = cluster.process(line -> said.append(line).append('\n'), command);
    return new Said(exitCode, said.toString());
  }

  private static List<String> withGpus(List<String> settings) {
    List<String> all = new ArrayList<>(settings);
    // No executor has one by itself; a profile may ask for one.
    all.add("spark.executor.resource.gpu.amount=0");
    return all;
  }

  /** Executors that were started for a profile other than the default one. */
  private static long ofProfiles() throws IOException {
    try (Stream<Path> files = Files.walk(cluster.folder().resolve("work"))) {
      List<Path> logs = files.filter(file -> file.endsWith("stderr")).toList();
      long count = 0;
      for (Path log : logs) {
        count += Files.readString(log).matches("(?s).*\"--resourceProfileId\" \"[1-9].*") ? 1 : 0;
      }
      return count;
    }
  }

  @Test
  @Order(1)
  void aProfileStartsAnExecutorWhereTheGpuIs() throws Exception {
    Said said = train("profile", withGpus(DYNAMIC));
    assertEquals(0, said.exitCode(), said.text());
    assertTrue(
        said.text()
            .contains(
                "training in one task on an executor with a GPU (1 cores), by a resource profile"),
        said.text());
    assertFalse(said.text().contains("no executor came"), said.text());
    assertEquals(1, ofProfiles());
    String result = Files.readString(temporary.resolve("out/profile/result.json"));
    assertTrue(result.contains("\"placement\" : \"an executor with a GPU"), result);

    Said sampled = generate("profile", withGpus(DYNAMIC));
    assertEquals(0, sampled.exitCode(), sampled.text());
    assertTrue(sampled.text().contains("sampling on executors with a GPU"), sampled.text());
    assertTrue(sampled.text().contains("70 synthetic rows"), sampled.text());
    assertEquals(2, ofProfiles());
  }

  @Test
  @Order(2)
  void executorsAreLookedAtWhereNoProfileCanBe() throws Exception {
    Said said = train("pinned", List.of(), "--cluster.placement", "pinned");
    assertEquals(0, said.exitCode(), said.text());
    assertTrue(said.text().contains("that were looked at"), said.text());

    Said none = train("cuda", List.of(), "--cluster.device", "cuda");
    assertEquals(2, none.exitCode(), none.text());
    assertTrue(none.text().contains("executors that answered sees one"), none.text());

    Said refused = train("refused", withGpus(List.of()), "--cluster.placement", "profile");
    assertEquals(2, refused.exitCode(), refused.text());
    assertTrue(refused.text().contains("cluster.placement is profile, but"), refused.text());
  }

  @Test
  @Order(3)
  void aProfileThatIsNeverMetEndsAfterItsTime() throws Exception {
    cluster.stop();
    start("without", "0");
    Said said = train("late", withGpus(DYNAMIC), "--cluster.gpu_timeout", "8");
    assertEquals(0, said.exitCode(), said.text());
    assertTrue(said.text().contains("no executor came within 8 s"), said.text());
    assertTrue(said.text().contains("training on a CPU instead"), said.text());

    Said sampled = generate("late", withGpus(DYNAMIC), "--cluster.gpu_timeout", "8");
    assertEquals(0, sampled.exitCode(), sampled.text());
    assertTrue(sampled.text().contains("no executor with a GPU came within 8 s"), sampled.text());
    assertTrue(sampled.text().contains("70 synthetic rows"), sampled.text());

    Said demanded =
        train(
            "demanded",
            withGpus(DYNAMIC),
            "--cluster.placement",
            "profile",
            "--cluster.gpu_timeout",
            "8");
    assertEquals(2, demanded.exitCode(), demanded.text());
    assertTrue(demanded.text().contains("no executor came within 8 s"), demanded.text());
  }
}
