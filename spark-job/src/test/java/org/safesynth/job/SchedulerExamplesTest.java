package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** Holds the ready jobs for Databricks and Airflow to the command line that they call. */
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
