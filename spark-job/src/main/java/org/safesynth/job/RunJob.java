package org.safesynth.job;

import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.safesynth.config.Availability;
import org.safesynth.config.EmbeddedUse;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.fault.BadInputException;

/** One {@code run} command from its options to its exit code. */
final class RunJob {
  /** Which stages a command runs. */
  enum Stages {
    ALL,
    TRAIN,
    GENERATE,
    IMPUTE
  }

  private final Stages stages;
  private final RunOptions options;
  private final Map<String, String> overrides;
  private final Console console;
  private final boolean isVerbose;
  private final Configuration hadoop;
  private final Settings settings;
  private final Clock clock = Clock.systemUTC();

  /**
   * @param overrides parameters given on the command line, by YAML path
   */
  RunJob(
      Stages stages,
      RunOptions options,
      Map<String, String> overrides,
      Console console,
      boolean isVerbose,
      Configuration hadoop) {
    this.stages = stages;
    this.options = options;
    this.overrides = overrides;
    this.console = console;
    this.isVerbose = isVerbose;
    this.hadoop = hadoop;
    this.settings = new Settings(new TextFiles(hadoop));
  }

  /**
   * Runs the stages and returns the exit code. Once the run folder is begun, a fault is told on the
   * console and in {@code result.json}; before, it is thrown.
   */
  int run() {
    if (options.outputFile != null) {
      OutputWriter.requireKnownFormat(options.outputFile);
    }
    Path path = runPath();
    if (stages == Stages.GENERATE) {
      return generate(path);
    }
    if (stages == Stages.IMPUTE) {
      return impute(path);
    }
    return train(path);
  }

  private int train(Path path) {
    RunFolder folder = RunFolder.toWrite(hadoop, path);
    Optional<RunResult> earlier = folder.result();
    if (options.isResume && !folder.isBegun()) {
      throw new BadInputException("there is no run to resume at " + folder.path());
    }
    SafeSynthesizerConfig config = settings.forRun(folder, options.config, overrides);
    Availability.check(config).forEach(console::info);
    EmbeddedUse.unused(config).forEach(console::warn);
    String source = dataSource(earlier);
    return inSession(
        folder,
        config,
        source,
        () -> {
          if (folder.hasWork() || folder.hasCheckpoints()) {
            console.info("resuming the unfinished run " + folder.path());
          } else {
            console.info("run " + folder.runId() + " in " + folder.path());
          }
          folder.write(RunFolder.CONFIG, Settings.saved(config));
        },
        (pipeline, journal) -> {
          TableSource.Address table =
              new TableSource.Address(source, config.data().format(), config.data().options());
          Pipeline.Learned learned = pipeline.train(table);
          if (stages == Stages.ALL) {
            pipeline.generate(options.outputFile);
            pipeline.compare(learned);
            return pipeline.evaluate(table, learned, options.hasReferenceLayout);
          }
          return 0;
        });
  }

  private int generate(Path path) {
    if (options.runPath == null && options.runId == null) {
      throw new BadInputException(
          "run generate needs the run whose model it samples: give --run-path or --run-id");
    }
    RunFolder folder = RunFolder.toGenerate(hadoop, path);
    SafeSynthesizerConfig config = settings.forGeneration(folder, options.config, overrides);
    Availability.check(config);
    String source = folder.result().map(RunResult::dataSource).orElse(null);
    return inSession(
        folder,
        config,
        source,
        () -> {},
        (pipeline, journal) -> {
          pipeline.generate(options.outputFile);
          console.info("run evaluate --run-path " + folder.path() + " judges the new table");
          return 0;
        });
  }

