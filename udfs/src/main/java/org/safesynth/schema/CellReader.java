package org.safesynth.schema;

import java.io.Serializable;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.Set;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DecimalType;

/**
 * Turns the cells of one column, as Spark gives them, into canonical values: null when missing,
 * ticks for numeric kinds, text for the others. NaN and infinities are missing. Not for several
 * threads.
 */
public final class CellReader implements Serializable {
  private final ColumnSchema column;
  private final Set<String> missing;
  private final DateFormat format;
  private final TimeOfDay timeOfDay; // null for what is none
  private final boolean isExactDecimal;
  private transient DataType type; // on output, where cells are read exactly
  private transient CellWriter writer;
  private transient NumberText number;
  private transient TimeText time;
  private transient StrftimeFormat codes; // made where the column's format is named by them

  private CellReader(ColumnSchema column, Set<String> missing) {
    this.column = column;
    this.missing = missing;
    this.format = DateFormat.ofPattern(column.format());
    this.timeOfDay = column.timeOfDay();
    this.isExactDecimal = column.isExactDecimal();
  }

  /**
   * A reader.
   *
   * @param missing texts that stand for a missing value, unless the column has its own
   */
  public static CellReader of(ColumnSchema column, Set<String> missing) {
    Set<String> own = column.missingTokens() == null ? missing : Set.copyOf(column.missingTokens());
    return new CellReader(column, own);
  }

  /** A cell that does not fit its column's kind; the text is shown to the operator only. */
  public static final class UnfitCellException extends RuntimeException {
    private final String text;

