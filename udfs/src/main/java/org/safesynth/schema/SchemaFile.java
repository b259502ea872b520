package org.safesynth.schema;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.types.DataType;
import org.safesynth.fault.BadInputException;

/**
 * The schema as JSON for people: written by a run as {@code schema.json}, and given back, whole or
 * in part, as {@code data.schema_file}.
 */
public final class SchemaFile {
  /** What strftime's codes of times of day are called here. */
  private static final Map<String, String> TIMES_OF_DAY =
      Map.of("%H:%M:%S", "HH:mm:ss", "%T", "HH:mm:ss", "%H:%M", "HH:mm", "%R", "HH:mm");

  private static final int FORMAT_VERSION = 1;
  private static final List<String> FIELDS =
      List.of(
          "name",
          "kind",
          "type",
          "missing",
          "scale",
          "resolution",
          "format",
          "min",
          "max",
          "values",
          "max_length",
          "missing_values");

  private SchemaFile() {}

  /** Whether dates are read that are written so, such as {@code dd/MM/yyyy}. */
  public static boolean isDateFormat(String pattern) {
    return DateFormat.isKnown(pattern);
  }

  /** The file's text. */
  public static String write(FrozenSchema schema) {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode file = mapper.createObjectNode();
    file.put("format_version", FORMAT_VERSION);
    ArrayNode columns = file.putArray("columns");
    for (ColumnSchema column : schema.columns()) {
      ObjectNode node = columns.addObject();
      node.put("name", column.name());
      node.put("kind", name(column.kind()));
      node.put("type", column.type());
      node.put("missing", column.missing());
      if (column.scale() != 0) {
        node.put("scale", column.scale());
      }
      if (column.kind() == ColumnKind.TIMESTAMP) {
        node.put("resolution", resolution(column.resolutionMicros()));
      }
      if (column.format() != null) {
        node.put("format", column.format());
      }
      if (column.min() != null) {
        node.put("min", text(column, column.min()));
      }
      if (column.max() != null) {
        node.put("max", text(column, column.max()));
      }
      if (column.values() != null) {
        column.values().forEach(node.putArray("values")::add);
      }
      if (column.maxLength() != 0) {
        node.put("max_length", column.maxLength());
      }
      if (column.missingTokens() != null) {
        column.missingTokens().forEach(node.putArray("missing_values")::add);
      }
    }
    try {
      return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(file) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a schema cannot be written as JSON", e);
    }
  }

  /**
   * What a file declares, by column name.
   *
   * @param source the file's name, for errors
   */
  public static Map<String, DeclaredColumn> read(String json, String source) {
    JsonNode file;
    try {
      file = new ObjectMapper().readTree(json);
    } catch (JsonProcessingException e) {
      JsonLocation at = e.getLocation();
      throw new BadInputException(
          "%s is not JSON: line %d, column %d"
              .formatted(
                  source, at == null ? 0 : at.getLineNr(), at == null ? 0 : at.getColumnNr()),
          e);
    }
    if (!file.path("columns").isArray()) {
      throw new BadInputException(source + ": the list 'columns' is missing");
    }
    if (file.path("format_version").asInt(FORMAT_VERSION) != FORMAT_VERSION) {
      throw new BadInputException(
          "%s: format_version %s is not known, only %d"
              .formatted(source, file.path("format_version").asText(), FORMAT_VERSION));
    }
    Map<String, DeclaredColumn> columns = new LinkedHashMap<>();
    for (JsonNode node : file.path("columns")) {
      DeclaredColumn column = declared(node, source);
      if (columns.put(column.name(), column) != null) {
        throw new BadInputException(
            "%s: column '%s' is declared twice".formatted(source, column.name()));
      }
    }
    return columns;
  }

  /** A whole schema, as a run wrote it. */
  public static FrozenSchema readSchema(String json, String source) {
    List<ColumnSchema> columns = new ArrayList<>();
    for (DeclaredColumn declared : read(json, source).values()) {
      if (declared.kind() == null || declared.type() == null) {
        throw new BadInputException(
            "%s: column '%s' has no kind or no type; restore the file that the run wrote"
                .formatted(source, declared.name()));
      }
      ColumnSchema empty =
          new ColumnSchema(
              declared.name(),
              declared.type(),
              declared.kind(),
              false,
              0,
              0,
              null,
              null,
              null,
              null,
              0);
      columns.add(apply(declared, empty, null));
    }
    return new FrozenSchema(columns);
  }

  private static String name(ColumnKind kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }

  /** Refuses declared columns that the table does not have. */
  public static void checkNames(
      Map<String, DeclaredColumn> declared, List<String> columns, String source) {
    for (String name : declared.keySet()) {
      if (!columns.contains(name)) {
        throw new BadInputException(
            "%s: the table has no column '%s'; did you mean '%s'?"
                .formatted(source, name, nearest(name, columns)));
      }
    }
  }

