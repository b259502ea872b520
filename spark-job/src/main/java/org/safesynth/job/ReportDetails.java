package org.safesynth.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
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
import org.safesynth.fault.RunFailedException;

/** Gathers what the report tells of the run itself: sources, settings, the way to repeat it. */
final class ReportDetails {
  /** Of the keyed 0 to 2 that value protection adds to the threshold, the most. */
  private static final int MOST_ADDED = 2;

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
    Optional<String> ledger = context.folder().read(RunFolder.PRIVACY);
    return new ReportFacts.PrivacyNote(
        ledger.map(ReportDetails::statement).orElse("The run has no ledger yet.")
            + " This report itself is not covered: it compares with the real table, without noise.",
        ledger.orElse(""));
  }

  /** The ledger's own paragraph. */
  private static String statement(String ledger) {
    try {
      return new ObjectMapper().readTree(ledger).path("statement").asText();
    } catch (JsonProcessingException e) {
      throw new RunFailedException(RunFolder.PRIVACY + " is no JSON: it was changed since", e);
    }
  }
}
