package org.safesynth.job;

import java.util.UUID;
import org.apache.spark.sql.SparkSession;

/**
 * The Spark session of a run: the one that is there (a notebook's, a Databricks job's), or one of
 * our own, which alone is made quiet and stopped.
 */
final class JobSession implements AutoCloseable {
  private static final String SHUFFLE_PARTITIONS = "spark.sql.shuffle.partitions";
  private static final String CASE_SENSITIVE = "spark.sql.caseSensitive";

  private final SparkSession spark;
  private final boolean isOurs;
  private final String caseSensitive;
  private final String tag = "safesynth-" + UUID.randomUUID();

  private JobSession(SparkSession spark, boolean isOurs) {
    this.spark = spark;
    this.isOurs = isOurs;
    this.caseSensitive = spark.conf().get(CASE_SENSITIVE);
    // Columns that differ by case only are two columns.
    spark.conf().set(CASE_SENSITIVE, "true");
    spark.sparkContext().addJobTag(tag);
  }

  /**
   * @param master Spark's master, or null for what spark-submit set, else all local cores
   * @param verbose whether Spark's own warnings are shown
   */
  static JobSession open(String master, boolean verbose) {
    boolean isOurs = SparkSession.getDefaultSession().isEmpty();
    SparkSession.Builder builder = SparkSession.builder().appName("safe-synthesizer");
    if (isOurs) {
      String chosen = master == null ? System.getProperty("spark.master", "local[*]") : master;
      builder.master(chosen).config("spark.ui.showConsoleProgress", "false");
      if (chosen.startsWith("local")) {
        builder.config("spark.executor.heartbeatInterval", "2s"); // progress comes with heartbeats
        if (System.getProperty(SHUFFLE_PARTITIONS) == null) {
          // Spark's 200 are made for a cluster: here most of their time is the tasks' own start.
          int cores = Runtime.getRuntime().availableProcessors();
          builder.config(SHUFFLE_PARTITIONS, Integer.toString(Math.max(8, 2 * cores)));
        }
      }
    }
    SparkSession spark = builder.getOrCreate();
    if (isOurs) {
      // Task failures come to the user as one sentence: Spark would print each as a stack trace.
      spark.sparkContext().setLogLevel(verbose ? "WARN" : "FATAL");
    }
    return new JobSession(spark, isOurs);
  }

  SparkSession spark() {
    return spark;
  }

  /** Ends the Spark jobs of this run, and no other's of the session. */
  void cancelJobs() {
    spark.sparkContext().cancelJobsWithTag(tag);
  }

  @Override
  public void close() {
    if (isOurs) {
      spark.stop();
    } else {
      spark.sparkContext().removeJobTag(tag);
      spark.conf().set(CASE_SENSITIVE, caseSensitive);
    }
  }
}
