package org.safesynth.schema;

import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DecimalType;

/** Decides a column's kind, type and scale from what the passes learned of it. */
final class KindRule {
  /** Most categories of a column; more make it free text. */
  static final int MOST_CATEGORIES = 131_072;

  private static final double GREATEST_TICK = 9e15; // exact in a double
  private static final int LEAST_IDENTIFIERS = 50;
  private static final double ALL_BUT_ALL =
      0.98; // an estimate of distinct values may be off by so much
  private static final int MANY_DISTINCT = 1_000;
  private static final double WORDS = 2;
  private static final int MOST_LENGTHS = 16;
  private static final int LONGEST_IDENTIFIER = 64;
  private static final Set<String> IDENTIFIER_NAMES =
      Set.of("id", "key", "uuid", "guid", "number", "nr", "no", "code", "ssn", "iban");

  private KindRule() {}

  /** A column as its values suggest. */
  static ColumnSchema infer(String name, DataType type, TypeSketch sketch, boolean untypedText) {
    boolean missing = sketch.missing > 0;
    CellType cell = CellType.of(type);
    String ddl = type.sql().toLowerCase(Locale.ROOT);
    return switch (cell) {
      case BYTE, SHORT, INT, LONG -> column(name, ddl, ColumnKind.INTEGER, missing, 0, 0, null, 0);
      case FLOAT, DOUBLE, DECIMAL, WIDE_DECIMAL -> {
        int decimals = type instanceof DecimalType decimal ? decimal.scale() : sketch.mostDecimals;
        yield column(name, ddl, ColumnKind.DECIMAL, missing, scale(decimals, sketch), 0, null, 0);
      }
      case BOOLEAN -> column(name, ddl, ColumnKind.BOOLEAN, missing, 0, 0, null, 0);
      case DATE -> column(name, ddl, ColumnKind.DATE, missing, 0, 0, null, 0);
      case TIMESTAMP, TIMESTAMP_NTZ ->
          column(name, ddl, ColumnKind.TIMESTAMP, missing, 0, sketch.resolution.micros(), null, 0);
      case TEXT -> untypedText ? ofText(name, sketch, missing) : words(name, sketch, missing);
      default -> column(name, "string", ColumnKind.CATEGORICAL, missing, 0, 0, null, 0);
    };
  }

  private static ColumnSchema column(
      String name,
      String type,
      ColumnKind kind,
      boolean missing,
      int scale,
      long resolution,
      String format,
      int maxLength) {
    return new ColumnSchema(
        name, type, kind, missing, scale, resolution, format, null, null, null, maxLength);
  }

  /** The decimals that ticks can hold for numbers of this size. */
  static int scale(int decimals, TypeSketch sketch) {
    int scale = decimals;
    while (sketch.greatestMagnitude * Math.pow(10, scale) > GREATEST_TICK) {
      scale--;
    }
    return scale;
  }

  private static ColumnSchema ofText(String name, TypeSketch sketch, boolean missing) {
    if (sketch.present() == 0) {
      return column(name, "string", ColumnKind.CATEGORICAL, missing, 0, 0, null, 0);
    }
    if (sketch.allNumbers && sketch.allWhole) {
      return column(name, "bigint", ColumnKind.INTEGER, missing, 0, 0, null, 0);
    }
    if (sketch.allNumbers && (sketch.mostDecimals > 0 || sketch.scientific)) {
      int decimals = Math.max(0, sketch.mostDecimals);
      int scale = scale(decimals, sketch);
      int precision = sketch.mostIntegerDigits + decimals;
      boolean exact = scale == decimals && !sketch.scientific && precision <= 38;
      String type = exact ? "decimal(" + precision + "," + scale + ")" : "double";
      return column(name, type, ColumnKind.DECIMAL, missing, scale, 0, null, 0);
    }
    if (isBoolean(sketch)) {
      return column(name, "boolean", ColumnKind.BOOLEAN, missing, 0, 0, null, 0);
    }
    if (sketch.dateFormats != 0) {
      int bit = Integer.numberOfTrailingZeros(sketch.dateFormats);
      String format = bit == 0 ? null : DateFormat.at(bit).pattern();
      if (sketch.timed == 0) {
        return column(name, "date", ColumnKind.DATE, missing, 0, 0, format, 0);
      }
      boolean oneZone = sketch.zoned == 0 || sketch.zoned == sketch.present();
      if (sketch.timed == sketch.present() && sketch.allTimes && oneZone) {
        String type = sketch.zoned == 0 ? "timestamp_ntz" : "timestamp";
        long micros = sketch.resolution.micros();
        return column(name, type, ColumnKind.TIMESTAMP, missing, 0, micros, format, 0);
      }
    }
    return words(name, sketch, missing);
  }

