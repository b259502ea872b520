package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.spark.deploy.SparkSubmitArguments;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Holds the ready jobs for Databricks, Airflow, EMR, Dataproc and Kubernetes to the command line
 * that they call.
 */
@Tag("unit")
final class SchedulerExamplesTest {
  private static final Path CONF = Path.of("../conf");
  private static final Pattern STRING = Pattern.compile("\"([^\"]*)\"");

  private static String help() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
    assertEquals(0, Main.execute(new String[] {"run", "--help"}, stream, stream, Map.of()));
    return out.toString(StandardCharsets.UTF_8);
  }

  private static void assertIsARun(List<String> parameters) {
    String help = help();
    assertEquals("run", parameters.get(0));
    assertEquals(1, parameters.size() % 2, "an option without its value: " + parameters);
    for (int i = 1; i < parameters.size(); i += 2) {
      String option = parameters.get(i);
      assertTrue(
          Pattern.compile(Pattern.quote(option) + "[= ]").matcher(help).find(),
          option + " is no option of run");
    }
    assertTrue(parameters.contains("--run-id"), "a retried task resumes by its --run-id");
  }

  @Test
  void databricksJobsCallWhatIsThere() throws Exception {
    Object bundle =
        new Load(LoadSettings.builder().build())
            .loadFromString(Files.readString(CONF.resolve("databricks/databricks.yml")));
    Map<?, ?> jobs = (Map<?, ?>) at(bundle, "resources", "jobs");
    assertFalse(jobs.isEmpty());
    for (Object job : jobs.values()) {
      for (Object task : (List<?>) at(job, "tasks")) {
        assertEquals(Main.class.getName(), at(task, "spark_jar_task", "main_class_name"));
        assertIsARun(strings(at(task, "spark_jar_task", "parameters")));
        assertEquals("SINGLE_USER", at(task, "new_cluster", "data_security_mode"));
        assertEquals("false", at(task, "new_cluster", "spark_conf", "spark.speculation"));
        assertTrue(at(task, "new_cluster", "spark_version").toString().contains("scala2.13"));
      }
    }
  }

  @Test
  void airflowTasksCallWhatIsThere() throws IOException {
    try (Stream<Path> files = Files.list(CONF.resolve("airflow"))) {
      List<Path> dags = files.filter(file -> file.toString().endsWith(".py")).toList();
      assertFalse(dags.isEmpty());
      for (Path dag : dags) {
        String text = Files.readString(dag).replaceAll("(?s)\"\"\".*?\"\"\"", "");
        List<String> strings = strings(text);
        assertTrue(strings.contains(Main.class.getName()), dag + " names no main class");
        int run = strings.indexOf("run");
        List<String> parameters = new ArrayList<>();
        for (String string : strings.subList(strings.lastIndexOf("run"), strings.size())) {
          boolean isNextKey = string.equals("libraries");
          if (isNextKey) {
            break;
          }
          parameters.add(string);
        }
        assertTrue(run >= 0, dag.toString());
        assertIsARun(parameters);
        assertTrue(text.contains("max_active_runs=1"), "two runs of one id write one folder");
      }
    }
  }

  /** What a script would run, as its shell says it: the cloud's own command is a stand-in. */
  private static List<String> submitted(String script, String command, Path bin) throws Exception {
    Path told = bin.resolve("told");
    Path standIn = bin.resolve(command);
    Files.writeString(standIn, "#!/bin/sh\nprintf '%s\\n' \"$@\" > " + told + "\n");
    assertTrue(standIn.toFile().setExecutable(true));
    ProcessBuilder builder =
        new ProcessBuilder("bash", CONF.resolve(script).toAbsolutePath().toString());
    builder.environment().put("PATH", bin + ":" + System.getenv("PATH"));
    builder.environment().put("CLUSTER", "j-1");
    Process process = builder.redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
    return Files.readAllLines(told);
  }

  /** Spark's own parser of spark-submit's arguments, which throws at an option it does not know. */
  private static SparkSubmitArguments assertSparkUnderstands(List<String> arguments) {
    SparkSubmitArguments parsed =
        new SparkSubmitArguments(
            CollectionConverters.asScala(arguments).toSeq(),
            scala.collection.immutable.Map.from(
                CollectionConverters.asScala(Map.of("HADOOP_CONF_DIR", "/etc/hadoop/conf"))));
    assertEquals(Main.class.getName(), parsed.mainClass());
    assertEquals("false", parsed.sparkProperties().apply("spark.speculation"));
    assertIsARun(List.copyOf(CollectionConverters.asJava(parsed.childArgs())));
    return parsed;
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void emrRunsASubmissionThatSparkUnderstands(@TempDir Path bin) throws Exception {
    List<String> told = submitted("emr/submit.sh", "aws", bin);
    assertEquals(List.of("emr", "add-steps", "--cluster-id", "j-1", "--steps"), told.subList(0, 5));
    Matcher step = Pattern.compile("Jar=command-runner.jar,Args=\\[(.*)]").matcher(told.get(5));
    assertTrue(step.find(), told.get(5));
    List<String> arguments = List.of(step.group(1).split(","));
    assertEquals("spark-submit", arguments.get(0));
    SparkSubmitArguments parsed = assertSparkUnderstands(arguments.subList(1, arguments.size()));
    assertEquals("yarn", parsed.maybeMaster().get());
    assertEquals("cluster", parsed.deployMode());
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void kubernetesRunsASubmissionThatSparkUnderstands(@TempDir Path bin) throws Exception {
    SparkSubmitArguments parsed =
        assertSparkUnderstands(submitted("kubernetes/submit.sh", "spark-submit", bin));
    assertTrue(parsed.maybeMaster().get().startsWith("k8s://"));
    assertEquals("cluster", parsed.deployMode());
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void dataprocSubmitsWhatIsThere(@TempDir Path bin) throws Exception {
    List<String> told = submitted("dataproc/submit.sh", "gcloud", bin);
    assertEquals(List.of("dataproc", "batches", "submit", "spark"), told.subList(0, 4));
    assertEquals(Main.class.getName(), told.get(told.indexOf("--class") + 1));
    for (String property : told.get(told.indexOf("--properties") + 1).split(",")) {
      assertTrue(property.matches("spark\\.[a-zA-Z_.]+=\\S+"), property);
    }
    assertIsARun(told.subList(told.indexOf("--") + 1, told.size()));
  }

  private static String python(Path home, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("python3"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("AIRFLOW_HOME", home.toString());
    builder.environment().put("AIRFLOW__CORE__LOAD_EXAMPLES", "False");
    try {
      Process process = builder.start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() == 0 ? said : "failed: " + said;
    } catch (IOException e) {
      return "failed: there is no python3";
    }
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void airflowLoadsTheDags(@TempDir Path home) throws Exception {
    String providers = "import airflow.providers.databricks, airflow.providers.apache.spark";
    assumeTrue(
        !python(home, "-c", providers).startsWith("failed"),
        "Airflow with its Spark and Databricks providers is not installed");
    String said =
        python(
            home,
            Path.of("src/test/resources/airflow_dags.py").toString(),
            CONF.resolve("airflow").toAbsolutePath().normalize().toString());
    assertTrue(
        said.contains("loaded safe_synthesizer_databricks safe_synthesizer_spark_submit"), said);
  }

  private static List<String> strings(String python) {
    return STRING.matcher(python).results().map((MatchResult found) -> found.group(1)).toList();
  }

  private static List<String> strings(Object list) {
    return ((List<?>) list).stream().map(Object::toString).toList();
  }

  private static Object at(Object tree, String... path) {
    Object at = tree;
    for (String key : path) {
      at = ((Map<?, ?>) at).get(key);
      assertTrue(at != null, "no " + key);
    }
    return at;
  }
}
