package org.safesynth.schema;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DecimalType;

/**
 * One column as agreed before training: its kind, its type on output and its domain. Written to
 * {@code schema.json}, where a user may edit it and pass it back as {@code data.schema_file}.
 *
 * @param name the column's name, any text
 * @param type Spark's DDL name of the type on output, for example {@code bigint}, {@code
 *     decimal(10,2)}, {@code string}
 * @param kind how values are read and encoded
 * @param missing whether values may be missing
 * @param scale DECIMAL: digits after the decimal point (a tick is 10^-scale; may be negative for
 *     huge floats); else 0
 * @param resolutionMicros TIMESTAMP: microseconds in a tick; else 0
 * @param format DATE and TIMESTAMP held as text: the pattern (java.time) that reads and writes
 *     them; null for ISO 8601. INTEGER: that of {@link TimeOfDay}, or null for numbers
 * @param min numeric kinds: least tick that may be written, or null when not declared
 * @param max numeric kinds: greatest tick that may be written, or null when not declared
 * @param values CATEGORICAL: the declared values, or null when they come from the data; BOOLEAN
 *     held as text: how false and true are spelled, in this order, or null for {@code false},
 *     {@code true}
 * @param maxLength TEXT and IDENTIFIER: greatest length in characters (code points); else 0
 * @param missingTokens texts of this column that stand for a missing value, or null for those of
 *     the whole table
 */
public record ColumnSchema(
    String name,
    String type,
    ColumnKind kind,
    boolean missing,
    int scale,
    long resolutionMicros,
    String format,
    Long min,
    Long max,
    List<String> values,
    int maxLength,
    List<String> missingTokens)
    implements Serializable {

  public ColumnSchema {
    values = values == null ? null : List.copyOf(values);
    missingTokens = missingTokens == null ? null : List.copyOf(missingTokens);
  }

  /**
   * Whether a canonical value lies in the declared domain; everything does where none is declared.
   */
  public boolean allows(Object value) {
    if (value instanceof Long tick) {
      return (min == null || tick >= min) && (max == null || tick <= max);
    }
    return kind != ColumnKind.CATEGORICAL || values == null || values.contains((String) value);
  }

  /** The same column under another name. */
  public ColumnSchema withName(String newName) {
    return new ColumnSchema(
        newName,
        type,
        kind,
        missing,
        scale,
        resolutionMicros,
        format,
        min,
        max,
        values,
        maxLength,
        missingTokens);
  }

  ColumnSchema withType(String newType) {
    return new ColumnSchema(
        name,
        newType,
        kind,
        missing,
        scale,
        resolutionMicros,
        format,
        min,
        max,
        values,
        maxLength,
        missingTokens);
  }

  public ColumnSchema withMissing(boolean newMissing) {
    return new ColumnSchema(
        name,
        type,
        kind,
        newMissing,
        scale,
        resolutionMicros,
        format,
        min,
        max,
        values,
        maxLength,
        missingTokens);
  }

  ColumnSchema withKind(ColumnKind newKind) {
    return new ColumnSchema(
        name,
        type,
        newKind,
        missing,
        scale,
        resolutionMicros,
        format,
        min,
        max,
        values,
        maxLength,
        missingTokens);
  }

  ColumnSchema withMaxLength(int newMaxLength) {
    return new ColumnSchema(
        name,
        type,
        kind,
        missing,
        scale,
        resolutionMicros,
        format,
        min,
        max,
        values,
        newMaxLength,
        missingTokens);
  }

  /** How times of day are written, which are whole numbers here; null where there are none. */
  public TimeOfDay timeOfDay() {
    return kind == ColumnKind.INTEGER ? TimeOfDay.ofPattern(format) : null;
  }

  /** Whether values are identifiers that are written as whole numbers. */
  public boolean isNumericIdentifier() {
    return kind == ColumnKind.IDENTIFIER
        && List.of("bigint", "int", "smallint", "tinyint").contains(type);
  }

  /**
   * Whether values are numbers of so many decimals and no more: neither binary fractions nor
   * decimals too long for ticks, which are rounded.
   */
  public boolean isExactDecimal() {
    return kind == ColumnKind.DECIMAL
        && DataType.fromDDL(type) instanceof DecimalType decimal
        && decimal.scale() == scale;
  }

  /** A column without missing tokens of its own. */
  public ColumnSchema(
      String name,
      String type,
      ColumnKind kind,
      boolean missing,
      int scale,
      long resolutionMicros,
      String format,
      Long min,
      Long max,
      List<String> values,
      int maxLength) {
    this(
        name,
        type,
        kind,
        missing,
        scale,
        resolutionMicros,
        format,
        min,
        max,
        values,
        maxLength,
        null);
  }

  /**
   * The same column with the domain that may be written: what value protection, a noisy histogram
   * or the user has allowed.
   *
   * @param newMin least tick, or null when not known
   * @param newMax greatest tick, or null when not known
   * @param newValues CATEGORICAL: the values, or null when not known
   */
  public ColumnSchema withDomain(Long newMin, Long newMax, List<String> newValues) {
    return new ColumnSchema(
        name,
        type,
        kind,
        missing,
        scale,
        resolutionMicros,
        format,
        newMin,
        newMax,
        newValues,
        maxLength,
        missingTokens);
  }
}