    UnfitCellException(String text) {
      super("a value does not fit its column", null, false, false);
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  /**
   * Reads a cell.
   *
   * @throws UnfitCellException when it is not of the column's kind
   */
  public Object read(Object cell) {
    if (cell == null || isMissing(cell)) {
      return null;
    }
    if (timeOfDay != null) {
      return timeOfDay(cell.toString());
    }
    return switch (column.kind()) {
      case INTEGER, DECIMAL ->
          column.kind() == ColumnKind.INTEGER && cell instanceof Long whole
              ? whole
              : tick(numberText(cell), cell);
      case DATE -> day(cell);
      case TIMESTAMP -> instant(cell);
      case BOOLEAN -> bool(cell);
      case IDENTIFIER -> column.isNumericIdentifier() ? tick(numberText(cell), cell) : text(cell);
      default -> text(cell);
    };
  }

  /**
   * As {@link #read}, of a cell that has to come back as it is: a {@link KeptCell} where the
   * canonical value would not.
   *
   * @throws UnfitCellException when it is not of the column's kind, or its type cannot hold it
   */
  public Object readExact(Object cell) {
    Object value = read(cell);
    if (!(value instanceof Long tick)) {
      return value;
    }
    return switch (column.kind()) {
      case DECIMAL -> exactNumber(tick, cell);
      case DATE -> isText() ? exactText(tick, cell) : tick;
      case TIMESTAMP -> isText() ? exactText(tick, cell) : exactTime(tick, cell);
      default -> tick;
    };
  }

  private boolean isText() {
    return CellType.of(type()) == CellType.TEXT;
  }

  private DataType type() {
    if (type == null) {
      type = DataType.fromDDL(column.type());
      writer = CellWriter.of(column, true);
    }
    return type;
  }

  private Object exactNumber(Long tick, Object cell) {
    if (isExactDecimal && !number.hasScale(column.scale())) {
      throw new UnfitCellException(cell.toString());
    }
    BigDecimal given = new BigDecimal(numberText(cell));
    BigDecimal known = BigDecimal.valueOf(tick, column.scale());
    DataType type = type();
    if (type instanceof DecimalType decimal) {
      if (given.stripTrailingZeros().scale() > decimal.scale()) {
        throw new UnfitCellException(cell.toString());
      }
      return given.compareTo(known) == 0 ? tick : new KeptCell(tick, given);
    }
    return switch (CellType.of(type)) {
      case DOUBLE -> kept(tick, given.doubleValue(), known.doubleValue());
      case FLOAT -> kept(tick, given.floatValue(), known.floatValue());
      default -> tick;
    };
  }

  private static Object kept(Long tick, Object given, Object known) {
    return given.equals(known) ? tick : new KeptCell(tick, given);
  }

  private Object exactText(Long tick, Object cell) {
    return cell instanceof String text && !text.equals(writer.write(tick).toString())
        ? new KeptCell(tick, text)
        : tick;
  }

  private Object exactTime(Long tick, Object cell) {
    if (cell instanceof String && time != null && time.isCut) {
      throw new UnfitCellException(cell.toString());
    }
    long micros = microsOf(cell);
    return micros == tick * Math.max(1, column.resolutionMicros())
        ? tick
        : new KeptCell(tick, micros);
  }

  private boolean isMissing(Object cell) {
    if (cell instanceof String text) {
      return missing.contains(text);
    }
    return (cell instanceof Double d && !Double.isFinite(d))
        || (cell instanceof Float f && !Float.isFinite(f));
  }

  /** The text of a number as it would be written, for the number parser. */
  static String numberText(Object cell) {
    if (cell instanceof BigDecimal decimal) {
      return decimal.toPlainString();
    }
    return cell.toString();
  }

  private Long tick(String text, Object cell) {
    if (number == null) {
      number = new NumberText();
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    Long tick = number.parse(bytes) ? number.ticks(column.scale()) : null;
    if (tick == null || (column.kind() == ColumnKind.INTEGER && !number.fitsLong())) {
      throw new UnfitCellException(cell.toString());
    }
    return tick;
  }

  private Long timeOfDay(String text) {
    Long tick = timeOfDay.parse(text);
    if (tick == null) {
      throw new UnfitCellException(text);
    }
    return tick;
  }

  private Long day(Object cell) {
    if (cell instanceof LocalDate day) {
      return day.toEpochDay();
    }
    if (cell instanceof Date day) {
      return day.toLocalDate().toEpochDay();
    }
    Long days = days(cell.toString());
    if (days == null) {
      throw new UnfitCellException(cell.toString());
    }
    return days;
  }

  private Long days(String text) {
    if (isNamedByCodes()) {
      return codes.days(text);
    }
    boolean parsed = time().parse(text.getBytes(StandardCharsets.UTF_8));
    return parsed && !time.hasTime ? format.days(time) : null;
  }

  private boolean isNamedByCodes() {
    if (codes == null && StrftimeFormat.isNamedBy(column.format())) {
      codes = StrftimeFormat.of(column.format());
    }
    return codes != null;
  }

  private TimeText time() {
    if (time == null) {
      time = new TimeText();
    }
    return time;
  }

  private Long instant(Object cell) {
    return Math.floorDiv(microsOf(cell), Math.max(1, column.resolutionMicros()));
  }

  private long microsOf(Object cell) {
    if (cell instanceof Instant instant) {
      return micros(instant);
    }
    if (cell instanceof Timestamp timestamp) {
      return micros(timestamp.toInstant());
    }
    return cell instanceof LocalDateTime local
        ? micros(local.toInstant(ZoneOffset.UTC))
        : micros(cell.toString());
  }

  private long micros(String text) {
    Long micros;
    if (isNamedByCodes()) {
      micros = codes.micros(text);
    } else {
      boolean parsed = time().parse(text.getBytes(StandardCharsets.UTF_8));
      Long days = parsed ? format.days(time) : null;
      micros = days == null ? null : (Long) time.micros(days);
    }
    if (micros == null) {
      throw new UnfitCellException(text);
    }
    return micros;
  }

  /**
   * Microseconds since the epoch. {@code ChronoUnit.between} would count nanoseconds on the way and
   * overflow in the year 2262.
   */
  public static long micros(Instant instant) {
    return Math.addExact(
        Math.multiplyExact(instant.getEpochSecond(), 1_000_000L), instant.getNano() / 1000);
  }

  private static String bool(Object cell) {
    String text = cell.toString().toLowerCase(Locale.ROOT);
    if (!text.equals("true") && !text.equals("false")) {
      throw new UnfitCellException(cell.toString());
    }
    return text;
  }

  private static String text(Object cell) {
    return cell instanceof BigDecimal decimal ? decimal.toPlainString() : cell.toString();
  }
}
