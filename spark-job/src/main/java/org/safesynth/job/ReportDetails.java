package org.safesynth.job;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.package$;
import org.safesynth.evaluate.EvaluationInput;
import org.safesynth.evaluate.EvaluationResult;
import org.safesynth.evaluate.ReportFacts;
import org.safesynth.evaluate.Storage;
import org.safesynth.evaluate.TableFacts;
import org.safesynth.evaluate.TypedColumn;

/** Gathers what the report tells of the run itself: sources, settings, the way to repeat it. */
final class ReportDetails {
  /** Of the keyed 0 to 2 that value protection adds to the threshold, the most. */
  private static final int MOST_ADDED = 2;

  private static final String LEDGER = "privacy.json";
  private static final int MODEL_FACTS = 12;

  private ReportDetails() {}

  static ReportFacts of(RunContext context, EvaluationInput input, EvaluationResult result) {
    Optional<RunResult> run = context.folder().result();
    String source =
        run.map(RunResult::dataSource)
            .orElseGet(() -> Credentials.masked(input.reference().name()));
    return new ReportFacts(
        "Synthetic data report",
        subtitle(context, source, result),
        facts(context, run, source),
        Settings.saved(context.config()),
        run.map(made -> commands(context, source)).orElse(null),
        privacy(context),
        context.config().data().valueProtection() || context.config().privacy().dpEnabled()
            ? context.config().data().rareThreshold() + MOST_ADDED
            : 0,
        input.reference().columns().stream()
            .filter(column -> column.storage() == Storage.DATE)
            .map(TypedColumn::name)
            .toList(),
        "Safe Synthesizer for Spark %s · Spark %s · Java %s · charts by Chart.js (MIT)"
            .formatted(
                Version.ofThisLibrary(),
                package$.MODULE$.SPARK_VERSION(),
                System.getProperty("java.version")));
  }

  private static String subtitle(RunContext context, String source, EvaluationResult result) {
    Optional<TableFacts> tables = result.findings().find(TableFacts.class);
    String rows =
        tables
            .map(
                t ->
                    String.format(
                        Locale.ROOT,
                        "%,d synthetic rows beside %,d real ones",
                        t.synthetic().rows(),
                        t.reference().rows()))
            .orElse("synthetic and real rows");
    return rows + " of " + source + " · " + context.folder().runId();
  }

  private static Map<String, String> facts(
      RunContext context, Optional<RunResult> run, String source) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("data source", source);
    facts.put("run", context.folder().path().toString());
    facts.put("seed", Long.toString(context.seed()));
    run.map(RunResult::startedAt).ifPresent(time -> facts.put("begun", time));
    run.map(RunResult::model).orElse(Map.of()).entrySet().stream()
        .filter(fact -> fact.getValue() instanceof Number || fact.getValue() instanceof String)
        .limit(MODEL_FACTS)
        .forEach(
            fact ->
                facts.put("model: " + fact.getKey().replace('_', ' '), fact.getValue().toString()));
    return facts;
  }

  private static String commands(RunContext context, String source) {
    String folder = context.folder().path().toString();
    return String.join(
        "\n",
        List.of(
            "# the whole run again, from its own settings",
            "scripts/safe-synthesizer run --config %s/%s --data-source %s"
                .formatted(quoted(folder), RunFolder.CONFIG, quoted(source)),
            "# this evaluation again",
            "scripts/safe-synthesizer run evaluate --run-path " + quoted(folder)));
  }

  private static String quoted(String text) {
    return text.matches("[\\w./:=@%+,-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
  }

  private static ReportFacts.PrivacyNote privacy(RunContext context) {
    if (!context.config().privacy().dpEnabled()) {
      return null;
    }
    String ledger = context.folder().read(LEDGER).orElse("the run has no " + LEDGER);
    return new ReportFacts.PrivacyNote(
        "The synthetic rows were made under differential privacy: adding or removing one privacy unit"
            + " changes what can be concluded from them by no more than the ledger's epsilon and"
            + " delta allow. This report is not covered: it compares with the real table.",
        ledger);
  }
}
