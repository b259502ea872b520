package org.safesynth.job;

import java.util.List;
import java.util.Map;
import org.safesynth.codec.ProtectionCount;
import org.safesynth.evaluate.MetricsFile;
import org.safesynth.evaluate.QualitySummary;

/**
 * What {@code result.json} says of a run: how it ended and how it was made.
 *
 * @param runId the run's name
 * @param status {@code running}, {@code succeeded} or {@code failed}
 * @param stage the last stage that was begun
 * @param error the sentence shown to the user, when failed
 * @param dataSource where the table was read, without credentials
 * @param seed of all random draws
 * @param counts rows by what became of them
 * @param seconds by stage
 * @param protection what value protection did, by column
 * @param model folder, checksum and what training reached
 * @param quality a quick comparison with the real table
 * @param synthetic the synthetic table
 * @param outputFile the copy asked for with {@code --output-file}
 * @param versions of this library, Spark, Java and the platform
 * @param startedAt ISO-8601, UTC
 * @param endedAt ISO-8601, UTC
 */
public record RunResult(
    String runId,
    String status,
    String stage,
    String error,
    String dataSource,
    Long seed,
    Map<String, Long> counts,
    Map<String, Double> seconds,
    List<ProtectionCount> protection,
    Map<String, Object> model,
    QualitySummary quality,
    String synthetic,
    String outputFile,
    Map<String, String> versions,
    String startedAt,
    String endedAt) {
  public static final String RUNNING = "running";
  public static final String SUCCEEDED = "succeeded";
  public static final String FAILED = "failed";

  /** What the evaluation's file tells of a run. */
  static MetricsFile.RunFacts facts(Map<String, Long> counts, Map<String, Double> seconds) {
    return new MetricsFile.RunFacts(
        counts.get("generated"),
        0L, // the embedded model's grammar admits valid records only
        null,
        seconds.values().stream().mapToDouble(Double::doubleValue).sum(),
        null,
        seconds.get("train"),
        seconds.get("generate"));
  }

  /** Whether the run reached its end well; any other run may be resumed. */
  public boolean hasSucceeded() {
    return SUCCEEDED.equals(status);
  }
}
