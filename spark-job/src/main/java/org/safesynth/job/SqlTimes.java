package org.safesynth.job;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.TemporalAccessor;
import org.safesynth.schema.CellReader;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;

/**
 * Dates and timestamps of SQL, which are written as ISO 8601 has them, in whatever form the table
 * has its own.
 *
 * @param zone of the session, in which SQL reads a timestamp that tells none
 */
record SqlTimes(ZoneId zone) {
  /** Of a tick: finer than a microsecond of a day. */
  private static final int DECIMALS = 18;

  /** Whether SQL compares a column's values as dates or timestamps, and not as numbers or text. */
  static boolean isTime(ColumnSchema column) {
    return (column.kind() == ColumnKind.DATE || column.kind() == ColumnKind.TIMESTAMP)
        && (column.type().equals("date") || column.type().startsWith("timestamp"));
  }

  /**
   * A text in ticks of the column, fractions of one too.
   *
   * @return null when it is not written as ISO 8601 has it
   */
  BigDecimal ticks(ColumnSchema column, String text) {
    try {
      if (column.kind() == ColumnKind.DATE) {
        return BigDecimal.valueOf(LocalDate.parse(text).toEpochDay());
      }
      return BigDecimal.valueOf(CellReader.micros(instant(column, text)))
          .divide(
              BigDecimal.valueOf(Math.max(1, column.resolutionMicros())),
              DECIMALS,
              RoundingMode.HALF_EVEN);
    } catch (DateTimeException e) {
      return null; // the caller says of which condition
    }
  }

  private Instant instant(ColumnSchema column, String text) {
    String whole = text.length() == "yyyy-MM-dd".length() ? text + "T00:00" : text;
    TemporalAccessor time =
        DateTimeFormatter.ISO_DATE_TIME.parseBest(
            whole.replace(' ', 'T'), OffsetDateTime::from, LocalDateTime::from);
    boolean isLocal = column.type().equals("timestamp_ntz");
    return time instanceof OffsetDateTime zoned && !isLocal
        ? zoned.toInstant()
        : LocalDateTime.from(time).atZone(isLocal ? ZoneOffset.UTC : zone).toInstant();
  }
}
