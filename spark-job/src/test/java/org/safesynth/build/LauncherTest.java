package org.safesynth.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Runs the scripts in a project of their own, where the job only prints what it was given. */
@Tag("cluster")
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the launcher is a bash script")
final class LauncherTest {
  private static final String JOB =
      """
      package org.safesynth.job;
      public class Main {
        public static void main(String[] arguments) {
          for (String argument : arguments) System.out.println("argument " + argument);
          for (String name : new String[] {"spark.master", "log4j2.configurationFile", "spark.jars",
              "spark.sql.shuffle.partitions", "org.bytedeco.javacpp.maxPhysicalBytes"})
            System.out.println(name + " " + System.getProperty(name));
          for (String name : new String[] {"OMP_WAIT_POLICY", "OPENBLAS_NUM_THREADS", "SPARK_LOCAL_IP"})
            System.out.println(name + " " + System.getenv(name));
          System.out.println("heap " + Runtime.getRuntime().maxMemory() / (1 << 20));
          System.out.println("folder " + System.getProperty("user.dir"));
          System.out.println("opened " + Object.class.getModule().isOpen("java.nio", Main.class.getModule()));
          for (String argument : arguments) if (argument.startsWith("exit=")) System.exit(Integer.parseInt(argument.substring(5)));
        }
      }
      """;

  @TempDir static Path temporary;
  private static Path home;

  /** What a script wrote and how it ended. */
  private record Ended(int exitCode, String out, String err) {
    void says(String line) {
      assertTrue(out.lines().anyMatch(line::equals), () -> line + " is not in\n" + out + err);
    }
  }

  @BeforeAll
  static void makeProject() throws IOException {
    home = Files.createDirectories(temporary.resolve("a project/of mine")).toRealPath();
    for (String script : List.of("safe-synthesizer", "quickstart")) {
      copy("scripts/" + script);
    }
    copy("conf/quickstart.yaml");
    copy("conf/log4j2.properties");
    Path target = Files.createDirectories(home.resolve("spark-job/target"));
    writeJob(target.resolve("safe-synthesizer-job.jar"));
    Files.writeString(target.resolve("spark-classpath.txt"), home + "/a spark.jar");
    writeJob(home.resolve("a spark.jar"));
    Files.writeString(
        target.resolve("jvm.options"),
        """
        # a comment
        --add-opens=java.base/java.nio=ALL-UNNAMED
        -Dorg.bytedeco.javacpp.maxPhysicalBytes=0
        """);
  }

  @Test
  void startsTheJobOnThisMachine() throws Exception {
    Ended ended =
        run(Map.of(), home, "scripts/safe-synthesizer", "run", "--data-source", "a table.csv", "*");

    assertEquals(0, ended.exitCode, ended.err);
    ended.says("argument run");
    ended.says("argument --data-source");
    ended.says("argument a table.csv");
    ended.says("argument *");
    ended.says("spark.master local[*]");
    ended.says("spark.jars null");
    ended.says("log4j2.configurationFile " + home + "/conf/log4j2.properties");
    ended.says("org.bytedeco.javacpp.maxPhysicalBytes 0");
    ended.says("OMP_WAIT_POLICY PASSIVE");
    ended.says("OPENBLAS_NUM_THREADS 1");
    ended.says("SPARK_LOCAL_IP 127.0.0.1");
    ended.says("heap 1024");
    ended.says("opened true");
    assertEquals("", ended.err);
  }

  @Test
  void exitCodeIsTheJobs() throws Exception {
    assertEquals(2, run(Map.of(), home, "scripts/safe-synthesizer", "exit=2").exitCode);
    assertEquals(1, run(Map.of(), home, "scripts/safe-synthesizer", "exit=1").exitCode);
  }

  @Test
  void runsFromAnyFolderThroughLinks() throws Exception {
    Path elsewhere = Files.createDirectories(temporary.resolve("elsewhere")).toRealPath();
    Path first = elsewhere.resolve("first link");
    Files.createSymbolicLink(first, home.resolve("scripts/safe-synthesizer"));
    Path second = elsewhere.resolve("second");
    Files.createSymbolicLink(second, Path.of("first link"));

    Ended ended = run(Map.of(), elsewhere, second.toString(), "run");

    assertEquals(0, ended.exitCode, ended.err);
    ended.says("folder " + elsewhere);
    ended.says("log4j2.configurationFile " + home + "/conf/log4j2.properties");
  }

