package org.safesynth.job;

import java.util.Map;
import java.util.Set;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.DeclaredColumn;
import org.safesynth.schema.SchemaFile;
import org.safesynth.schema.StrftimeFormat;
import org.safesynth.schema.TimeOfDay;

/**
 * What {@code time_series.timestamp_format} says of the column of the times, and its agreement with
 * what a schema file says of it.
 *
 * @param given as the parameter has it; null where the first time showed it
 * @param pattern of the column
 */
record TimestampForm(String given, ColumnKind kind, String pattern) {
  /** Directives of a date in digits, and how java.time writes them. */
  private static final Map<String, String> DIGITS =
      Map.of("%-m", "M", "%-d", "d", "%Y", "yyyy", "%m", "MM", "%d", "dd");

  private static final Set<String> TIMES = Set.of("%H:%M", "%H:%M:%S", "%H:%M:%S.%f");

  /**
   * The form that codes name.
   *
   * @throws BadInputException when it cannot be read
   */
  static TimestampForm of(String codes) {
    String format = StrftimeFormat.expanded(codes);
    TimeOfDay way =
        switch (format) {
          case "%H:%M:%S" -> TimeOfDay.SECONDS;
          case "%H:%M" -> TimeOfDay.MINUTES;
          default -> null;
        };
    if (way != null) {
      return new TimestampForm(codes, ColumnKind.INTEGER, way.pattern());
    }
    String day = format.split("[ T]", 2)[0];
    String pattern = day;
    for (Map.Entry<String, String> directive : DIGITS.entrySet()) {
      pattern = pattern.replace(directive.getKey(), directive.getValue());
    }
    boolean hasTime = day.length() < format.length();
    // What a table's own values would show is a date or timestamp, and is not written in codes.
    if (SchemaFile.isDateFormat(pattern)
        && (!hasTime || TIMES.contains(format.substring(day.length() + 1)))) {
      return new TimestampForm(codes, hasTime ? ColumnKind.TIMESTAMP : ColumnKind.DATE, pattern);
    }
    String fault = StrftimeFormat.fault(codes);
    if (fault != null) {
      throw new BadInputException(
          "time_series.timestamp_format is '%s', which %s; write the column so that codes name it, or use elapsed_seconds"
              .formatted(codes, fault));
    }
    return new TimestampForm(codes, StrftimeFormat.of(codes).kind(), codes);
  }

  /** The form of times of day; null for none. */
  static TimestampForm of(TimeOfDay way) {
    return way == null ? null : new TimestampForm(null, ColumnKind.INTEGER, way.pattern());
  }

  /**
   * The column as both say it is.
   *
   * @param known what a schema file says; null for nothing
   * @throws BadInputException when they contradict each other
   */
  DeclaredColumn agreed(String name, DeclaredColumn known) {
    boolean isOfDay = TimeOfDay.ofPattern(pattern) != null;
    if (known == null) {
      String type = isOfDay ? "string" : null;
      return new DeclaredColumn(
          name, kind, type, null, null, null, pattern, null, null, null, null, null);
    }
    if (known.kind() != null && known.kind() != kind) {
      throw contradicted(name, "as " + SchemaStage.word(known.kind()));
    }
    if (known.format() != null && !known.format().equals(pattern)) {
      TimestampForm other = ofPattern(known.format());
      if (!other.pattern().equals(pattern)) {
        throw contradicted(name, "with the format " + known.format());
      }
    }
    if (isOfDay && known.type() != null && !known.type().equals("string")) {
      throw contradicted(name, "with the type " + known.type());
    }
    return new DeclaredColumn(
        name,
        kind,
        isOfDay ? "string" : known.type(),
        known.missing(),
        known.scale(),
        known.resolution(),
        pattern,
        known.min(),
        known.max(),
        known.values(),
        known.maxLength(),
        known.missingValues());
  }

  /** A schema file may name a form in codes too. */
  private static TimestampForm ofPattern(String format) {
    return StrftimeFormat.isNamedBy(format) ? of(format) : new TimestampForm(null, null, format);
  }

  private BadInputException contradicted(String name, String otherwise) {
    return new BadInputException(
        "time_series.timestamp_format is '%s', but data.schema_file declares column '%s' %s; correct one of them"
            .formatted(given, name, otherwise));
  }
}
