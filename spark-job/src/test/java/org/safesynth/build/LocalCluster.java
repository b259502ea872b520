package org.safesynth.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;

/**
 * A Spark cluster of several processes on this machine, by scripts/local-cluster.
 *
 * @param folder of its logs, work and pids
 * @param port of the master
 * @param environment of the script
 */
record LocalCluster(Path folder, int port, Map<String, String> environment) {
  static final Path HOME = Path.of("..").toAbsolutePath().normalize();

  /** Writes the first rows of the packaged table, with its header. */
  static void writeAdult(Path to, int rows) throws IOException {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(HOME.resolve("conf/data/adult.csv.gz"))),
                StandardCharsets.UTF_8))) {
      Files.write(to, reader.lines().limit(rows + 1).toList());
    }
  }

  void start() throws IOException, InterruptedException {
    assertEquals(0, process(line -> {}, List.of("scripts/local-cluster", "start")));
  }

  void stop() throws IOException, InterruptedException {
    process(line -> {}, List.of("scripts/local-cluster", "stop"));
  }

  /** Ends one of its processes, such as {@code worker-1}, as a machine that is lost. */
  void kill(String name) throws IOException {
    long pid = Long.parseLong(Files.readString(folder.resolve("pids").resolve(name)).strip());
    ProcessHandle process = ProcessHandle.of(pid).orElseThrow();
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  /** Runs a script of the project and gives its exit code. */
  int process(Consumer<String> listener, List<String> command)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(HOME.toFile());
    builder.redirectErrorStream(true);
    builder.environment().remove("SPARK_HOME");
    builder.environment().putAll(environment);
    builder.environment().put("LOCAL_CLUSTER", folder.toString());
    builder.environment().put("LOCAL_CLUSTER_PORT", Integer.toString(port));
    Process process = builder.start();
    process.getOutputStream().close();
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        listener.accept(line);
      }
    }
    assertTrue(process.waitFor(1, TimeUnit.MINUTES), () -> command + " does not end");
    return process.exitValue();
  }
}