  private static boolean isBoolean(TypeSketch sketch) {
    if (!sketch.texts.complete() || sketch.texts.size() != 2) {
      return false;
    }
    Set<String> values = new TreeSet<>();
    for (int i = 0; i < sketch.texts.size(); i++) {
      values.add(sketch.texts.text(i));
    }
    return values.equals(Set.of("true", "false"))
        || values.equals(Set.of("True", "False"))
        || values.equals(Set.of("TRUE", "FALSE"));
  }

  private static ColumnSchema words(String name, TypeSketch sketch, boolean missing) {
    TextCounts texts = sketch.texts;
    long present = sketch.present();
    long distinct = texts.size() == 0 ? 0 : texts.distinct();
    ColumnKind kind = ColumnKind.CATEGORICAL;
    if (present >= LEAST_IDENTIFIERS && distinct >= ALL_BUT_ALL * present && isForm(sketch)) {
      kind = ColumnKind.IDENTIFIER;
    } else if (distinct > present / 2
        && (distinct > MANY_DISTINCT || (double) sketch.spaces / present > WORDS)) {
      kind = ColumnKind.TEXT;
    } else if (distinct > MOST_CATEGORIES) {
      kind = ColumnKind.TEXT;
    }
    int length = kind == ColumnKind.CATEGORICAL ? 0 : sketch.maxLength;
    return column(name, "string", kind, missing, 0, 0, null, length);
  }

  /** Whether values never repeat, have no spaces, and come in few lengths. */
  private static boolean isForm(TypeSketch sketch) {
    Set<Integer> lengths = new TreeSet<>();
    boolean digits = false;
    for (int i = 0; i < sketch.texts.size(); i++) {
      if (sketch.texts.count(i) > 1) {
        return false;
      }
      String text = sketch.texts.text(i);
      lengths.add(text.length());
      digits |= text.chars().anyMatch(c -> c >= '0' && c <= '9');
    }
    return digits
        && sketch.spaces == 0
        && lengths.size() <= MOST_LENGTHS
        && sketch.maxLength <= LONGEST_IDENTIFIER;
  }

  /** Whether whole numbers are keys: all distinct, and dense or named as one. */
  static boolean isNumericIdentifier(ColumnSchema column, ColumnProfile profile) {
    long present = profile.rows() - profile.missing();
    if (column.kind() != ColumnKind.INTEGER
        || present < LEAST_IDENTIFIERS
        || profile.distinct() < ALL_BUT_ALL * present) {
      return false;
    }
    for (long count : profile.counts()) {
      if (count > 1) {
        return false;
      }
    }
    long least = profile.lowTicks()[0];
    long greatest = profile.highTicks()[profile.highTicks().length - 1];
    boolean dense = (double) greatest - least + 1 <= 2.0 * present;
    return dense || isNamedAsIdentifier(column.name());
  }

  private static boolean isNamedAsIdentifier(String name) {
    String spaced = name.replaceAll("([\\p{Ll}\\p{N}])(\\p{Lu})", "$1 $2");
    for (String token : spaced.split("[^\\p{L}\\p{N}]+")) {
      if (IDENTIFIER_NAMES.contains(token.toLowerCase(Locale.ROOT))) {
        return true;
      }
    }
    return false;
  }
}
