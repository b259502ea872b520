package org.safesynth.evaluate;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.safesynth.config.EvaluationConfig;

/** The tour of an evaluation: tables come in, each measure in its order adds what it found. */
public final class Evaluation {
  /** The measures; a later one may look at what earlier ones found. */
  private static final List<Measure> MEASURES =
      List.of(
          // what the two tables are
          Measure.of("tables", TableFacts::of));

  private Evaluation() {}

  /**
   * Judges a synthetic table.
   *
   * @param seed of all that is drawn: the same tables, seed and settings give the same figures
   * @throws org.safesynth.fault.BadInputException when the tables cannot be compared
   */
  public static EvaluationResult run(EvaluationInput input, EvaluationConfig config, long seed) {
    Findings findings = new Findings();
    Map<String, Double> seconds = new LinkedHashMap<>();
    try (Evidence evidence = timed("sample", seconds, () -> Evidence.gather(input, config, seed))) {
      for (Measure measure : MEASURES) {
        evidence.spark().sparkContext().setJobDescription("evaluate: " + measure.name());
        findings.add(
            measure.name(),
            timed(measure.name(), seconds, () -> measure.work().apply(evidence, findings)));
      }
      return new EvaluationResult(findings, evidence.notes(), seconds);
    } finally {
      input.reference().rows().sparkSession().sparkContext().setJobDescription(null);
    }
  }

  private static <T> T timed(
      String name, Map<String, Double> seconds, java.util.function.Supplier<T> work) {
    long begin = System.nanoTime();
    T product = work.get();
    seconds.put(name, (System.nanoTime() - begin) / 1_000_000 / 1e3);
    return product;
  }
}
