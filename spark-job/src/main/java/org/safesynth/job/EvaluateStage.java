package org.safesynth.job;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.evaluate.ColumnDistribution;
import org.safesynth.evaluate.Evaluation;
import org.safesynth.evaluate.EvaluationInput;
import org.safesynth.evaluate.EvaluationResult;
import org.safesynth.evaluate.GroupKeys;
import org.safesynth.evaluate.MetricsFile;
import org.safesynth.evaluate.ReportPage;
import org.safesynth.evaluate.Score;
import org.safesynth.evaluate.TypedTable;
import org.safesynth.schema.FrozenSchema;

/** Judges the synthetic table and leaves {@code metrics.json} and {@code report.html}. */
final class EvaluateStage {
  private static final int WEAKEST = 3;

  private EvaluateStage() {}

  /**
   * Judges the synthetic table of a run against its data source.
   *
   * @param split of the data source when it was learned; not looked at for a private run, whose
   *     ledger has what is needed
   */
  static List<EvaluationResult> ofRun(
      RunContext context,
      TableSource table,
      FrozenSchema schema,
      Split split,
      MetricsFile.RunFacts facts,
      boolean hasReferenceLayout) {
    if (context.config().data().parent() != null) {
      return ofRelated(context, table, schema, split, facts, hasReferenceLayout);
    }
    Dataset<Row> written = context.spark().read().parquet(context.folder().synthetic().toString());
    TypedTable synthetic = TypedTable.of("the synthetic table", written, schema, Set.of());
    try (HeldOut parts =
        context.config().privacy().dpEnabled()
            ? HeldOut.ofPrivate(context, table, schema, PrivateUnits.ofRun(context))
            : HeldOut.of(context, table, schema, split)) {
      EvaluationInput input =
          new EvaluationInput(
              parts.reference(),
              synthetic,
              parts.holdout(),
              groups(context.config()).map(keys -> withDates(keys, schema)),
              context.config().isEmbedded()
                  ? Optional.empty()
                  : Optional.of(new LanguageEmbedder(context)));
      return List.of(run(context, input, facts, hasReferenceLayout));
    }
  }

  /** Judges the rows with their parents' columns, then the parents. */
  private static List<EvaluationResult> ofRelated(
      RunContext context,
      TableSource table,
      FrozenSchema schema,
      Split split,
      MetricsFile.RunFacts facts,
      boolean hasReferenceLayout) {
    try (RelatedEvaluation related = RelatedEvaluation.of(context, table, schema, split)) {
      EvaluationResult children = run(context, related.ofChildren(), facts, hasReferenceLayout);
      context.console().info("and of the parent table:");
      EvaluationInput input = related.ofParents();
      EvaluationResult parents =
          Evaluation.run(input, context.config().evaluation(), context.seed());
      String json = MetricsFile.write(parents, MetricsFile.RunFacts.none());
      context.folder().write(RunFolder.PARENT_METRICS, json);
      context
          .folder()
          .write(
              RunFolder.PARENT_REPORT,
              ReportPage.html(json, ReportDetails.of(context, input, parents)));
      tell(context.console(), parents);
      return List.of(children, parents);
    }
  }

  /** What the settings say of groups; a series is one whose rows are ordered by time. */
  static Optional<GroupKeys> groups(SafeSynthesizerConfig config) {
    String order =
        config.timeSeries().isTimeseries()
            ? config.timeSeries().timeColumn()
            : config.data().orderTrainingExamplesBy();
    return Optional.ofNullable(config.data().groupColumn())
        .map(group -> new GroupKeys(group, order));
  }

  /** Times of day that go on over midnight order no rows. */
  private static GroupKeys withDates(GroupKeys keys, FrozenSchema schema) {
    boolean isRolling =
        schema.columns().stream()
            .anyMatch(column -> column.name().equals(keys.order()) && column.timeOfDay() != null);
    return isRolling ? new GroupKeys(keys.group(), null) : keys;
  }

  /** Judges tables and writes what was found. */
  static EvaluationResult run(
      RunContext context,
      EvaluationInput input,
      MetricsFile.RunFacts facts,
      boolean hasReferenceLayout) {
    EvaluationResult result = Evaluation.run(input, context.config().evaluation(), context.seed());
    String json = MetricsFile.write(result, facts);
    context.folder().write(RunFolder.METRICS, json);
    String report = ReportPage.html(json, ReportDetails.of(context, input, result));
    context.folder().write(RunFolder.REPORT, report);
    if (hasReferenceLayout) {
      context.folder().write(RunFolder.REFERENCE_METRICS, json);
      context.folder().write(RunFolder.REFERENCE_REPORT, report);
    }
    tell(context.console(), result);
    return result;
  }

  /** Tells which thresholds were missed, once everything is written, and gives the exit code. */
  static int verdict(RunContext context, List<EvaluationResult> results) {
    int exitCode = 0;
    for (EvaluationResult result : results) {
      List<String> shortfalls =
          Thresholds.shortfalls(
              context.config().evaluation().failBelow(), result.findings().scores());
      shortfalls.forEach(context.console()::error);
      exitCode = shortfalls.isEmpty() ? exitCode : 1;
    }
    return exitCode;
  }

  private static void tell(Console console, EvaluationResult result) {
    result.notes().forEach(console::warn);
    Map<String, Score> scores = result.findings().scores();
    Map<String, Object> figures = new LinkedHashMap<>();
    scores.forEach((name, score) -> figures.put(name, score.score()));
    console.progress(
        "evaluate",
        "quality %s, privacy %s (10 is best)%s"
            .formatted(
                shown(scores.get("synthetic_data_quality_score")),
                shown(scores.get("data_privacy_score")),
                weakest(result)),
        figures);
  }

  private static String shown(Score score) {
    return score.isAvailable()
        ? "%.1f %s".formatted(score.score(), score.grade())
        : "unavailable (%s)".formatted(score.notes());
  }

  private static String weakest(EvaluationResult result) {
    List<ColumnDistribution.Column> columns =
        result
            .findings()
            .find(ColumnDistribution.class)
            .map(ColumnDistribution::columns)
            .orElse(List.of());
    String names =
        columns.stream()
            .filter(column -> column.score().isAvailable())
            .sorted(java.util.Comparator.comparingDouble(column -> -column.distance()))
            .limit(WEAKEST)
            .map(column -> "'%s' %.1f".formatted(column.name(), column.score().score()))
            .collect(Collectors.joining(", "));
    return names.isEmpty() ? "" : "; weakest columns: " + names;
  }
}
