package org.safesynth.config;

import java.math.BigDecimal;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.regex.Pattern;

/**
 * Writes plain values (null, booleans, numbers, text, lists, maps) as YAML and JSON that read back
 * as the same values.
 */
final class YamlText {
  /** Text that no reader of YAML 1.1 or 1.2 takes for anything else. */
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z_][A-Za-z0-9_./+-]*");

  private static final Pattern RESERVED = Pattern.compile("(?i)null|true|false|yes|no|on|off|y|n");

  private YamlText() {}

  /** Indented YAML of a map, without a line of its own for empty or flat values. */
  static String block(Map<String, ?> map) {
    StringBuilder out = new StringBuilder();
    appendMap(out, map, "", "");
    return out.toString();
  }

  /** A value in one line: {@code [a, b]}, {@code {name: value}}. */
  static String flow(Object value) {
    if (value instanceof Map<?, ?> map) {
      StringJoiner inside = new StringJoiner(", ", "{", "}");
      map.forEach((key, entry) -> inside.add(scalar(key) + ": " + flow(entry)));
      return inside.toString();
    }
    if (value instanceof Collection<?> items) {
      StringJoiner inside = new StringJoiner(", ", "[", "]");
      items.forEach(item -> inside.add(flow(item)));
      return inside.toString();
    }
    return scalar(value);
  }

  /** Indented JSON. */
  static String json(Object value, String indent) {
    String deeper = indent + "  ";
    if (value instanceof Map<?, ?> map && !map.isEmpty()) {
      StringJoiner inside = new StringJoiner(",\n", "{\n", "\n" + indent + "}");
      map.forEach(
          (key, entry) -> inside.add(deeper + quote(key.toString()) + ": " + json(entry, deeper)));
      return inside.toString();
    }
    if (value instanceof Map<?, ?>) {
      return "{}";
    }
    if (value instanceof Collection<?> items) {
      StringJoiner inside = new StringJoiner(", ", "[", "]");
      items.forEach(item -> inside.add(json(item, deeper)));
      return inside.toString();
    }
    return value instanceof String text ? quote(text) : scalar(value);
  }

  /** The shortest decimal text of a number; whole numbers without a fraction. */
  static String number(double value) {
    String text = decimal(value);
    return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
  }

  private static void appendMap(StringBuilder out, Map<?, ?> map, String first, String indent) {
    String lead = first;
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      out.append(lead).append(scalar(entry.getKey())).append(':');
      appendValue(out, entry.getValue(), indent);
      lead = indent;
    }
  }

  private static void appendValue(StringBuilder out, Object value, String indent) {
    if (value instanceof Map<?, ?> map && !map.isEmpty()) {
      out.append('\n');
      appendMap(out, map, indent + "  ", indent + "  ");
    } else if (value instanceof List<?> items && items.stream().anyMatch(Map.class::isInstance)) {
      out.append('\n');
      for (Object item : items) {
        out.append(indent).append("  -");
        if (item instanceof Map<?, ?> map && !map.isEmpty()) {
          appendMap(out, map, " ", indent + "    ");
        } else {
          out.append(' ').append(flow(item)).append('\n');
        }
      }
    } else {
      out.append(' ').append(flow(value)).append('\n');
    }
  }

  private static String scalar(Object value) {
    if (value == null) {
      return "null";
    }
    if (value instanceof Double || value instanceof Float) {
      return decimal(((Number) value).doubleValue());
    }
    if (value instanceof Number || value instanceof Boolean) {
      return value.toString();
    }
    String text = value.toString();
    boolean plain = PLAIN.matcher(text).matches() && !RESERVED.matcher(text).matches();
    return plain ? text : quote(text);
  }

  private static String decimal(double value) {
    double size = Math.abs(value);
    if (!Double.isFinite(value) || (size != 0 && (size < 1e-6 || size >= 1e15))) {
      return Double.toString(value);
    }
    String text = new BigDecimal(Double.toString(value)).stripTrailingZeros().toPlainString();
    return text.indexOf('.') < 0 ? text + ".0" : text;
  }

  /** Text in double quotes, as both YAML and JSON read it. */
  private static String quote(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\t' -> out.append("\\t");
        default -> {
          if (isPrintable(text, i)) {
            out.append(c);
          } else {
            out.append(String.format("\\u%04x", (int) c));
          }
        }
      }
    }
    return out.append('"').toString();
  }

  private static boolean isPrintable(String text, int index) {
    char c = text.charAt(index);
    if (Character.isHighSurrogate(c)) {
      return index + 1 < text.length() && Character.isLowSurrogate(text.charAt(index + 1));
    }
    if (Character.isLowSurrogate(c)) {
      return index > 0 && Character.isHighSurrogate(text.charAt(index - 1));
    }
    return c >= ' '
        && !(c >= 0x7f && c < 0xa0)
        && c != '\u2028'
        && c != '\u2029'
        && c < 0xfffe
        && c != '\ufeff';
  }
}