  @Test
  void ownOptionsDoNotReachTheJob() throws Exception {
    Ended ended =
        run(
            Map.of("SAFE_SYNTHESIZER_DRIVER_MEMORY", "300m", "OMP_WAIT_POLICY", "ACTIVE"),
            home,
            "scripts/safe-synthesizer",
            "--master=spark://somewhere:7077",
            "run",
            "--spark-conf",
            "spark.sql.shuffle.partitions=3");

    ended.says("spark.master spark://somewhere:7077");
    ended.says("spark.jars " + home + "/spark-job/target/safe-synthesizer-job.jar");
    ended.says("spark.sql.shuffle.partitions 3");
    ended.says("SPARK_LOCAL_IP null");
    ended.says("OMP_WAIT_POLICY ACTIVE");
    ended.says("heap 300");
    assertEquals(
        List.of("argument run"),
        ended.out.lines().filter(line -> line.startsWith("argument")).toList());
  }

  @Test
  void submitsWhereThereIsSpark() throws Exception {
    Path spark = home.resolve("a spark");
    program(
        spark.resolve("bin/spark-submit"),
        """
        printf '%s\\n' "$@"
        echo "options$SPARK_SUBMIT_OPTS"
        exit 3
        """);

    Ended ended =
        run(
            Map.of("SPARK_HOME", spark.toString()),
            home,
            "scripts/safe-synthesizer",
            "--master",
            "yarn",
            "--spark-conf",
            "spark.executor.cores=4",
            "run",
            "--config",
            "my config.yaml");

    assertEquals(3, ended.exitCode);
    assertEquals(
        List.of(
            "--class",
            "org.safesynth.job.Main",
            "--master",
            "yarn",
            "--conf",
            "spark.executorEnv.OMP_WAIT_POLICY=PASSIVE",
            "--conf",
            "spark.executorEnv.OPENBLAS_NUM_THREADS=1",
            "--conf",
            "spark.executor.cores=4",
            home + "/spark-job/target/safe-synthesizer-job.jar",
            "run",
            "--config",
            "my config.yaml",
            "options \"-Dlog4j2.configurationFile=" + home + "/conf/log4j2.properties\""),
        ended.out.lines().toList());
  }

  @Test
  void quickstartLearnsThePackagedTable() throws Exception {
    Path elsewhere = Files.createDirectories(temporary.resolve("quick")).toRealPath();

    Ended ended =
        run(
            Map.of("SPARK_HOME", "/of/another/version"),
            elsewhere,
            home + "/scripts/quickstart",
            "--run-id",
            "mine");

    assertEquals(0, ended.exitCode, ended.err);
    assertEquals(
        List.of(
            "run",
            "--config",
            home + "/conf/quickstart.yaml",
            "--data-source",
            home + "/conf/data/adult.csv.gz",
            "--artifact-path",
            "safe-synthesizer-artifacts",
            "--run-id",
            "mine"),
        ended
            .out
            .lines()
            .filter(line -> line.startsWith("argument "))
            .map(line -> line.substring("argument ".length()))
            .toList());
  }

  @Test
  void oldJavaIsRefusedInOneSentence() throws Exception {
    Path java = home.resolve("old java");
    program(java.resolve("bin/java"), "echo 'openjdk version \"11.0.22\" 2024-01-16' >&2\n");

    Ended ended =
        run(Map.of("JAVA_HOME", java.toString()), home, "scripts/safe-synthesizer", "run");

    assertEquals(1, ended.exitCode);
    assertEquals(
        "safe-synthesizer: "
            + java
            + "/bin/java is Java 11: Spark 4.0 needs Java 17 or 21; set JAVA_HOME to one.\n",
        ended.err);
  }

