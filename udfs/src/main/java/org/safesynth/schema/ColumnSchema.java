package org.safesynth.schema;

import java.io.Serializable;
import java.util.List;

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
 *     them; else null
 * @param min numeric kinds: least tick that may be written, or null when not declared
 * @param max numeric kinds: greatest tick that may be written, or null when not declared
 * @param values CATEGORICAL: the declared values, or null when they come from the data
 * @param maxLength TEXT and IDENTIFIER: greatest length in characters; else 0
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
    int maxLength)
    implements Serializable {}