  private int impute(Path path) {
    if (options.runPath == null && options.runId == null) {
      throw new BadInputException(
          "run impute needs the run whose model it asks: give --run-path or --run-id");
    }
    if (options.dataSource == null) {
      throw new BadInputException("--data-source is missing: name the table to fill");
    }
    RunFolder folder = RunFolder.toGenerate(hadoop, path);
    SafeSynthesizerConfig config = settings.forImputation(folder, options.config, overrides);
    String learned = folder.result().map(RunResult::dataSource).orElse(null);
    TableSource.Address table =
        TableSource.Address.beside(
            hadoop, options.dataSource, config.data(), "--data-source", "fill");
    return inSession(
        folder,
        config,
        learned,
        () -> {},
        (pipeline, journal) -> {
          pipeline.impute(table, options.outputFile);
          return 0;
        });
  }

  private interface Work {
    int run(Pipeline pipeline, Journal journal);
  }

  /**
   * @param begin what is done once the folder is this process's
   */
  private int inSession(
      RunFolder folder, SafeSynthesizerConfig config, String source, Runnable begin, Work work) {
    try (RunClaim claim = RunClaim.take(folder, console, RunClaim.Timing.USUAL)) {
      begin.run();
      return inSession(folder, claim, config, source, work);
    }
  }

  private int inSession(
      RunFolder folder, RunClaim claim, SafeSynthesizerConfig config, String source, Work work) {
    long seed = config.data().randomState();
    Journal journal = new Journal(folder, claim, clock, source, seed);
    try (JobSession session = JobSession.open(options.master, isVerbose);
        RunMetrics metrics = RunMetrics.register();
        ProgressLog log = new ProgressLog(folder, claim, clock)) {
      console.recordTo(log);
      console.recordTo(metrics);
      claim.onLoss(session::cancelJobs);
      RunContext context =
          new RunContext(session.spark(), config, folder, console, seed, stages == Stages.ALL);
      int exitCode = work.run(new Pipeline(context, journal), journal);
      journal.succeeded();
      console.info("done in %s".formatted(Console.duration(journal.secondsSinceStart())));
      cleanUp(folder, config.data().keepIntermediate());
      return exitCode;
    } catch (Throwable fault) {
      if (claim.isLost()) { // the folder and all in it are another process's
        console.error(claim.lost().getMessage());
        console.trace(fault);
        return 1;
      }
      console.error(Faults.sentence(fault));
      console.trace(fault);
      writeFailure(journal, fault);
      boolean isResumable = !Faults.isBadInput(fault);
      cleanUp(folder, isResumable || config.data().keepIntermediate());
      return Faults.exitCode(fault);
    }
  }

  private static void writeFailure(Journal journal, Throwable fault) {
    try {
      journal.failed(Faults.sentence(fault));
    } catch (RuntimeException e) {
      fault.addSuppressed(e); // the disk that failed the run may be the result's too
    }
  }

  /** Raw records stay only when the user asked, or when a resumed run would need them. */
  private void cleanUp(RunFolder folder, boolean keepsWork) {
    if (!folder.hasWork()) {
      return;
    }
    if (keepsWork) {
      console.warn(
          "%s holds encoded private records: delete the folder when you no longer need it (hadoop fs -rm -r, or rm -r), or resume with --run-path %s"
              .formatted(folder.work(), folder.path()));
    } else {
      folder.deleteWork();
    }
  }

  private String dataSource(Optional<RunResult> earlier) {
    if (options.dataSource != null) {
      return options.dataSource;
    }
    return earlier
        .map(RunResult::dataSource)
        .filter(source -> source.equals(Credentials.masked(source)) && !source.contains("***"))
        .orElseThrow(
            () -> new BadInputException("--data-source is missing: name the table to learn"));
  }

  private Path runPath() {
    if (options.runPath != null && options.runId != null) {
      throw new BadInputException("give --run-path or --run-id, not both");
    }
    if (options.runPath != null) {
      return new Path(options.runPath);
    }
    if (options.runId == null && options.isResume) {
      throw new BadInputException("--resume needs --run-id or --run-path: which run?");
    }
    String name =
        options.runId == null
            ? RunFolder.newRunId(clock.instant())
            : RunFolder.folderName(options.runId);
    return new Path(options.artifactPath, name);
  }
}
