package org.safesynth.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.RemoteIterator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A whole run on an object store by s3a with the magic committer: table, run folder and output file
 * lie there. The server is s3mock, which {@code mvn verify -Pcluster} brings.
 */
@Tag("cluster")
final class ObjectStoreIT {
  private static final Path TARGET = Path.of("target").toAbsolutePath();
  private static final int PORT = 9090; // s3mock knows no other
  private static final String BUCKET = "tables";
  private static final String ACCESS_KEY = "AKIAOFTHETEST";
  private static final String SECRET_KEY = "the-secret-of-the-test";

  @TempDir static Path temporary;
  private static Process server;
  private static FileSystem store;
  private static Path table;

  @BeforeAll
  static void start() throws Exception {
    Path jar = TARGET.resolve("s3mock.jar");
    assumeTrue(Files.exists(jar), "the object store's server comes with mvn verify -Pcluster");
    ProcessBuilder builder =
        new ProcessBuilder(
            ProcessHandle.current().info().command().orElseThrow(),
            "-Xmx400m",
            "-Dcom.adobe.testing.s3mock.store.initialBuckets=" + BUCKET,
            "-Dcom.adobe.testing.s3mock.store.root=" + temporary.resolve("store"),
            "-jar",
            jar.toString());
    Files.createDirectories(temporary.resolve("store"));
    server =
        builder
            .redirectErrorStream(true)
            .redirectOutput(temporary.resolve("server.log").toFile())
            .start();
    for (int i = 0; i < 240 && !answers(); i++) {
      assertTrue(server.isAlive(), () -> read(temporary.resolve("server.log")));
      TimeUnit.MILLISECONDS.sleep(250);
    }
    Configuration hadoop = new Configuration();
    settings().forEach(s -> hadoop.set(s[0], s[1]));
    store = FileSystem.newInstance(URI.create("s3a://" + BUCKET), hadoop);
    table = temporary.resolve("adult.csv");
    LocalCluster.writeAdult(table, 1500);
    try (OutputStream out = store.create(new org.apache.hadoop.fs.Path(s3("adult.csv")))) {
      Files.copy(table, out);
    }
  }

  @AfterAll
  static void stop() throws Exception {
    if (store != null) {
      store.close();
    }
    if (server != null) {
      server.destroyForcibly().waitFor();
    }
  }

  private static String s3(String path) {
    return "s3a://" + BUCKET + "/" + path;
  }

  private static List<String[]> settings() {
    return List.of(
        new String[] {"fs.s3a.endpoint", "http://127.0.0.1:" + PORT},
        new String[] {"fs.s3a.endpoint.region", "us-east-1"},
        new String[] {"fs.s3a.path.style.access", "true"},
        new String[] {"fs.s3a.connection.ssl.enabled", "false"},
        new String[] {"fs.s3a.access.key", ACCESS_KEY},
        new String[] {"fs.s3a.secret.key", SECRET_KEY},
        new String[] {"fs.s3a.attempts.maximum", "2"},
        new String[] {"fs.s3a.committer.name", "magic"},
        new String[] {"fs.s3a.committer.magic.enabled", "true"});
  }

