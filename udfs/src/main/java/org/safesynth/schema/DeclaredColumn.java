package org.safesynth.schema;

import java.io.Serializable;
import java.util.List;

/**
 * What a schema file says of a column; null is left to inference.
 *
 * @param min least value as text: a number, a date or a timestamp
 * @param max greatest value as text
 */
public record DeclaredColumn(
    String name,
    ColumnKind kind,
    String type,
    Boolean missing,
    Integer scale,
    String resolution,
    String format,
    String min,
    String max,
    List<String> values,
    Integer maxLength,
    List<String> missingValues)
    implements Serializable {}
