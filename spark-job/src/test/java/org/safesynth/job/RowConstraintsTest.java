package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
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
              new ColumnSchema("n", "int", ColumnKind.INTEGER, true, 0, 0, null, 0L, 9L, null, 0),
              new ColumnSchema("m", "int", ColumnKind.INTEGER, true, 0, 0, null, 0L, 9L, null, 0),
              new ColumnSchema(
                  "b",
                  "string",
                  ColumnKind.CATEGORICAL,
                  true,
                  0,
                  0,
                  null,
                  null,
                  null,
                  List.of("even", "odd", "prime"),
                  0),
              new ColumnSchema(
                  "flag", "boolean", ColumnKind.BOOLEAN, true, 0, 0, null, null, null, null, 0),
              time("written", "string", ColumnKind.DATE, DAY - 90, DAY + 90),
              categories("sub", "yes", "no"),
              categories("dt", "2020-1-5", "2020-1-6"),
              number("price", "decimal(5,2)", 2),
              number("f", "float", 1),
              number("d", "double", 1)));

  private static ColumnSchema categories(String name, String... values) {
    return new ColumnSchema(
        name, "string", ColumnKind.CATEGORICAL, true, 0, 0, null, null, null, List.of(values), 0);
  }

  private static ColumnSchema number(String name, String type, int scale) {
    return new ColumnSchema(
        name, type, ColumnKind.DECIMAL, true, scale, 0, null, 0L, 9_999L, null, 0);
  }

  /** A column of seconds or days that the table writes day first. */
  private static ColumnSchema time(
      String name, String type, ColumnKind kind, long least, long greatest) {
    return new ColumnSchema(
        name, type, kind, true, 0, 1_000_000, "dd/MM/yyyy", least, greatest, null, 0);
  }

  private static RowConstraints.Range range(Long low, Long high) {
    return new RowConstraints.Range(low, high, null);
  }

  private static RowConstraints.Range values(String... values) {
    return new RowConstraints.Range(null, null, List.of(values));
  }

  private static RowConstraints.Range range(int column, String... texts) {
    return RowConstraints.of(LocalSpark.session(), SCHEMA, null, List.of(texts))
        .ranges()
        .get(column);
  }

  private static void refuses(String text, String expected) {
    refuses(List.of(text), expected);
  }

  private static void refuses(List<String> texts, String expected) {
    SparkSession spark = LocalSpark.session();
    BadInputException fault =
        assertThrows(
            BadInputException.class,
            () -> RowConstraints.of(spark, SCHEMA, null, texts),
            texts.toString());
    assertTrue(fault.getMessage().contains(expected), fault.getMessage());
    assertEquals(1, fault.getMessage().lines().count());
  }

  @Test
  void datesAreReadAsSqlReadsThem() {
    assertEquals(range(DAY, null), range(0, "day >= '2021-04-01'"));
    assertEquals(range(null, DAY - 1), range(0, "day < '2021-04-01'"));
    assertEquals(range(DAY, DAY + 29), range(0, "day between '2021-04-01' and '2021-04-30'"));
    assertEquals(range(DAY, null), range(0, "day >= '2021-4-1'"));
    assertEquals(range(DAY, null), range(0, "day >= '2021-04-01 00:00:00'"));
    assertEquals(range(DAY, null), range(0, "day >= '2021-04'"));
    assertEquals(range(SECOND, null), range(2, "zoned >= '2021-4-1 10:0:0'"));
    refuses("day >= '2022-01-01'", "excludes every 'day' that the model writes");
  }

  @Test
  void timestampsAreReadInTheirZoneAndToTheFraction() {
    for (String literal : List.of("2021-04-01 10:00:00", "2021-04-01T10:00", "2021-04-01 10:00")) {
      assertEquals(range(SECOND, null), range(1, "at >= '%s'".formatted(literal)));
    }
    assertEquals(range(null, SECOND), range(1, "at < '2021-04-01 10:00:00.5'"));
    assertEquals(range(null, SECOND), range(2, "zoned <= '2021-04-01 12:00:00+02:00'"));
    SparkSession spark = LocalSpark.session();
    String zone = spark.conf().get("spark.sql.session.timeZone");
    spark.conf().set("spark.sql.session.timeZone", "Asia/Kolkata");
    try {
      assertEquals(range(SECOND, null), range(2, "zoned >= '2021-04-01 15:30:00'"));
      assertEquals(range(SECOND, null), range(1, "at >= '2021-04-01 10:00'"));
    } finally {
      spark.conf().set("spark.sql.session.timeZone", zone);
    }
  }

  @Test
  void otherFormsOfTimesAreRefusedWithTheForm() {
    String date = " is nothing that SQL reads as date; write yyyy-MM-dd, as '2021-04-30'";
    refuses("day >= '01/04/2021'", "'01/04/2021' in 'day >= '01/04/2021''" + date);
    refuses("day = '2021-02-30'", date);
    refuses("n > 1 and day <> '01/04/2021'", "'01/04/2021' in 'n > 1 and day <> ");
    refuses("at > '01/04/2021 10:00'", "SQL reads as timestamp_ntz; write yyyy-MM-dd HH:mm:ss");
  }

  @Test
  void constantsThatCannotBeComputedAreNamed() {
    refuses("n > 'many'", "'many' in 'n > 'many'' is nothing that SQL reads as ");
    refuses("n > 1 / 0", "'n > 1 / 0' has a constant that cannot be computed (divide by zero)");
  }

  @Test
  void comparisonsAreReadWhereverTheyStand() {
    assertEquals(range(3L, null), range(3, "3 <= n"));
    assertEquals(range(null, 6L), range(3, "7 > n"));
    assertEquals(range(3L, 5L), range(3, "n between 3 and 5"));
    assertEquals(range(3L, 5L), range(3, "n >= 3 AND n < 6 and length(b) = 3"));
    assertEquals(range(4L, 5L), range(3, "(n > 3 and (b = 'odd' or n > 7)) and NOT n >= 6"));
    assertEquals(range(2L, 7L), range(3, "n in (7, 2, 12)"));
    assertEquals(range(DAY, null), range(0, "DATE '2021-04-01' <= day"));
    assertEquals(values("odd"), range(5, "b = 'odd' and n > 1"));
    assertEquals(values("even", "odd"), range(5, "b in ('odd', 'even', 'none')"));
    assertEquals(values("even", "prime"), range(5, "b <> 'odd'"));
    assertEquals(values("prime"), range(5, "b not in ('odd')", "b in ('prime', 'odd')"));
    for (String open : List.of("n > 3 or n < 2", "n > m", "n + 1 > 3", "n in (3, NULL)")) {
      assertNull(range(3, open), open);
    }
    assertNull(range(7, "written > '2021-04-01'"));
  }

  @Test
  void contradictionsAreNamed() {
    refuses(
        "b = 'odd' AND b = 'even'",
        "generation.constraints contradict themselves: no 'b' meets 'b = 'odd' AND b = 'even''");
    refuses(
        List.of("b = 'odd'", "b = 'even'"),
        "contradict each other: no 'b' meets both 'b = 'odd'' and 'b = 'even''");
    refuses(
        List.of("b in ('odd', 'even')", "b <> 'odd'", "b <> 'even'"),
        "no 'b' meets all of 'b in ('odd', 'even')' and 'b <> 'odd'' and 'b <> 'even''");
    refuses("flag = true and flag = false", "no 'flag' meets");
    refuses(List.of("n > 5", "3 > n"), "no 'n' meets both 'n > 5' and '3 > n'");
    refuses("n between 5 and 3", "no 'n' meets 'n between 5 and 3'");
    refuses(List.of("n in (2, 3)", "n > 3"), "no 'n' meets both 'n > 3' and 'n in (2, 3)'");
    refuses(List.of("n in (2, 5)", "n between 3 and 4"), "contradict each other: no 'n' meets");
    refuses("n = 2.5", "contradict themselves: no 'n' meets 'n = 2.5'");
    refuses(List.of("n < m", "n > m"), "no 'n' and 'm' meet both 'n < m' and 'n > m'");
    refuses("m > n and n = m", "no 'n' and 'm' meet 'm > n and n = m'");
    refuses("b in ('none', 'other')", "asks for a value that the model does not write");
    refuses("b not in ('odd', 'even', 'prime')", "excludes every 'b' that the model writes");
    refuses("n in (10, 11)", "excludes every 'n' that the model writes");
    refuses("10 < n", "excludes every 'n' that the model writes");
    range(3, "n <= m", "n >= m");
  }

  @Test
  void nullSafeComparisonsContradictOnlyWhereNoMissingValueMeetsThem() {
    range(3, "n <=> m", "n <> m");
    range(3, "n = m", "not n <=> m");
    range(6, "flag = true and not flag <=> true");
    assertNull(range(5, "not b <=> 'odd'", "not b <=> 'even'", "not b <=> 'prime'"));
    assertEquals(values("odd"), range(5, "b <=> 'odd'"));
    refuses("n <=> 5 and n <=> 6", "can be true for no row");
    refuses("n <=> 5 and n = 6", "no 'n' meets");
  }

  @Test
  void literalsOfOtherTypesAreNoTexts() {
    assertNull(range(8, "sub = true"));
    assertNull(range(8, "sub <> false and sub = true"));
    assertNull(range(9, "dt = date'2020-01-05'"));
    assertNull(range(9, "dt = timestamp'2020-01-05 00:00:00'"));
    assertEquals(values("2020-1-5"), range(9, "dt = '2020-1-5'"));
    refuses("flag = true and flag = 'false'", "no 'flag' meets");
  }

  @Test
  void quotedNumbersAreReadExactly() {
    assertEquals(range(101L, null), range(10, "price > '1.006'"));
    assertEquals(range(101L, null), range(10, "price > 1.006"));
    assertEquals(range(102L, null), range(10, "price > '1.01'"));
    assertEquals(range(6L, null), range(3, "n > ' 5 '"));
  }

  @Test
  void bordersOfBinaryFractionsStayAllowed() {
    assertEquals(range(1L, 2L), range(11, "f > 0.1 and f < 0.2"));
    assertEquals(range(1L, 2L), range(12, "d > 0.1 and d < 0.2"));
    assertEquals(range(6L, 9L), range(12, "d > 0.5 and d < 1"));
    assertEquals(range(1L, 1L), range(11, "f in (0.1f) and f <> 0.1"));
    refuses("f > 0.3 and f < 0.2", "no 'f' meets");
  }

  @Test
  void theStricterOfEqualBoundsIsKept() {
    assertEquals(range(6L, null), range(3, "n > 5", "n >= 5"));
    assertEquals(range(6L, null), range(3, "n >= 5", "n > 5"));
    assertEquals(range(null, 4L), range(3, "n < 5", "n <= 5"));
  }

  @Test
  void namesAreFoundAsSqlFindsThem() {
    SparkSession spark = LocalSpark.session();
    String isCaseSensitive = spark.conf().get("spark.sql.caseSensitive");
    spark.conf().set("spark.sql.caseSensitive", "false");
    try {
      assertEquals(range(5L, null), range(3, "N >= 5"));
      refuses(List.of("N < m", "n > M"), "no 'n' and 'm' meet both");
    } finally {
      spark.conf().set("spark.sql.caseSensitive", isCaseSensitive);
    }
    refuses("N >= 5", "cannot be read as a condition on the table's columns");
  }
}
