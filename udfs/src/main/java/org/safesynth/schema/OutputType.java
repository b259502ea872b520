package org.safesynth.schema;

import java.math.BigDecimal;
import java.math.RoundingMode;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DecimalType;

/**
 * The type of a column on output, which grows where given numbers need more digits than those that
 * were learned: they come back as they are.
 */
public final class OutputType {
  private static final int LONG_DIGITS = 19;

  private OutputType() {}

  /** Greatest size of a tick that the column's type can hold once it has grown. */
  public static long greatestTick(ColumnSchema column) {
    if (!(DataType.fromDDL(column.type()) instanceof DecimalType decimal)) {
      return Long.MAX_VALUE;
    }
    int digits = DecimalType.MAX_PRECISION() - (decimal.scale() - column.scale());
    return digits >= LONG_DIGITS
        ? Long.MAX_VALUE
        : BigDecimal.TEN.pow(Math.max(0, digits)).longValueExact() - 1;
  }

  /** The column, of a type that holds these ticks too. */
  public static ColumnSchema holding(ColumnSchema column, long least, long greatest) {
    DataType type = DataType.fromDDL(column.type());
    BigDecimal low = BigDecimal.valueOf(least, column.scale());
    BigDecimal high = BigDecimal.valueOf(greatest, column.scale());
    return switch (CellType.of(type)) {
      case BYTE, SHORT, INT -> withWhole(column, low.longValue(), high.longValue());
      case DECIMAL, WIDE_DECIMAL -> withDigits(column, (DecimalType) type, low, high);
      default -> column;
    };
  }

  private static ColumnSchema withWhole(ColumnSchema column, long low, long high) {
    int bits = 1 + Math.max(bits(low), bits(high));
    return switch (CellType.of(DataType.fromDDL(column.type()))) {
      case BYTE -> bits <= Byte.SIZE ? column : withWhole(column.withType("smallint"), low, high);
      case SHORT -> bits <= Short.SIZE ? column : withWhole(column.withType("int"), low, high);
      case INT -> bits <= Integer.SIZE ? column : column.withType("bigint");
      default -> column;
    };
  }

  /** Bits of a number without its sign. */
  private static int bits(long value) {
    return Long.SIZE - Long.numberOfLeadingZeros(value < 0 ? ~value : value);
  }

  private static ColumnSchema withDigits(
      ColumnSchema column, DecimalType type, BigDecimal low, BigDecimal high) {
    int digits = Math.max(digits(low, type.scale()), digits(high, type.scale()));
    return digits <= type.precision()
        ? column
        : column.withType("decimal(%d,%d)".formatted(digits, type.scale()));
  }

  private static int digits(BigDecimal value, int scale) {
    return value.setScale(scale, RoundingMode.HALF_UP).precision();
  }
}
