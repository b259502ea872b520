package org.safesynth.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Texts as CPython 3.11's {@code strftime} writes them are read, and written again. */
@Tag("unit")
final class StrftimeFormatTest {
  private static final LocalDateTime TIME = LocalDateTime.of(2021, 4, 3, 14, 5, 9, 12_345_000);

  private static long micros(LocalDateTime time) {
    return TimeText.MICROS_PER_DAY * time.toLocalDate().toEpochDay()
        + time.toLocalTime().toNanoOfDay() / 1_000;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "%Y-%m-%d %H:%M:%S.%f | 2021-04-03 14:05:09.012345 | MICROS",
        "%Y%m%d%H%M%S%f | 20210403140509012345 | MICROS",
        "%Y%m%d%H%M%S | 20210403140509 | SECONDS",
        "%Y%m%d | 20210403 | DAYS",
        "%y%m%d | 210403 | DAYS",
        "%d-%b-%y | 03-Apr-21 | DAYS",
        "%d-%^b-%y | 03-APR-21 | DAYS",
        "%A, %d %B %Y | Saturday, 03 April 2021 | DAYS",
        "%a %b %d %H:%M:%S %Y | Sat Apr 03 14:05:09 2021 | SECONDS",
        "%c | Sat Apr  3 14:05:09 2021 | SECONDS",
        "%-d %b %Y, %-I:%M %p | 3 Apr 2021, 2:05 PM | MINUTES",
        "%m/%d/%Y %I:%M:%S %p | 04/03/2021 02:05:09 PM | SECONDS",
        "%Y-%j | 2021-093 | DAYS",
        "%Y/%j %Hh | 2021/093 14h | HOURS",
        "%D %R | 04/03/21 14:05 | MINUTES",
        "%FT%TZ | 2021-04-03T14:05:09Z | SECONDS",
        "%Y-%m-%dT%H:%M:%S%z | 2021-04-03T14:05:09+0000 | SECONDS",
        "%Y-%m-%d %H:%M%:z | 2021-04-03 14:05+00:00 | MINUTES",
        "100%% %d %m %Y | 100% 03 04 2021 | DAYS"
      })
  void knownTextsAreReadAndWrittenAgain(String codes, String text, ChronoUnit precision) {
    StrftimeFormat format = StrftimeFormat.of(codes);
    long expected = micros(TIME.truncatedTo(precision));
    assertEquals(expected, format.micros(text));
    assertEquals(text, format.write(expected, 1));
    assertEquals(precision != ChronoUnit.DAYS, format.hasTime());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "%Y%m%d%H%M%S%f",
        "%d.%-m.%Y %H:%M:%S.%f",
        "%A %e %B %Y %I:%M:%S.%f %P",
        "%Y %j %-H:%M:%S,%f %z"
      })
  void everyTimeComesBack(String codes) {
    StrftimeFormat format = StrftimeFormat.of(codes);
    SplittableRandom random = new SplittableRandom(8);
    for (int i = 0; i < 2_000; i++) {
      long micros =
          random.nextLong(
              micros(LocalDate.of(1900, 1, 1).atStartOfDay()),
              micros(LocalDate.of(2101, 1, 1).atStartOfDay()));
      String text = format.write(micros, 1);
      assertEquals(micros, format.micros(text), text);
    }
  }

  @Test
  void twoDigitsAreYearsFrom1969To2068() {
    StrftimeFormat format = StrftimeFormat.of("%d/%m/%y");
    for (LocalDate day = LocalDate.of(1969, 1, 1); day.getYear() < 2069; day = day.plusDays(1)) {
      String text = format.write(TimeText.MICROS_PER_DAY * day.toEpochDay(), 0);
      assertEquals(day.toEpochDay(), format.days(text), text);
    }
  }

  @Test
  void offsetsAreTakenIntoAccountAndWrittenAsUtc() {
    StrftimeFormat format = StrftimeFormat.of("%Y-%m-%d %H:%M:%S%z");
    long noon = micros(LocalDate.of(2021, 4, 3).atTime(12, 0));
    for (String offset : new String[] {"14:00:00+0200", "14:00:00+02:00", "10:00:00-02"}) {
      assertEquals(noon, format.micros("2021-04-03 " + offset), offset);
    }
    assertEquals(noon, format.micros("2021-04-03 12:00:00Z"));
    assertNull(format.micros("2021-04-03 12:00:00"));
    assertEquals("2021-04-03 12:00:00+0000", format.write(noon, 1_000_000));
  }

  @Test
  void millisecondsHaveThreeDigits() {
    StrftimeFormat format = StrftimeFormat.of("%Y-%m-%d %H:%M:%S.%f");
    long micros = LocalDate.of(2021, 4, 3).atStartOfDay().toEpochSecond(ZoneOffset.UTC) * 1_000_000;
    assertEquals(micros + 20_000, format.micros("2021-04-03 00:00:00.02"));
    assertEquals("2021-04-03 00:00:00.020", format.write(micros + 20_000, 1_000));
    assertEquals("2021-04-03 00:00:00.020000", format.write(micros + 20_000, 1));
  }

  @Test
  void lettersMayBeOfEitherCase() {
    long day = LocalDate.of(2021, 4, 3).toEpochDay();
    assertEquals(day, StrftimeFormat.of("%d-%b-%Y").days("03-APR-2021"));
    assertEquals(day, StrftimeFormat.of("%d-%^b-%Y").days("03-Apr-2021"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "%d %b %Y | 30 Feb 2021",
        "%d %b %Y | 3 Apr 2021",
        "%d %b %Y | 03 April 2021",
        "%d %b %Y | 03 Apr 2021 14:00",
        "%a %d %b %Y | Sun 03 Apr 2021",
        "%Y-%m-%d %j | 2021-04-03 094",
        "%Y%m%d | 2021043",
        "%Y%m%d | 20211304",
        "%Y-%m-%d %H:%M | 2021-04-03 24:00",
        "%Y-%m-%d %I:%M %p | 2021-04-03 13:00 PM"
      })
  void otherTextsAreNot(String codes, String text) {
    assertNull(StrftimeFormat.of(codes).micros(text));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "%Y-%U-%w | has %U, which is not read",
        "%Y-%m-%d %Z | has %Z, which is not read",
        "%s | has %s, which is not read",
        "%Y-%m-%d % | has %, which is not read",
        "%b %Y | has no whole date",
        "%d/%m | has no whole date",
        "%y | has no whole date",
        "%H:%M:%S.%f | has no date, and times of day alone",
        "%Y-%m-%d %I:%M | has only one of %I and %p",
        "%Y-%m-%d %H:%M %p | has only one of %I and %p",
        "%Y-%m-%d %M:%S | has a time without its hour",
        "%Y-%m-%d %H %S | has a time without its hour or minute"
      })
  void codesThatNameNoWholeDateAreRefused(String codes, String fault) {
    assertTrue(StrftimeFormat.fault(codes).startsWith(fault), StrftimeFormat.fault(codes));
  }

  @Test
  void onlyDigitsFromTheYearOnAreNumbers() {
    assertTrue(StrftimeFormat.of("%Y%m%d").isNumber());
    assertTrue(StrftimeFormat.of("%Y%j%H").isNumber());
    assertFalse(StrftimeFormat.of("%d%m%Y").isNumber());
    assertFalse(StrftimeFormat.of("%Y-%m-%d").isNumber());
    assertFalse(StrftimeFormat.of("%Y%-m%d").isNumber());
  }
}
