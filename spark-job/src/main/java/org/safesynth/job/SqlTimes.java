package org.safesynth.job;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.ZoneId;
import org.apache.spark.sql.catalyst.util.DateTimeUtils;
import org.apache.spark.unsafe.types.UTF8String;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import scala.Option;

/**
 * Dates and timestamps of SQL, which reads ISO 8601 and shorter forms of it, in whatever form the
 * table has its own.
 *
 * @param zone of the session, in which SQL reads a timestamp that tells none
 */
record SqlTimes(ZoneId zone) {
  /** Of a tick: finer than a microsecond of a day. */
  private static final int DECIMALS = 18;

  /** Whether SQL compares a column's values as dates or timestamps, and not as numbers or text. */
  static boolean isTime(ColumnSchema column) {
    return column.kind() == ColumnKind.DATE
        ? column.type().equals("date")
        : column.kind() == ColumnKind.TIMESTAMP && column.type().startsWith("timestamp");
  }

  /**
   * A text in ticks of the column, fractions of one too, as SQL reads it.
   *
   * @return null when it does not
   */
  BigDecimal ticks(ColumnSchema column, String text) {
    UTF8String read = UTF8String.fromString(text);
    if (column.kind() == ColumnKind.DATE) {
      return number(DateTimeUtils.stringToDate(read));
    }
    BigDecimal micros =
        number(
            column.type().equals("timestamp_ntz")
                ? DateTimeUtils.stringToTimestampWithoutTimeZone(read)
                : DateTimeUtils.stringToTimestamp(read, zone));
    return micros == null
        ? null
        : micros.divide(
            BigDecimal.valueOf(Math.max(1, column.resolutionMicros())),
            DECIMALS,
            RoundingMode.HALF_EVEN);
  }

  private static BigDecimal number(Option<Object> whole) {
    return whole.isEmpty() ? null : BigDecimal.valueOf(((Number) whole.get()).longValue());
  }
}
