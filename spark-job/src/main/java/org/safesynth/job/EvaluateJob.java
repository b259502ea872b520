package org.safesynth.job;

import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.evaluate.EvaluationResult;
import org.safesynth.evaluate.MetricsFile;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.FrozenSchema;

/** One {@code run evaluate} command from its options to its exit code. */
final class EvaluateJob {
  /** Of the draws among tables that no run made: the same tables give the same figures. */
  private static final long SEED = 1;

  private final EvaluateOptions options;
  private final Map<String, String> overrides;
  private final Console console;
  private final boolean isVerbose;
  private final Configuration hadoop;
  private final Settings settings;
  private final Clock clock = Clock.systemUTC();

  EvaluateJob(
      EvaluateOptions options,
      Map<String, String> overrides,
      Console console,
      boolean isVerbose,
      Configuration hadoop) {
    this.options = options;
    this.overrides = overrides;
    this.console = console;
    this.isVerbose = isVerbose;
    this.hadoop = hadoop;
    this.settings = new Settings(new TextFiles(hadoop));
  }

  int run() {
    boolean hasTables =
        options.reference != null || options.synthetic != null || options.holdout != null;
    if (hasTables && (options.reference == null || options.synthetic == null)) {
      throw new BadInputException(
          "run evaluate compares two tables: give both --reference and --synthetic");
    }
    if (options.runPath != null && options.runId != null) {
      throw new BadInputException("give --run-path or --run-id, not both");
    }
    if (!hasTables && options.runPath == null && options.runId == null) {
      throw new BadInputException(
          "run evaluate needs what it should judge: --run-path or --run-id of a run, or --reference and --synthetic");
    }
    return hasTables ? ofTables() : ofRun();
  }

  private int ofRun() {
    RunFolder folder = RunFolder.toEvaluate(hadoop, path());
    SafeSynthesizerConfig config = settings.forEvaluation(folder, options.config, overrides);
    RunResult made =
        folder
            .result()
            .orElseThrow(
                () ->
                    new BadInputException(
                        "the run %s has no %s: it does not say what it learned"
                            .formatted(folder.path(), RunFolder.RESULT)));
    String source = options.dataSource == null ? made.dataSource() : options.dataSource;
    // A private run tells no number of rows: its split needs none.
    Long told = made.counts() == null ? null : made.counts().get("rows");
    Long rows = told == null && config.privacy().dpEnabled() ? Long.valueOf(0) : told;
    if (source == null || source.contains("***") || rows == null) {
      throw new BadInputException("the run does not say where its table is: give --data-source");
    }
    FrozenSchema schema = SchemaStage.read(folder);
    TableSource.Address address =
        new TableSource.Address(source, config.data().format(), config.data().options());
    MetricsFile.RunFacts facts = RunResult.facts(made.counts(), made.seconds());
    return inSession(
        folder,
        config,
        config.data().randomState(),
        context ->
            EvaluateStage.ofRun(
                context,
                NumberedRows.of(config, TableSource.open(context.spark(), address)),
                schema,
                Split.of(rows, config),
                facts,
                options.hasReferenceLayout));
  }

  private int ofTables() {
    if (options.dataSource != null) {
      throw new BadInputException(
          "--data-source is for runs: name the real table with --reference");
    }
    Map<String, String> all = new HashMap<>(overrides);
    SafeSynthesizerConfig config = settings.read(options.config, all);
    RunFolder folder = RunFolder.toWrite(hadoop, path());
    folder.write(RunFolder.CONFIG, Settings.saved(config));
    Long asked = config.data().randomState();
    return inSession(
        folder,
        config,
        asked == null ? SEED : asked,
        context ->
            List.of(
                EvaluateStage.run(
                    context,
                    ComparedTables.read(
                        context, options.reference, options.synthetic, options.holdout),
                    MetricsFile.RunFacts.none(),
                    options.hasReferenceLayout)));
  }

  private interface Work {
    List<EvaluationResult> run(RunContext context);
  }

  private int inSession(RunFolder folder, SafeSynthesizerConfig config, long seed, Work work) {
    long begin = System.nanoTime();
    try (JobSession session = JobSession.open(options.master, isVerbose)) {
      RunContext context = new RunContext(session.spark(), config, folder, console, seed);
      List<EvaluationResult> results = work.run(context);
      console.result("report in " + new Path(folder.path(), RunFolder.REPORT));
      console.info("done in " + Console.duration((System.nanoTime() - begin) / 1e9));
      return EvaluateStage.verdict(context, results);
    }
  }

  private Path path() {
    if (options.runPath != null) {
      return new Path(options.runPath);
    }
    String name =
        options.runId == null
            ? RunFolder.newRunId(clock.instant()).replaceFirst("run-", "evaluation-")
            : RunFolder.folderName(options.runId);
    return new Path(options.artifactPath, name);
  }
}
