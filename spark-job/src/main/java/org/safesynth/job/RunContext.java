package org.safesynth.job;

import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.safesynth.config.SafeSynthesizerConfig;

/**
 * What every stage of a run needs to know.
 *
 * @param spark the session
 * @param config all parameters, checked
 * @param folder where the run leaves what it makes
 * @param console tells the user what goes on
 * @param seed of every random draw that is not privacy noise
 * @param generates whether a run that learns goes on to generate
 */
public record RunContext(
    SparkSession spark,
    SafeSynthesizerConfig config,
    RunFolder folder,
    Console console,
    long seed,
    boolean generates) {
  /** What a command needs that does not learn, or only learns. */
  public RunContext(
      SparkSession spark,
      SafeSynthesizerConfig config,
      RunFolder folder,
      Console console,
      long seed) {
    this(spark, config, folder, console, seed, false);
  }

  /** Settings of Hadoop's file systems. */
  Configuration hadoop() {
    return spark.sparkContext().hadoopConfiguration();
  }
}
