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
 */
public record RunContext(
    SparkSession spark,
    SafeSynthesizerConfig config,
    RunFolder folder,
    Console console,
    long seed) {
  /** Settings of Hadoop's file systems. */
  Configuration hadoop() {
    return spark.sparkContext().hadoopConfiguration();
  }
}
