package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/** What single comparisons say of a column, read as SQL reads them. */
@Tag("spark")
final class RowConstraintsTest {
  private static final long DAY = LocalDate.parse("2021-04-01").toEpochDay();
  private static final long SECOND =
      LocalDateTime.parse("2021-04-01T10:00:00").toEpochSecond(ZoneOffset.UTC);
  private static final FrozenSchema SCHEMA =
      new FrozenSchema(
          List.of(
              time("day", "date", ColumnKind.DATE, DAY - 90, DAY + 90),
              time("at", "timestamp_ntz", ColumnKind.TIMESTAMP, SECOND - 9_999, SECOND + 9_999),
              time("zoned", "timestamp", ColumnKind.TIMESTAMP, SECOND - 9_999, SECOND + 9_999),
              new ColumnSchema("n", "int", ColumnKind.INTEGER, true, 0, 0, null, 0L, 9L, null, 0)));

  /** A column of seconds or days that the table writes day first. */
  private static ColumnSchema time(
      String name, String type, ColumnKind kind, long least, long greatest) {
    return new ColumnSchema(
        name, type, kind, true, 0, 1_000_000, "dd/MM/yyyy", least, greatest, null, 0);
  }

  private static RowConstraints.Range range(int column, String... texts) {
    return RowConstraints.of(LocalSpark.session(), SCHEMA, null, List.of(texts))
        .ranges()
        .get(column);
  }

  private static void refuses(String text, String expected) {
    SparkSession spark = LocalSpark.session();
    BadInputException fault =
        assertThrows(
            BadInputException.class,
            () -> RowConstraints.of(spark, SCHEMA, null, List.of(text)),
            text);
    assertTrue(fault.getMessage().contains(expected), fault.getMessage());
    assertEquals(1, fault.getMessage().lines().count());
  }

  @Test
  void datesAreReadAsSqlReadsThem() {
    assertEquals(new RowConstraints.Range(DAY, null), range(0, "day >= '2021-04-01'"));
    assertEquals(new RowConstraints.Range(null, DAY - 1), range(0, "day < '2021-04-01'"));
    assertEquals(
        new RowConstraints.Range(DAY, DAY + 29),
        range(0, "day between '2021-04-01' and '2021-04-30'"));
    refuses("day >= '2022-01-01'", "excludes every 'day' that the model writes");
  }

  @Test
  void timestampsAreReadInTheirZoneAndToTheFraction() {
    for (String literal : List.of("2021-04-01 10:00:00", "2021-04-01T10:00", "2021-04-01 10:00")) {
      assertEquals(
          new RowConstraints.Range(SECOND, null), range(1, "at >= '%s'".formatted(literal)));
    }
    assertEquals(new RowConstraints.Range(null, SECOND), range(1, "at < '2021-04-01 10:00:00.5'"));
    assertEquals(
        new RowConstraints.Range(null, SECOND), range(2, "zoned <= '2021-04-01 12:00:00+02:00'"));
    SparkSession spark = LocalSpark.session();
    String zone = spark.conf().get("spark.sql.session.timeZone");
    spark.conf().set("spark.sql.session.timeZone", "Asia/Kolkata");
    try {
      assertEquals(
          new RowConstraints.Range(SECOND, null), range(2, "zoned >= '2021-04-01 15:30:00'"));
      assertEquals(new RowConstraints.Range(SECOND, null), range(1, "at >= '2021-04-01 10:00'"));
    } finally {
      spark.conf().set("spark.sql.session.timeZone", zone);
    }
  }

  @Test
  void otherFormsOfTimesAreRefusedWithTheForm() {
    String date = " is nothing that SQL reads as date; write yyyy-MM-dd, as '2021-04-30'";
    refuses("day >= '01/04/2021'", "'01/04/2021' in 'day >= '01/04/2021''" + date);
    refuses("day = '2021-4-1'", "'2021-4-1' in 'day = '2021-4-1''" + date);
    refuses("day = '2021-02-30'", date);
    refuses("n > 1 and day <> '01/04/2021'", "'01/04/2021' in 'n > 1 and day <> ");
    refuses("at > '01/04/2021 10:00'", "SQL reads as timestamp_ntz; write yyyy-MM-dd HH:mm:ss");
  }

  @Test
  void constantsThatCannotBeComputedAreNamed() {
    refuses("n > 'many'", "'many' in 'n > 'many'' is nothing that SQL reads as ");
    refuses("n > 1 / 0", "'n > 1 / 0' has a constant that cannot be computed (divide by zero)");
  }
}
