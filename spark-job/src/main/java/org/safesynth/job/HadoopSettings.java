package org.safesynth.job;

import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;

/** The file system settings that are known before a Spark session exists. */
final class HadoopSettings {
  private static final String PREFIX = "spark.hadoop.";

  private HadoopSettings() {}

  /** A running session's, or those that spark-submit left as {@code spark.hadoop.*} properties. */
  static Configuration current() {
    if (SparkSession.getDefaultSession().isDefined()) {
      return SparkSession.getDefaultSession().get().sparkContext().hadoopConfiguration();
    }
    Configuration hadoop = new Configuration();
    for (String name : System.getProperties().stringPropertyNames()) {
      if (name.startsWith(PREFIX)) {
        hadoop.set(name.substring(PREFIX.length()), System.getProperty(name));
      }
    }
    return hadoop;
  }
}
