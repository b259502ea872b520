package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("spark")
final class QualitySummarySparkTest {
  private static final List<CodedColumn> COLUMNS =
      List.of(new CodedColumn("age", 100), new CodedColumn("job", 7), new CodedColumn("zip", 3000));

  private static JavaSparkContext spark;

  @BeforeAll
  static void session() {
    SparkSession session =
        SparkSession.builder()
            .master("local[2,2]")
            .appName("tests")
            .config("spark.ui.enabled", "false")
            .getOrCreate();
    spark = JavaSparkContext.fromSparkContext(session.sparkContext());
  }

  @Test
  void summaryIsTheSameForAnyPartitions() {
    List<int[]> real = rows(1, 3_000);
    List<int[]> synthetic = rows(2, 2_000);
    CellLayout layout = new CellLayout(COLUMNS);
    QualitySummary alone =
        QualitySummary.of(
            layout,
            CellCounts.ofReal(layout, real.iterator())
                .plus(CellCounts.ofSynthetic(layout, synthetic.iterator())));

    for (int partitions : new int[] {1, 2, 7}) {
      JavaRDD<int[]> realRows = spark.parallelize(real, partitions);
      JavaRDD<int[]> syntheticRows = spark.parallelize(synthetic, 8 - partitions);
      assertEquals(alone, QualitySummary.of(COLUMNS, realRows, syntheticRows));
    }
  }

  @Test
  void emptyPartitionsCountNothing() {
    List<int[]> rows = rows(3, 2);
    QualitySummary summary =
        QualitySummary.of(COLUMNS, spark.parallelize(rows, 9), spark.parallelize(rows, 5));
    assertEquals(2, summary.realRows());
    assertEquals(1, summary.shapes());
  }

  @Test
  void emptyTableIsRefused() {
    JavaRDD<int[]> none = spark.emptyRDD();
    assertThrows(
        IllegalArgumentException.class,
        () -> QualitySummary.of(COLUMNS, spark.parallelize(rows(4, 10)), none));
    assertThrows(IllegalArgumentException.class, () -> QualitySummary.of(COLUMNS, none, none));
  }

  private static List<int[]> rows(long seed, int number) {
    SplittableRandom random = new SplittableRandom(seed);
    List<int[]> rows = new ArrayList<>(number);
    for (int i = 0; i < number; i++) {
      int age = random.nextInt(100);
      rows.add(new int[] {age, age % 7, random.nextInt(3000)});
    }
    return rows;
  }
}
