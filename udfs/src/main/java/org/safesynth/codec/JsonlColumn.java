package org.safesynth.codec;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.safesynth.schema.CellReader;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.TimeOfDay;

/** One column's value as JSON text, and back. */
final class JsonlColumn {
  static final long MICROS_PER_DAY = 86_400_000_000L;

  private static final Pattern JSON_NUMBER =
      Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");
  private static final Set<String> NUMBER_TYPES =
      Set.of("tinyint", "smallint", "int", "bigint", "float", "double");

  private final ColumnSchema column;
  private final int maxLength;
  private final ColumnSchema number; // how a number's text is read
  private final DateTimeFormatter instants;
  private final TimeOfDay timeOfDay; // null for what is none

  /**
   * @param maxLength greatest number of characters of a text, or 0 when none is declared
   */
  JsonlColumn(ColumnSchema column, int maxLength) {
    this.column = column;
    this.maxLength = maxLength;
    // Missing values are null in JSON: a number that spells one in the source is not missing here.
    this.number =
        new ColumnSchema(
            column.name(),
            column.type(),
            column.kind(),
            column.missing(),
            column.scale(),
            column.resolutionMicros(),
            null,
            null,
            null,
            null,
            0);
    this.timeOfDay = column.timeOfDay();
    this.instants = DateTimeFormatter.ofPattern(instantPattern(column), Locale.ROOT);
  }

  /** ISO 8601 with as many parts as the column's resolution needs. */
  static String instantPattern(ColumnSchema column) {
    long micros = Math.max(1, column.resolutionMicros());
    if (micros % MICROS_PER_DAY == 0) {
      return "uuuu-MM-dd";
    }
    String fraction = micros % 1_000_000 == 0 ? "" : micros % 1000 == 0 ? ".SSS" : ".SSSSSS";
    String seconds = micros % 60_000_000 == 0 ? "" : ":ss" + fraction;
    return "uuuu-MM-dd'T'HH:mm" + seconds;
  }

  ColumnSchema schema() {
    return column;
  }

  int maxLength() {
    return maxLength;
  }

  /** Whether texts of this column are written as bare numbers where they are ones. */
  boolean isNumberTyped() {
    return NUMBER_TYPES.contains(column.type()) || column.type().startsWith("decimal");
  }

  /** Writes a canonical value. */
  void write(Object value, JsonText out) {
    if (value == null) {
      out.raw("null");
    } else if (value instanceof Long tick) {
      switch (column.kind()) {
        case DECIMAL -> out.raw(decimal(tick, column.scale()));
        case DATE -> out.string(LocalDate.ofEpochDay(tick).toString());
        case TIMESTAMP -> out.string(instant(tick).format(instants));
        default -> {
          if (timeOfDay == null) {
            out.raw(Long.toString(tick));
          } else {
            out.string(timeOfDay.write(tick));
          }
        }
      }
    } else if (column.kind() == ColumnKind.BOOLEAN) {
      out.raw((String) value);
    } else {
      String text = (String) value;
      if (isNumberTyped() && JSON_NUMBER.matcher(text).matches()) {
        out.raw(text);
      } else {
        out.string(text);
      }
    }
  }

  private LocalDateTime instant(long tick) {
    long micros = Math.multiplyExact(tick, Math.max(1, column.resolutionMicros()));
    return LocalDateTime.ofInstant(Instant.EPOCH.plus(micros, ChronoUnit.MICROS), ZoneOffset.UTC);
  }

  /**
   * The shortest text that is this decimal and no integer: 1.0, 0.25, 15e+16 (huge floats, whose
   * ticks are tens and more).
   */
  static String decimal(long tick, int scale) {
    if (tick == 0) {
      return "0.0";
    }
    if (scale < 0) {
      return tick + "e+" + -scale;
    }
    BigDecimal value = BigDecimal.valueOf(tick, scale).stripTrailingZeros();
    return value.scale() <= 0 ? value.toPlainString() + ".0" : value.toPlainString();
  }

  /** A value, or why there is none. */
  record Read(Object value, Rejection rejection) {}

  /** Reads the value at the parser's current token. */
  Read read(JsonParser json) throws IOException {
    JsonToken token = json.currentToken();
    if (token == JsonToken.VALUE_NULL) {
      return column.missing() ? new Read(null, null) : rejected(Rejection.Reason.INVALID_TYPE);
    }
    boolean number = token == JsonToken.VALUE_NUMBER_INT || token == JsonToken.VALUE_NUMBER_FLOAT;
    boolean text = token == JsonToken.VALUE_STRING;
    Object value =
        switch (column.kind()) {
          case INTEGER, DECIMAL -> {
            if (timeOfDay != null) {
              yield text ? timeOfDay.parse(json.getText()) : null;
            }
            yield number ? number(json.getText()) : null;
          }
          case DATE -> text ? day(json.getText()) : null;
          case TIMESTAMP -> text ? instant(json.getText()) : null;
          case BOOLEAN -> token.isBoolean() ? json.getText() : null;
          default -> {
            if (column.isNumericIdentifier()) {
              yield number ? number(json.getText()) : null;
            }
            yield text || (number && isNumberTyped()) ? json.getText() : null;
          }
        };
    if (value == null) {
      return rejected(Rejection.Reason.INVALID_TYPE);
    }
    if (!column.allows(value)) {
      return rejected(Rejection.Reason.INVALID_VALUE);
    }
    if (maxLength > 0
        && value instanceof String string
        && string.codePointCount(0, string.length()) > maxLength) {
      return rejected(Rejection.Reason.INVALID_LENGTH);
    }
    return new Read(value, null);
  }

  private Read rejected(Rejection.Reason reason) {
    return new Read(null, new Rejection(reason, column.name()));
  }

  /** A reader holds the text that it is at, and threads share columns: each read has its own. */
  private Object number(String text) {
    try {
      return CellReader.of(number, Set.of()).read(text);
    } catch (CellReader.UnfitCellException e) {
      return null;
    }
  }

  private static Object day(String text) {
    try {
      return LocalDate.parse(text).toEpochDay();
    } catch (DateTimeException e) {
      return null;
    }
  }

  private Object instant(String text) {
    try {
      boolean isDay = !text.contains("T");
      LocalDateTime local =
          isDay ? LocalDate.parse(text).atStartOfDay() : LocalDateTime.parse(text);
      long micros = CellReader.micros(local.toInstant(ZoneOffset.UTC));
      return Math.floorDiv(micros, Math.max(1, column.resolutionMicros()));
    } catch (DateTimeException | ArithmeticException e) {
      return null;
    }
  }
}
