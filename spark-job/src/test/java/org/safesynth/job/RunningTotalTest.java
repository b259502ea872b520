package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.apache.spark.api.java.function.ForeachPartitionFunction;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.LongAccumulator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("spark")
final class RunningTotalTest {
  @Test
  void finishedTasksAreCountedOnce() {
    SparkSession spark = LocalSpark.session();
    try (RunningTotal total = new RunningTotal(spark.sparkContext(), "rows")) {
      LongAccumulator rows = total.accumulator();
      spark
          .range(0, 100, 1, 4)
          .foreachPartition(
              (ForeachPartitionFunction<Long>) part -> part.forEachRemaining(id -> rows.add(1)));
      assertEquals(100, total.value());
    }
  }
}
