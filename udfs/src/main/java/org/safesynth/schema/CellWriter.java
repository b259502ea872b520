package org.safesynth.schema;

import java.io.Serializable;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DecimalType;

/** Turns canonical values of one column into objects of its Spark type on output. */
public final class CellWriter implements Serializable {
  private final ColumnSchema column;
  private final DataType type;

  private CellWriter(ColumnSchema column) {
    this.column = column;
    this.type = DataType.fromDDL(column.type());
  }

  public static CellWriter of(ColumnSchema column) {
    return new CellWriter(column);
  }

  /**
   * Writes a value.
   *
   * @param value canonical, not null
   * @return an external object of the column's type, or null when it cannot be held in it
   */
  public Object write(Object value) {
    if (value instanceof Long tick) {
      return switch (column.kind()) {
        case DATE -> day(tick);
        case TIMESTAMP -> instant(tick * Math.max(1, column.resolutionMicros()));
        default -> number(tick);
      };
    }
    String text = (String) value;
    return switch (CellType.of(type)) {
      case TEXT -> text;
      case BOOLEAN -> Boolean.valueOf(text);
      default -> number(new BigDecimal(text));
    };
  }

  private Object day(long days) {
    LocalDate day = LocalDate.ofEpochDay(days);
    return CellType.of(type) == CellType.TEXT ? DateFormat.write(column.format(), day) : day;
  }

  private Object instant(long micros) {
    Instant instant = Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    LocalDateTime local = LocalDateTime.ofInstant(instant, ZoneOffset.UTC);
    return switch (CellType.of(type)) {
      case TIMESTAMP -> instant;
      case TIMESTAMP_NTZ -> local;
      default -> local.toString();
    };
  }

  private Object number(long tick) {
    return switch (CellType.of(type)) {
      case LONG -> column.scale() == 0 ? (Object) tick : number(exact(tick));
      case DOUBLE -> exact(tick).doubleValue();
      default -> number(exact(tick));
    };
  }

  private BigDecimal exact(long tick) {
    return BigDecimal.valueOf(tick, column.scale());
  }

  private Object number(BigDecimal value) {
    return switch (CellType.of(type)) {
      case BYTE -> value.byteValue();
      case SHORT -> value.shortValue();
      case INT -> value.intValue();
      case LONG -> value.longValue();
      case FLOAT -> value.floatValue();
      case DOUBLE -> value.doubleValue();
      case DECIMAL, WIDE_DECIMAL ->
          value.setScale(((DecimalType) type).scale(), RoundingMode.HALF_UP);
      case TEXT -> value.toPlainString();
      default ->
          throw new IllegalStateException(
              "column '" + column.name() + "': a number cannot be written as " + column.type());
    };
  }
}
