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
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
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

  /** The sorted lines of the synthetic table. */
  private static List<String> run(String id, List<String> launcher, Consumer<String> listener)
      throws Exception {
    Path output = temporary.resolve(id + ".csv");
    List<String> command = new ArrayList<>(launcher);
    command.addAll(List.of("--spark-conf", "spark.executor.memory=700m"));
    command.addAll(List.of("--spark-conf", "spark.executor.heartbeatInterval=1s"));
    command.addAll(List.of("--spark-conf", "spark.executor.cores=2"));
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
    return Files.readAllLines(output).stream().sorted().toList();
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
