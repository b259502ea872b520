package org.safesynth.schema;

import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.ByteType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.types.IntegerType;
import org.apache.spark.sql.types.LongType;
import org.apache.spark.sql.types.NullType;
import org.apache.spark.sql.types.ShortType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.TimestampNTZType;
import org.apache.spark.sql.types.TimestampType;

/** How a cell of a Spark type is held in an internal row: what a switch on the hot path needs. */
enum CellType {
  TEXT,
  BYTE,
  SHORT,
  INT,
  LONG,
  FLOAT,
  DOUBLE,
  /** A decimal whose unscaled value always fits a long. */
  DECIMAL,
  /** A decimal of more than 18 digits. */
  WIDE_DECIMAL,
  BOOLEAN,
  DATE,
  TIMESTAMP,
  TIMESTAMP_NTZ,
  /** A column that can only be null. */
  VOID,
  /** Nested, binary and interval types: not a table cell. */
  UNSUPPORTED;

  static CellType of(DataType type) {
    if (type instanceof StringType) {
      return TEXT;
    } else if (type instanceof LongType) {
      return LONG;
    } else if (type instanceof IntegerType) {
      return INT;
    } else if (type instanceof ShortType) {
      return SHORT;
    } else if (type instanceof ByteType) {
      return BYTE;
    } else if (type instanceof DoubleType) {
      return DOUBLE;
    } else if (type instanceof FloatType) {
      return FLOAT;
    } else if (type instanceof DecimalType decimal) {
      return decimal.precision() <= Decimal.MAX_LONG_DIGITS() ? DECIMAL : WIDE_DECIMAL;
    } else if (type instanceof BooleanType) {
      return BOOLEAN;
    } else if (type instanceof DateType) {
      return DATE;
    } else if (type instanceof TimestampType) {
      return TIMESTAMP;
    } else if (type instanceof TimestampNTZType) {
      return TIMESTAMP_NTZ;
    } else if (type instanceof NullType) {
      return VOID;
    }
    return UNSUPPORTED;
  }

  boolean isIntegral() {
    return this == BYTE || this == SHORT || this == INT || this == LONG;
  }
}