  private static DeclaredColumn declared(JsonNode node, String source) {
    String name = node.path("name").asText(null);
    if (name == null) {
      throw new BadInputException(source + ": a column has no 'name'");
    }
    for (Iterator<String> fields = node.fieldNames(); fields.hasNext(); ) {
      String field = fields.next();
      if (!FIELDS.contains(field)) {
        throw new BadInputException(
            "%s: column '%s' has an unknown field '%s'; did you mean '%s'?"
                .formatted(source, name, field, nearest(field, FIELDS)));
      }
    }
    return new DeclaredColumn(
        name,
        kind(node.path("kind").asText(null), name, source),
        type(node.path("type").asText(null), name, source),
        node.has("missing") ? node.path("missing").asBoolean() : null,
        node.has("scale") ? node.path("scale").asInt() : null,
        node.path("resolution").asText(null),
        format(node.path("format").asText(null), name, source),
        node.path("min").asText(null),
        node.path("max").asText(null),
        texts(node, "values", name, source),
        node.has("max_length") ? node.path("max_length").asInt() : null,
        texts(node, "missing_values", name, source));
  }

  private static List<String> texts(JsonNode node, String field, String name, String source) {
    JsonNode list = node.path(field);
    if (list.isMissingNode() || list.isNull()) {
      return null;
    }
    if (!list.isArray()) {
      throw new BadInputException(
          "%s: column '%s': %s must be a list".formatted(source, name, field));
    }
    List<String> texts = new ArrayList<>();
    list.forEach(value -> texts.add(value.asText()));
    if (texts.stream().distinct().count() != texts.size()) {
      throw new BadInputException(
          "%s: column '%s': %s lists a text twice".formatted(source, name, field));
    }
    return texts;
  }

  private static ColumnKind kind(String text, String name, String source) {
    if (text == null) {
      return null;
    }
    for (ColumnKind kind : ColumnKind.values()) {
      if (kind.name().equalsIgnoreCase(text)) {
        return kind;
      }
    }
    throw new BadInputException(
        "%s: column '%s': kind '%s' is not one of integer, decimal, categorical, boolean, date, timestamp, text, identifier"
            .formatted(source, name, text));
  }

  private static String type(String text, String name, String source) {
    if (text == null) {
      return null;
    }
    try {
      if (CellType.of(DataType.fromDDL(text)) != CellType.UNSUPPORTED) {
        return text;
      }
    } catch (Exception e) { // Spark's ParseException is checked, but Scala does not declare it
      throw new BadInputException(typeFault(text, name, source), e);
    }
    throw new BadInputException(typeFault(text, name, source));
  }

  private static String typeFault(String text, String name, String source) {
    return "%s: column '%s': type '%s' is not a Spark SQL type of single values, such as bigint, double, decimal(10,2), string, boolean, date, timestamp"
        .formatted(source, name, text);
  }

  private static String format(String text, String name, String source) {
    String ofDay = text == null ? null : TIMES_OF_DAY.get(text);
    if (ofDay != null) {
      return ofDay;
    }
    if (StrftimeFormat.isNamedBy(text)) {
      String fault = StrftimeFormat.fault(text);
      if (fault != null) {
        throw new BadInputException(
            "%s: column '%s': format '%s' %s; correct it, or declare the column as text"
                .formatted(source, name, text, fault));
      }
      return text;
    }
    if (!DateFormat.isKnown(text) && TimeOfDay.ofPattern(text) == null) {
      throw new BadInputException(
          "%s: column '%s': format '%s' is not one of %s, strftime codes such as %%d %%b %%Y, or for times of day HH:mm:ss, HH:mm"
              .formatted(source, name, text, DateFormat.patterns()));
    }
    return text;
  }

  /** A column as inferred, with what is declared of it instead. */
  static ColumnSchema apply(DeclaredColumn declared, ColumnSchema inferred, TypeSketch sketch) {
    StrftimeFormat codes =
        StrftimeFormat.isNamedBy(declared.format()) ? StrftimeFormat.of(declared.format()) : null;
    ColumnKind otherwise = codes == null ? inferred.kind() : codes.kind();
    ColumnKind kind = declared.kind() == null ? otherwise : declared.kind();
    if (codes != null && kind != codes.kind()) {
      throw new BadInputException(
          "column '%s': format %s is that of the kind %s, but the schema file declares %s; correct one of them"
              .formatted(declared.name(), declared.format(), name(codes.kind()), name(kind)));
    }
    boolean sameKind = kind == inferred.kind();
    int scale = sameKind ? inferred.scale() : 0;
    if (!sameKind && kind == ColumnKind.DECIMAL && sketch != null) {
      scale = KindRule.scale(Math.max(0, sketch.mostDecimals), sketch);
    }
    scale = declared.scale() == null ? scale : declared.scale();
    long micros =
        sameKind
            ? inferred.resolutionMicros()
            : codes == null
                ? 1_000_000L
                : sketch == null ? codes.resolutionMicros() : sketch.resolution.micros();
    micros =
        declared.resolution() == null ? micros : micros(declared.resolution(), declared.name());
    String type = declared.type();
    if (type != null && codes != null && isNumber(type) && !codes.isNumber()) {
      throw new BadInputException(
          "column '%s': a time of the form %s is no number, but the schema file declares %s; declare the type string"
              .formatted(declared.name(), declared.format(), type));
    }
    if (type == null && codes != null && !sameKind) {
      type = isWhole(inferred.type()) && codes.isNumber() ? inferred.type() : "string";
    }
    if (type == null) {
      type = sameKind || isNumber(inferred.type()) ? inferred.type() : typeOf(kind, scale);
    }
    ColumnSchema column =
        new ColumnSchema(
            declared.name(),
            type,
            kind,
            declared.missing() == null ? inferred.missing() : declared.missing(),
            kind == ColumnKind.DECIMAL ? scale : 0,
            kind == ColumnKind.TIMESTAMP ? micros : 0,
            declared.format() == null ? inferred.format() : declared.format(),
            null,
            null,
            declared.values(),
            declared.maxLength() == null ? inferred.maxLength() : declared.maxLength(),
            declared.missingValues());
    if (TimeOfDay.ofPattern(column.format()) != null
        && (kind != ColumnKind.INTEGER || CellType.of(DataType.fromDDL(type)) != CellType.TEXT)) {
      throw new BadInputException(
          "column '%s': format %s is that of times of day, which have the kind integer and the type string; declare both in the schema file"
              .formatted(declared.name(), column.format()));
    }
    Long min = declared.min() == null ? null : tick(column, declared.min(), "min");
    Long max = declared.max() == null ? null : tick(column, declared.max(), "max");
    if (min != null && max != null && min > max) {
      throw new BadInputException(
          "column '%s': min %s is above max %s in the schema file"
              .formatted(declared.name(), declared.min(), declared.max()));
    }
    return column.withDomain(min, max, declared.values());
  }

