package org.safesynth.job;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.spark.package$;
import org.safesynth.codec.ProtectionCount;
import org.safesynth.evaluate.MetricsFile;
import org.safesynth.evaluate.QualitySummary;

/**
 * Keeps {@code result.json} true while a run goes on: the stage it is in, what was counted, how
 * long each stage took, and how it ended.
 */
final class Journal {
  private final RunFolder folder;
  private final RunClaim claim;
  private final Clock clock;
  private final String dataSource;
  private final long seed;
  private final Instant started;
  private final RunResult finished; // of an earlier command that stays true; else null
  private final Map<String, Long> counts = new LinkedHashMap<>();
  private final Map<String, Double> seconds = new LinkedHashMap<>();
  private List<ProtectionCount> protection = List.of();
  private final Map<String, Object> model = new LinkedHashMap<>();
  private QualitySummary quality;
  private String stage = "start";
  private String synthetic;
  private String outputFile;
  private boolean hasReplaced;

  /**
   * @param claim is asked before each stage whether the folder is still this process's
   * @param dataSource as the user gave it; its credentials are hidden here
   */
  Journal(RunFolder folder, RunClaim claim, Clock clock, String dataSource, long seed) {
    this.folder = folder;
    this.claim = claim;
    this.clock = clock;
    this.dataSource = dataSource == null ? null : Credentials.masked(dataSource);
    this.seed = seed;
    this.started = clock.instant();
    Optional<RunResult> earlier = folder.result();
    earlier.ifPresent(this::goOn);
    this.finished = earlier.filter(RunResult::hasSucceeded).orElse(null);
  }

  /** What an earlier command on this folder found stays true: rows read, the model. */
  private void goOn(RunResult earlier) {
    counts.putAll(earlier.counts() == null ? Map.of() : earlier.counts());
    seconds.putAll(earlier.seconds() == null ? Map.of() : earlier.seconds());
    protection = earlier.protection() == null ? List.of() : earlier.protection();
    model.putAll(earlier.model() == null ? Map.of() : earlier.model());
  }

  /** Runs a stage and writes down how long it took. */
  <T> T stage(String name, Supplier<T> work) {
    claim.require();
    stage = name;
    folder.write(result(RunResult.RUNNING, null));
    Instant begin = clock.instant();
    T product = work.get();
    seconds.put(name, Duration.between(begin, clock.instant()).toMillis() / 1000.0);
    return product;
  }

  void count(String what, long number) {
    counts.put(what, number);
  }

  void protection(List<ProtectionCount> byColumn) {
    protection = List.copyOf(byColumn);
  }

  void model(Map<String, ?> facts) {
    model.clear();
    model.putAll(facts);
  }

  /** Adds to what is known of the model. */
  void fact(String name, Object value) {
    model.put(name, value);
  }

  void quality(QualitySummary summary) {
    quality = summary;
  }

  void output(String syntheticTable, String file) {
    synthetic = syntheticTable;
    outputFile = file;
  }

  /** What the evaluation's file tells of the run. */
  MetricsFile.RunFacts facts() {
    return RunResult.facts(counts, seconds);
  }

  double secondsSinceStart() {
    return Duration.between(started, clock.instant()).toMillis() / 1000.0;
  }

  void succeeded() {
    claim.require();
    folder.write(result(RunResult.SUCCEEDED, null));
  }

  /** The earlier synthetic table is written over from here on. */
  void replaces() {
    hasReplaced = true;
  }

  /** A finished run stays one when a later command failed before it changed anything. */
  void failed(String sentence) {
    boolean staysFinished = finished != null && !hasReplaced;
    folder.write(staysFinished ? finished : result(RunResult.FAILED, sentence));
  }

  private RunResult result(String status, String error) {
    boolean hasEnded = !status.equals(RunResult.RUNNING);
    return new RunResult(
        folder.runId(),
        status,
        stage,
        error,
        dataSource,
        seed,
        counts,
        seconds,
        protection,
        model,
        quality,
        synthetic,
        outputFile,
        versions(),
        time(started),
        hasEnded ? time(clock.instant()) : null);
  }

  private static String time(Instant instant) {
    return instant.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  private static Map<String, String> versions() {
    Map<String, String> versions = new LinkedHashMap<>();
    versions.put("safe_synthesizer", Version.ofThisLibrary());
    versions.put("spark", package$.MODULE$.SPARK_VERSION());
    versions.put("java", System.getProperty("java.version"));
    versions.put("platform", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    return versions;
  }
}