  @Test
  void missingJarIsBuilt() throws Exception {
    Path copy = Files.createDirectories(temporary.resolve("fresh clone")).toRealPath();
    Files.createDirectories(copy.resolve("scripts"));
    Files.copy(
        home.resolve("scripts/safe-synthesizer"),
        copy.resolve("scripts/safe-synthesizer"),
        StandardCopyOption.COPY_ATTRIBUTES);
    Files.writeString(copy.resolve("pom.xml"), "<project/>");
    program(
        copy.resolve("bin/mvn"),
        "echo \"mvn $*\"; mkdir -p spark-job && cp -R '%s/spark-job/target' spark-job/\n"
            .formatted(home));
    Map<String, String> environment =
        Map.of("PATH", copy.resolve("bin") + ":" + System.getenv("PATH"));

    Ended first = run(environment, copy, "scripts/safe-synthesizer", "run");
    assertEquals(0, first.exitCode, first.err);
    assertTrue(first.err.contains("the job's jar does not exist yet: building"), first.err);
    assertTrue(first.err.contains("mvn -q -B -DskipTests package"), first.err);
    first.says("argument run");

    Ended second = run(environment, copy, "scripts/safe-synthesizer", "--build", "run");
    assertEquals("", second.err);

    Files.setLastModifiedTime(
        copy.resolve("pom.xml"), FileTime.from(Instant.now().plusSeconds(60)));
    Ended third = run(environment, copy, "scripts/safe-synthesizer", "--build", "run");
    assertTrue(third.err.contains("sources are newer than the job's jar: building"), third.err);

    Path jar = copy.resolve("spark-job/target/safe-synthesizer-job.jar");
    byte[] whole = Files.readAllBytes(jar);
    Files.write(jar, Arrays.copyOf(whole, whole.length / 2));
    Ended fourth = run(environment, copy, "scripts/safe-synthesizer", "run");
    assertTrue(fourth.err.contains("does not exist yet: building"), fourth.err);
    assertEquals(0, fourth.exitCode, fourth.err);
  }

  @Test
  void wrongUsageOfTheLauncherIsTold() throws Exception {
    Ended ended = run(Map.of(), home, "scripts/safe-synthesizer", "run", "--master");
    assertEquals(2, ended.exitCode);
    assertEquals("safe-synthesizer: --master needs a value.\n", ended.err);

    ended = run(Map.of(), home, "scripts/safe-synthesizer", "--spark-conf", "spark.a", "run");
    assertEquals(2, ended.exitCode);
    assertEquals("safe-synthesizer: --spark-conf spark.a is not KEY=VALUE.\n", ended.err);
  }

  @Test
  void helpOfTheLauncherIsItsOwnText() throws Exception {
    Ended ended = run(Map.of(), home, "scripts/safe-synthesizer", "--launcher-help");
    assertEquals(0, ended.exitCode);
    assertTrue(ended.out.contains("--spark-submit PATH"), ended.out);
    assertFalse(ended.out.contains("pipefail"), ended.out);
  }

  private static Ended run(Map<String, String> environment, Path folder, String... command)
      throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of(command));
    words.set(0, folder.resolve(command[0]).toString());
    Path out = Files.createTempFile(temporary, "out", ".txt");
    Path err = Files.createTempFile(temporary, "err", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(words)
            .directory(folder.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    // Of the environment that the tests run in, only where programs are.
    builder.environment().keySet().retainAll(List.of("PATH", "HOME"));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    Process process = builder.start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), "still running after a minute");
    return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  private static void copy(String path) throws IOException {
    Path copy = home.resolve(path);
    Files.createDirectories(copy.getParent());
    Files.copy(ProjectFolder.resolve(path), copy, StandardCopyOption.COPY_ATTRIBUTES);
  }

  private static void program(Path path, String body) throws IOException {
    Files.createDirectories(path.getParent());
    Files.writeString(path, "#!/usr/bin/env bash\n" + body);
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static void writeJob(Path jar) throws IOException {
    Path source = temporary.resolve("sources/Main.java");
    Path classes = Files.createDirectories(temporary.resolve("classes"));
    Files.createDirectories(source.getParent());
    Files.writeString(source, JOB);
    int result =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null, OutputStream.nullOutputStream(), null, "-d", "" + classes, source.toString());
    assertEquals(0, result, "compilation of the test's job");
    String name = "org/safesynth/job/Main.class";
    try (JarOutputStream stream = new JarOutputStream(Files.newOutputStream(jar))) {
      stream.putNextEntry(new JarEntry(name));
      stream.write(Files.readAllBytes(classes.resolve(name)));
      stream.putNextEntry(new JarEntry("note"));
      stream.write("padding".getBytes(StandardCharsets.UTF_8));
    }
  }
}
