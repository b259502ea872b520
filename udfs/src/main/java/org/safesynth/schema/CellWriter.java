package org.safesynth.schema;

import java.io.Serializable;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DecimalType;
import org.safesynth.fault.BadInputException;

/** Turns canonical values of one column into objects of its Spark type on output. */
public final class CellWriter implements Serializable {
  private final ColumnSchema column;
  private final DataType type;
  private final TimeOfDay timeOfDay; // null for what is none
  private final boolean javaTime;
  private transient StrftimeFormat codes; // made where the column's format is named by them

  private CellWriter(ColumnSchema column, boolean javaTime) {
    this.column = column;
    this.javaTime = javaTime;
    this.type = DataType.fromDDL(column.type());
    this.timeOfDay = column.timeOfDay();
  }

  /**
   * A writer.
   *
   * @param javaTime whether dates and instants are objects of java.time, as sessions with {@code
   *     spark.sql.datetime.java8API.enabled} want them, and not of java.sql
   */
  public static CellWriter of(ColumnSchema column, boolean javaTime) {
    return new CellWriter(column, javaTime);
  }

  /**
   * Writes a value.
   *
   * @param value canonical or kept, not null
   * @return an external object of the column's type
   * @throws BadInputException when the type cannot hold it
   */
  public Object write(Object value) {
    if (value instanceof KeptCell kept) {
      return kept.exact() instanceof Long micros ? instant(micros) : kept.exact();
    }
    if (value instanceof Long tick) {
      return switch (column.kind()) {
        case DATE -> day(tick);
        case TIMESTAMP -> instant(tick * Math.max(1, column.resolutionMicros()));
        default -> timeOfDay == null ? number(tick) : timeOfDay.write(tick);
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
    return switch (CellType.of(type)) {
      case TEXT ->
          isNamedByCodes()
              ? codes.write(days * TimeText.MICROS_PER_DAY, 0)
              : DateFormat.write(column.format(), day);
      case DATE -> javaTime ? day : Date.valueOf(day);
      default -> digits(days * TimeText.MICROS_PER_DAY);
    };
  }

  /** A time whose digits are a number. */
  private Object digits(long micros) {
    if (!isNamedByCodes()) {
      throw new IllegalStateException(
          "column '" + column.name() + "': a time cannot be written as " + column.type());
    }
    return number(new BigDecimal(codes.write(micros, 0)));
  }

  private boolean isNamedByCodes() {
    if (codes == null && StrftimeFormat.isNamedBy(column.format())) {
      codes = StrftimeFormat.of(column.format());
    }
    return codes != null;
  }

  private Object instant(long micros) {
    Instant instant = Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    LocalDateTime local = LocalDateTime.ofInstant(instant, ZoneOffset.UTC);
    return switch (CellType.of(type)) {
      case TIMESTAMP -> javaTime ? instant : Timestamp.from(instant);
      case TIMESTAMP_NTZ -> local;
      case TEXT ->
          isNamedByCodes() ? codes.write(micros, column.resolutionMicros()) : local.toString();
      default -> digits(micros);
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
      case BYTE -> (byte) whole(value, Byte.MIN_VALUE, Byte.MAX_VALUE);
      case SHORT -> (short) whole(value, Short.MIN_VALUE, Short.MAX_VALUE);
      case INT -> (int) whole(value, Integer.MIN_VALUE, Integer.MAX_VALUE);
      case LONG -> whole(value, Long.MIN_VALUE, Long.MAX_VALUE);
      case FLOAT -> value.floatValue();
      case DOUBLE -> value.doubleValue();
      case DECIMAL, WIDE_DECIMAL -> decimal(value, (DecimalType) type);
      case TEXT -> value.toPlainString();
      default ->
          throw new IllegalStateException(
              "column '" + column.name() + "': a number cannot be written as " + column.type());
    };
  }

  /** The whole part, which a narrowing conversion would wrap around where it does not fit. */
  private long whole(BigDecimal value, long least, long greatest) {
    BigDecimal whole = value.setScale(0, RoundingMode.DOWN);
    if (whole.compareTo(BigDecimal.valueOf(least)) < 0
        || whole.compareTo(BigDecimal.valueOf(greatest)) > 0) {
      throw tooGreat(value);
    }
    return whole.longValueExact();
  }

  private BigDecimal decimal(BigDecimal value, DecimalType of) {
    BigDecimal rounded = value.setScale(of.scale(), RoundingMode.HALF_UP);
    if (rounded.precision() > of.precision()) {
      throw tooGreat(value);
    }
    return rounded;
  }

  private BadInputException tooGreat(BigDecimal value) {
    return new BadInputException(
        "column '%s': %s does not fit its type %s; declare a wider one in data.schema_file and train again, or ask for fewer rows where the numbers are fresh keys"
            .formatted(column.name(), value.toPlainString(), column.type()));
  }
}