  private static boolean isNumber(String type) {
    return switch (CellType.of(DataType.fromDDL(type))) {
      case BYTE, SHORT, INT, LONG, FLOAT, DOUBLE, DECIMAL, WIDE_DECIMAL -> true;
      default -> false;
    };
  }

  private static boolean isWhole(String type) {
    return switch (CellType.of(DataType.fromDDL(type))) {
      case INT, LONG -> true;
      default -> false;
    };
  }

  private static String typeOf(ColumnKind kind, int scale) {
    return switch (kind) {
      case INTEGER -> "bigint";
      case DECIMAL -> scale >= 0 ? "decimal(38," + scale + ")" : "double";
      case BOOLEAN -> "boolean";
      case DATE -> "date";
      case TIMESTAMP -> "timestamp_ntz";
      default -> "string";
    };
  }

  private static Long tick(ColumnSchema column, String text, String field) {
    try {
      return switch (column.kind()) {
        case INTEGER, DECIMAL ->
            new BigDecimal(text)
                .setScale(column.scale(), RoundingMode.UNNECESSARY)
                .unscaledValue()
                .longValueExact();
        case DATE -> LocalDate.parse(text).toEpochDay();
        case TIMESTAMP ->
            Math.floorDiv(
                ChronoUnit.MICROS.between(
                    Instant.EPOCH,
                    LocalDateTime.parse(text.replace(' ', 'T')).toInstant(ZoneOffset.UTC)),
                Math.max(1, column.resolutionMicros()));
        default ->
            throw new BadInputException(
                "column '%s': %s is declared in the schema file, but only numbers, dates and timestamps have a range"
                    .formatted(column.name(), field));
      };
    } catch (NumberFormatException | ArithmeticException | DateTimeException e) {
      throw new BadInputException(
          "column '%s': %s '%s' in the schema file is not a value of kind %s"
              .formatted(column.name(), field, text, name(column.kind())),
          e);
    }
  }

  private static String text(ColumnSchema column, long tick) {
    return switch (column.kind()) {
      case DATE -> LocalDate.ofEpochDay(tick).toString();
      case TIMESTAMP ->
          LocalDateTime.ofInstant(
                  Instant.EPOCH.plus(
                      tick * Math.max(1, column.resolutionMicros()), ChronoUnit.MICROS),
                  ZoneOffset.UTC)
              .toString();
      default -> BigDecimal.valueOf(tick, column.scale()).toPlainString();
    };
  }

  private static String resolution(long micros) {
    for (Resolution resolution : Resolution.values()) {
      if (resolution.micros() == micros) {
        return resolution.label();
      }
    }
    return micros + " us";
  }

  private static long micros(String label, String name) {
    for (Resolution resolution : Resolution.values()) {
      if (resolution.label().equals(label)) {
        return resolution.micros();
      }
    }
    throw new BadInputException(
        "column '%s': resolution '%s' in the schema file is not one of 1 day, 1 h, 1 min, 1 s, 1 ms, 1 us"
            .formatted(name, label));
  }

  /** The known text that differs in the fewest characters (Levenshtein). */
  static String nearest(String text, List<String> known) {
    String best = known.get(0);
    int least = Integer.MAX_VALUE;
    for (String candidate : known) {
      int distance = distance(text, candidate);
      if (distance < least) {
        least = distance;
        best = candidate;
      }
    }
    return best;
  }

  private static int distance(String a, String b) {
    int[] before = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      before[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int change = before[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(change, Math.min(before[j], row[j - 1]) + 1);
      }
      before = row;
    }
    return before[b.length()];
  }
}
