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
          Measure.of("tables", TableFacts::of),
          // quality: the reference's scores
          Measure.of("column_distribution", ColumnDistribution::of),
          Measure.of("column_correlation", ColumnCorrelation::of),
          Measure.of("deep_structure", DeepStructure::of),
          Measure.of("text_structure", TextStructure::of),
          Measure.of("text_semantics", TextSemantics::of),
          new Measure("synthetic_data_quality", QualityScore::of),
          // quality: the field's scores
          Measure.of("column_shapes", ColumnShapes::of),
          new Measure("column_pair_trends", PairTrends::of),
          // quality: models as judges
          Measure.of("discriminator", Discriminator::of),
          Measure.of("usefulness", Usefulness::of),
          // quality: rows that belong together
          Measure.of("groups", GroupStructure::of),
          Measure.of("related", RelatedStructure::of),
          // privacy: the reference's scores
          Measure.of("membership_inference", MembershipInference::of),
          Measure.of("attribute_inference", AttributeInference::of),
          new Measure("data_privacy", (evidence, findings) -> PrivacyScore.of(findings)),
          Measure.of("pii_replay", PiiReplay::of),
          // privacy: the field's measures
          Measure.of("closest_records", ClosestRecords::of),
          // privacy: attacks beside their control
          Measure.of("singling_out", SinglingOut::of),
          Measure.of("linkability", NeighbourAttacks::linkability),
          new Measure("inference", NeighbourAttacks::inference));

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
