package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class PrivacyCommandTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(String options) {
    out.reset();
    err.reset();
    return Main.execute(
        ("privacy " + options).split(" "),
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        Map.of());
  }

  private JsonNode answer(String options) throws Exception {
    assertEquals(0, run(options + " --json"), err::toString);
    return new ObjectMapper().readTree(out.toByteArray());
  }

  @Test
  void anyoneCanCheckALedger() throws Exception {
    JsonNode answer = answer("--sampling-rate 0.01 --noise-multiplier 1 --steps 1 --delta 1e-5");
    // Opacus 1.6.0 at order 9.9, and dp-accounting 0.6.0's loss distribution
    assertEquals(0.9555491480288791, answer.get("epsilon_rdp").asDouble(), 1e-6);
    assertEquals(9.9, answer.get("rdp_order").asDouble());
    assertEquals(0.19945047347144237, answer.get("epsilon_pld").asDouble(), 1e-6);
    assertEquals(0.01, answer.get("sampling_rate").asDouble());
    assertEquals(1, answer.get("steps").asLong());
  }

  @Test
  void aBudgetGivesTheLeastNoise() throws Exception {
    String size = "--records 50000 --batch-size 500 --steps 100 --delta auto";
    JsonNode noise = answer(size + " --epsilon 1.5");
    assertTrue(noise.get("epsilon_rdp").asDouble() <= 1.5);
    assertEquals(1.5, noise.get("epsilon_rdp").asDouble(), 1e-4);
    assertEquals(Math.pow(50000, -1.2), noise.get("delta").asDouble());
    JsonNode cost =
        answer(size + " --noise-multiplier " + noise.get("noise_multiplier").asDouble());
    assertEquals(noise, cost);
    JsonNode tighter = answer(size + " --epsilon 1.5 --accountant pld");
    assertTrue(tighter.get("epsilon_pld").asDouble() <= 1.5);
    assertTrue(
        tighter.get("noise_multiplier").asDouble() < noise.get("noise_multiplier").asDouble());
  }

  @Test
  void thePrintedTextHasEveryNumber() {
    assertEquals(0, run("--sampling-rate 0.01 --noise-multiplier 1 --steps 10 --delta 1e-5"));
    String text = out.toString(StandardCharsets.UTF_8);
    for (String name :
        new String[] {
          "sampling rate", "noise multiplier", "steps", "delta", "epsilon_rdp", "epsilon_pld"
        }) {
      assertTrue(text.contains(name), text);
    }
  }

  @Test
  void wrongQuestionsAreAnsweredWithWhatToDo() {
    String good = "--sampling-rate 0.01 --noise-multiplier 1 --steps 10 --delta 1e-5";
    refused(good.replace("--noise-multiplier 1", ""), "either --noise-multiplier or --epsilon");
    refused(good + " --epsilon 1", "either --noise-multiplier or --epsilon");
    refused(good + " --records 10 --batch-size 1", "either --sampling-rate");
    refused(good.replace("--sampling-rate 0.01", "--batch-size 5"), "needs --records");
    refused(good.replace("1e-5", "auto"), "needs --records");
    refused(good.replace("1e-5", "0"), "delta is 0");
    refused(good.replace("1e-5", "much"), "a number, or auto");
    refused(good.replace("--steps 10", "--steps 0"), "at least 1");
    refused(good.replace("--noise-multiplier 1", "--epsilon -2"), "above 0");
    refused(good.replace("0.01", "1.5"), "sampling rate is 1.5");
  }

  private void refused(String options, String what) {
    assertEquals(2, run(options.replaceAll(" +", " ").trim()));
    assertTrue(err.toString(StandardCharsets.UTF_8).contains(what), err::toString);
  }

  @Test
  void fewRecordsAndALargeDeltaAreSaid() {
    assertEquals(
        0, run("--records 500 --batch-size 50 --noise-multiplier 1 --steps 10 --delta 0.01"));
    assertTrue(err.toString(StandardCharsets.UTF_8).contains("few"));
    assertTrue(err.toString(StandardCharsets.UTF_8).contains("1/n"));
  }

  /** As the launcher starts it: no jar of Spark, Scala or Hadoop is there, nor any logger. */
  @Test
  void neitherSparkNorItsJarsAreNeeded() throws Exception {
    String withoutSpark = ".*/(classes|cls|safe-synthesizer-udfs|picocli|jackson-)[^/]*(\\.jar)?/?";
    List<URL> kept = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      if (entry.matches(withoutSpark)) {
        kept.add(Path.of(entry).toUri().toURL());
      }
    }
    ClassLoader platform = ClassLoader.getPlatformClassLoader();
    try (URLClassLoader bare = new URLClassLoader(kept.toArray(URL[]::new), platform)) {
      for (String absent : List.of("org.apache.spark.SparkConf", "scala.Option")) {
        assertThrows(ClassNotFoundException.class, () -> bare.loadClass(absent));
      }
      Method execute =
          bare.loadClass(Main.class.getName())
              .getDeclaredMethod(
                  "execute", String[].class, PrintStream.class, PrintStream.class, Map.class);
      execute.setAccessible(true);
      String good = "privacy --records 500 --batch-size 50 --epsilon 2 --steps 10 --delta 1e-3";
      assertEquals(0, execute.invoke(null, arguments(good)), err::toString);
      assertTrue(out.toString(StandardCharsets.UTF_8).contains("epsilon_pld"), out::toString);
      assertEquals(2, execute.invoke(null, arguments(good.replace("1e-3", "0"))));
      assertTrue(err.toString(StandardCharsets.UTF_8).contains("delta is 0"), err::toString);
      assertEquals(2, execute.invoke(null, arguments("privacy --steps 3")));
    }
  }

  private Object[] arguments(String line) {
    return new Object[] {
      line.split(" "),
      new PrintStream(out, true, StandardCharsets.UTF_8),
      new PrintStream(err, true, StandardCharsets.UTF_8),
      Map.of()
    };
  }
}