  private static boolean answers() {
    try {
      HttpURLConnection connection =
          (HttpURLConnection) URI.create("http://127.0.0.1:" + PORT + "/").toURL().openConnection();
      return connection.getResponseCode() == 200;
    } catch (IOException e) {
      return false; // not yet
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /**
   * The job in a process of its own.
   *
   * @param killAt the process is killed at the first line that begins so; null lets it end
   */
  private static int job(StringBuilder said, String killAt, String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElseThrow());
    command.addAll(List.of("@" + TARGET.resolve("jvm.options"), "-Xmx1g"));
    command.add("-Dspark.master=local[2]");
    command.add(
        "-Dlog4j2.configurationFile=" + LocalCluster.HOME.resolve("conf/log4j2.properties"));
    settings().forEach(s -> command.add("-Dspark.hadoop." + s[0] + "=" + s[1]));
    String cloud = "org.apache.spark.internal.io.cloud.";
    command.add("-Dspark.sql.sources.commitProtocolClass=" + cloud + "PathOutputCommitProtocol");
    command.add(
        "-Dspark.sql.parquet.output.committer.class=" + cloud + "BindingParquetOutputCommitter");
    command.addAll(
        List.of(
            "-cp",
            TARGET.resolve("safe-synthesizer-job.jar")
                + ":"
                + read(TARGET.resolve("test-classpath.txt")).strip()));
    command.add("org.safesynth.job.Main");
    command.addAll(Arrays.asList(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    Process process = builder.start();
    process.getOutputStream().close();
    try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        said.append(line).append('\n');
        if (killAt != null && line.startsWith(killAt)) {
          process.toHandle().destroyForcibly(); // leaves the rest to be read
        }
      }
    }
    return process.waitFor();
  }

  private static String[] run(String source, String artifacts, String output, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "run",
                "--data-source",
                source,
                "--artifact-path",
                artifacts,
                "--output-file",
                output,
                "--run-id",
                "r",
                "--data__random_state",
                "7",
                "--evaluation__enabled",
                "false",
                "--training__num_input_records_to_sample",
                "9000",
                "--generation__num_records",
                "700"));
    all.addAll(Arrays.asList(more));
    return all.toArray(String[]::new);
  }

  private static List<String> sorted(InputStream in) throws IOException {
    try (in) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().sorted().toList();
    }
  }

  private static String content(String path) throws IOException {
    try (InputStream in = store.open(new org.apache.hadoop.fs.Path(s3(path)))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void aRunLivesInAnObjectStoreAndIsResumedThere() throws Exception {
    StringBuilder said = new StringBuilder();
    Path local = temporary.resolve("local.csv");
    String[] alone = run(table.toString(), temporary.resolve("out").toString(), local.toString());
    assertEquals(0, job(said, null, alone), said::toString);

    String[] remote = run(s3("adult.csv"), s3("out"), s3("synthetic.csv"));
    assertNotEquals(0, job(said, "step ", remote), "it was killed");
    String[] resumed = run(s3("adult.csv"), s3("out"), s3("synthetic.csv"), "--resume");
    assertEquals(0, job(said, null, resumed), said::toString);

    assertEquals(
        sorted(Files.newInputStream(local)),
        sorted(store.open(new org.apache.hadoop.fs.Path(s3("synthetic.csv")))));
    String success = content("out/r/synthetic/_SUCCESS");
    assertTrue(success.replace(" ", "").contains("\"committer\":\"magic\""), success);
    assertTrue(content("out/r/result.json").contains("\"succeeded\""));
    assertFalse(
        store.exists(new org.apache.hadoop.fs.Path(s3("out/r/work"))), "private rows are left");

    assertFalse(said.toString().contains(SECRET_KEY), "the secret is in the log");
    RemoteIterator<LocatedFileStatus> files =
        store.listFiles(new org.apache.hadoop.fs.Path(s3("out")), true);
    int seen = 0;
    while (files.hasNext()) {
      try (InputStream in = store.open(files.next().getPath())) {
        String text = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
        assertFalse(text.contains(SECRET_KEY) || text.contains(ACCESS_KEY), "a secret was stored");
      }
      seen++;
    }
    assertTrue(seen > 5, seen + " files");
  }

  @Test
  void aBucketThatIsNotThereIsOneSentence() throws Exception {
    StringBuilder said = new StringBuilder();
    String[] lost = run("s3a://nowhere/adult.csv", s3("lost"), s3("lost.csv"));
    assertEquals(2, job(said, null, lost), said::toString);
    assertTrue(said.toString().contains("s3a://nowhere/adult.csv"), said::toString);
    assertFalse(said.toString().contains("\tat "), said::toString);
  }
}
