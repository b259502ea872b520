package org.safesynth.job;

import org.apache.spark.sql.SparkSession;

/** The one local session that all tests of the module share. */
public final class LocalSpark {
  private LocalSpark() {}

  /** The session, started on first use; it ends with the JVM. */
  public static SparkSession session() {
    return Holder.SESSION;
  }

  private static final class Holder {
    private static final SparkSession SESSION =
        SparkSession.builder()
            .master("local[2,2]") // a failed task is tried once more
            .appName("tests")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "4")
            .config("spark.sql.caseSensitive", "true")
            .config("spark.sql.warehouse.dir", "target/spark-warehouse")
            .getOrCreate();

    static {
      SESSION.sparkContext().setLogLevel("ERROR");
    }
  }
}
