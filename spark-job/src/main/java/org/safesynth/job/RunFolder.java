package org.safesynth.job;

import java.io.IOException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.safesynth.fault.BadInputException;

/**
 * What a run leaves, on any Hadoop file system: settings, schema, model, the synthetic table, the
 * result. Raw records lie in {@code work/} only, which is gone when the run has ended.
 */
public final class RunFolder {
  public static final String CONFIG = "config.yaml";
  public static final String SCHEMA = "schema.json";
  public static final String PARENT_SCHEMA = "schema_parent.json";
  public static final String RESULT = "result.json";
  public static final String PROGRESS = "progress.jsonl";
  public static final String PRIVACY = "privacy.json";
  public static final String REJECTED = "rejected.json";
  public static final String METRICS = "metrics.json";
  public static final String REPORT = "report.html";
  public static final String PARENT_METRICS = "metrics_parent.json";
  public static final String PARENT_REPORT = "report_parent.html";

  /** Which process writes here; gone when it has ended. */
  static final String ATTEMPT = "attempt.json";

  /** What the reference calls it. */
  public static final String REFERENCE_METRICS = "evaluation_metrics.json";

  public static final String REFERENCE_REPORT = "evaluation_report.html";

  private static final DateTimeFormatter RUN_TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT).withZone(ZoneOffset.UTC);

  private final TextFiles files;
  private final Path path;

  private RunFolder(Configuration hadoop, Path path) {
    this.files = new TextFiles(hadoop);
    this.path = path;
  }

  /** A new run's name: when, and four digits so that two of a second differ. */
  public static String newRunId(Instant now) {
    return "run-" + RUN_TIME.format(now) + "-" + UUID.randomUUID().toString().substring(0, 4);
  }

  /** A folder's name for the id that a scheduler gave, which may hold colons and slashes. */
  public static String folderName(String runId) {
    String name = runId.strip().replaceAll("[^\\p{L}\\p{N}._=+-]", "_");
    if (name.isEmpty() || name.startsWith(".") || name.startsWith("_")) {
      throw new BadInputException(
          "--run-id '%s': begin it with a letter or a digit".formatted(runId));
    }
    return name;
  }

  /** The folder of a new or unfinished run: a finished one is refused. */
  public static RunFolder toWrite(Configuration hadoop, Path path) {
    RunFolder folder = new RunFolder(hadoop, absolute(hadoop, path));
    if (folder.result().filter(RunResult::hasSucceeded).isPresent()) {
      throw new BadInputException(
          "the run %s is finished: choose another --run-id, or use run generate to sample its model again"
              .formatted(folder.path));
    }
    return folder;
  }

  /** The folder of a run that has trained a model. */
  public static RunFolder toGenerate(Configuration hadoop, Path path) {
    RunFolder folder = existing(hadoop, path);
    if (!folder.files.exists(folder.model()) && !folder.files.exists(folder.adapter())) {
      throw new BadInputException(
          "the run %s has no trained model: finish it with run train --resume"
              .formatted(folder.path));
    }
    return folder;
  }

  /** The folder of a run that has written a synthetic table. */
  public static RunFolder toEvaluate(Configuration hadoop, Path path) {
    RunFolder folder = existing(hadoop, path);
    if (!folder.files.exists(folder.synthetic())) {
      throw new BadInputException(
          "the run %s has no synthetic table: write one with run generate".formatted(folder.path));
    }
    return folder;
  }

  private static RunFolder existing(Configuration hadoop, Path path) {
    RunFolder folder = new RunFolder(hadoop, absolute(hadoop, path));
    if (!folder.files.exists(folder.path)) {
      throw new BadInputException("the run folder %s does not exist".formatted(folder.path));
    }
    for (String needed : new String[] {CONFIG, SCHEMA}) {
      if (!folder.has(needed)) {
        throw new BadInputException("%s is no run folder: it has no %s".formatted(path, needed));
      }
    }
    return folder;
  }

  private static Path absolute(Configuration hadoop, Path path) {
    try {
      return path.getFileSystem(hadoop).makeQualified(path);
    } catch (IOException | IllegalArgumentException e) {
      throw new BadInputException(
          "the run folder %s cannot be used: %s".formatted(path, Faults.oneLine(e.getMessage())),
          e);
    }
  }

  public Path path() {
    return path;
  }

  public String runId() {
    return path.getName();
  }

  /** Whether an earlier attempt left its settings here. */
  public boolean isBegun() {
    return has(CONFIG);
  }

  public Path model() {
    return new Path(path, "model");
  }

  /** The adapter of a pretrained model, in PEFT's layout. */
  public Path adapter() {
    return new Path(path, "adapter");
  }

  public Path checkpoints() {
    return new Path(path, "checkpoints");
  }

  /** Noisy results that were paid for, each with its line of the ledger. */
  public Path bought() {
    return new Path(path, "bought");
  }

  public Path synthetic() {
    return new Path(path, "synthetic");
  }

  /** The parent table of the synthetic one, where there is one. */
  public Path syntheticParent() {
    return new Path(path, "synthetic_parent");
  }

  /** A table whose missing values were filled. */
  public Path imputed() {
    return new Path(path, "imputed");
  }

  /** What holds raw records: deleted at the end. */
  public Path work() {
    return new Path(path, "work");
  }

  public Path examples() {
    return new Path(work(), "examples");
  }

  /** Records as a language model reads them, where {@link #examples} has them for counting. */
  public Path texts() {
    return new Path(work(), "texts");
  }

  public boolean has(String name) {
    return files.exists(new Path(path, name));
  }

  public Optional<String> read(String name) {
    return files.read(new Path(path, name));
  }

  public void delete(String name) {
    files.delete(new Path(path, name));
  }

  /** Deletes what was found of an earlier synthetic table: it would not be true of a new one. */
  void forgetEvaluation() {
    for (String name :
        new String[] {
          METRICS, REFERENCE_METRICS, REPORT, REFERENCE_REPORT, PARENT_METRICS, PARENT_REPORT
        }) {
      delete(name);
    }
  }

  public void write(String name, String text) {
    files.write(new Path(path, name), text);
  }

  /** How the run ended, or where it stands; empty before it began or when it was cut off. */
  public Optional<RunResult> result() {
    return read(RESULT).flatMap(text -> Json.parse(text, RunResult.class));
  }

  public void write(RunResult result) {
    write(RESULT, Json.file(result));
  }

  /** Whether training had begun. */
  public boolean hasCheckpoints() {
    return files.exists(checkpoints());
  }

  /** Whether a private run has paid for something. */
  public boolean hasBought() {
    return files.exists(bought());
  }

  public boolean hasWork() {
    return files.exists(work());
  }

  public void deleteWork() {
    files.delete(work());
  }
}
