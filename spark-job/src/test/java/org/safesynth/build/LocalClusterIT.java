package org.safesynth.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Submits the job's jar to a Spark cluster of several processes, as its users do: training in a
 * task on an executor, rows from all of them, and executors that are killed on the way.
 */
@Tag("cluster")
@EnabledOnOs(value = OS.LINUX, disabledReason = "executors are found through /proc")
final class LocalClusterIT {
  private static final int ROWS = 2_000;
  private static final int GENERATED = 40_000; // long enough to be disturbed
  private static final int PORT = 27_077;

  @TempDir static Path temporary;
  private static LocalCluster cluster;
  private static Path table;

  @BeforeAll
  static void start() throws Exception {
    table = temporary.resolve("adult.csv");
    LocalCluster.writeAdult(table, ROWS);
    cluster =
        new LocalCluster(temporary.resolve("cluster"), PORT, Map.of("LOCAL_CLUSTER_CORES", "2"));
    cluster.start();
  }

  @AfterAll
  static void stop() throws Exception {
    cluster.stop();
  }

  @Test
  void killedExecutorsLeaveTheResultAsItWas() throws Exception {
    List<String> alone = run("alone", List.of("scripts/safe-synthesizer"), line -> {});

    // While it encodes, while it trains, and while it generates.
    Deque<String> moments = new ArrayDeque<>(List.of("columns: ", "step ", "generated "));
    List<Integer> killed = new ArrayList<>();
    AtomicBoolean claimed = new AtomicBoolean();
    List<String> disturbed =
        run(
            "cluster",
            List.of("scripts/local-cluster", "submit"),
            line -> {
              claimed.set(claimed.get() || line.contains("a whole executor of 2 cores"));
              if (!moments.isEmpty() && line.startsWith(moments.peek())) {
                moments.remove();
                killed.add(killExecutors().size());
              }
            });

    assertTrue(claimed.get(), "the training task asked for a whole executor");
    assertEquals(3, killed.size(), "not all moments came: " + moments);
    assertTrue(killed.get(0) > 0 && killed.get(1) > 0, "executors were there to kill: " + killed);
    assertEquals(GENERATED + 1, disturbed.size());
    assertEquals(alone, disturbed);
  }

  /** Two ids are two runs; of one id a second process is refused while the first lives. */
  @Test
  void twoRunsAtOnceDoNotMeet() throws Exception {
    List<String> shared =
        List.of("scripts/local-cluster", "submit", "--spark-conf", "spark.cores.max=2");
    FutureTask<List<String>> other = new FutureTask<>(() -> run("other", shared, line -> {}));
    List<FutureTask<String>> intruders = new ArrayList<>();
    new Thread(other).start();
    List<String> one =
        run(
            "one",
            shared,
            line -> {
              if (intruders.isEmpty() && line.startsWith("columns: ")) {
                intruders.add(new FutureTask<>(() -> refused("one")));
                new Thread(intruders.get(0)).start();
              }
            });
    assertEquals(one, other.get(5, TimeUnit.MINUTES));
    String said = intruders.get(0).get(5, TimeUnit.MINUTES);
    assertTrue(said.contains("is writing the run"), said);
  }

  private static String refused(String id) throws Exception {
    List<String> said = new ArrayList<>();
    int exitCode =
        cluster.process(
            said::add,
            List.of(
                "scripts/safe-synthesizer",
                "run",
                "--data-source",
                table.toString(),
                "--run-id",
                id,
                "--artifact-path",
                temporary.resolve("out").toString()));
    assertEquals(2, exitCode, () -> String.join("\n", said));
    return String.join("\n", said);
  }

  /** The sorted lines of the synthetic table. */
  private static List<String> run(String id, List<String> launcher, Consumer<String> listener)
      throws Exception {
    Path output = temporary.resolve(id + ".csv");
    List<String> command = new ArrayList<>(launcher);
    command.addAll(List.of("--spark-conf", "spark.executor.memory=700m"));
    command.addAll(List.of("--spark-conf", "spark.executor.heartbeatInterval=1s"));
    command.addAll(List.of("--spark-conf", "spark.executor.cores=2"));
    String sink = "spark.metrics.conf.driver.sink.csv.";
    Path metrics = Files.createDirectories(temporary.resolve("metrics").resolve(id));
    command.addAll(List.of("--spark-conf", sink + "class=org.apache.spark.metrics.sink.CsvSink"));
    command.addAll(List.of("--spark-conf", sink + "period=1"));
    command.addAll(List.of("--spark-conf", sink + "directory=" + metrics));
    command.add("run");
    command.addAll(List.of("--data-source", table.toString(), "--run-id", id));
    command.addAll(List.of("--artifact-path", temporary.resolve("out").toString()));
    command.addAll(List.of("--output-file", output.toString()));
    command.addAll(List.of("--data__random_state", "7", "--evaluation__enabled", "false"));
    command.addAll(List.of("--training__num_input_records_to_sample", Integer.toString(12 * ROWS)));
    command.addAll(List.of("--generation__num_records", Integer.toString(GENERATED)));
    List<String> said = new ArrayList<>();
    int exitCode =
        cluster.process(
            line -> {
              said.add(line);
              listener.accept(line);
            },
            command);
    assertEquals(0, exitCode, () -> String.join("\n", said));
    assertEquals(GENERATED, lastMeasured(metrics, "safesynth.generate.rows"));
    assertTrue(lastMeasured(metrics, "safesynth.train.step") > 0);
    return Files.readAllLines(output).stream().sorted().toList();
  }

  /** The last value that Spark's metrics sink was told. */
  private static long lastMeasured(Path folder, String gauge) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      Path file =
          files
              .filter(f -> f.toString().endsWith(".driver." + gauge + ".csv"))
              .findAny()
              .orElseThrow();
      List<String> lines = Files.readAllLines(file);
      return Long.parseLong(lines.get(lines.size() - 1).split(",")[1]);
    }
  }

  /** kill -9 of all executors of this test's workers. */
  private static List<Long> killExecutors() {
    List<Long> killed = new ArrayList<>();
    ProcessHandle.allProcesses()
        .filter(LocalClusterIT::isExecutor)
        .forEach(
            handle -> {
              if (handle.destroyForcibly()) {
                killed.add(handle.pid());
              }
            });
    return killed;
  }

  private static boolean isExecutor(ProcessHandle handle) {
    try {
      String command = Files.readString(Path.of("/proc", handle.pid() + "", "cmdline"));
      return command.contains("CoarseGrainedExecutorBackend")
          && command.contains("spark://CoarseGrainedScheduler")
          && Files.readSymbolicLink(Path.of("/proc", handle.pid() + "", "cwd"))
              .startsWith(temporary.toRealPath());
    } catch (IOException e) {
      return false; // it has ended, or is not ours
    }
  }
}
