package org.safesynth.config;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * One parameter as declared: what the reader checks, and what help and the reference page say.
 *
 * @param path YAML path, such as {@code generation.validation.group_by_fix_non_unique_value}
 * @param section the first name of the path
 * @param type the record component's type
 */
public record Declaration(String path, String section, Type type, Parameter parameter) {

  /** The last name of the path. */
  public String name() {
    return path.substring(path.lastIndexOf('.') + 1);
  }

  public String meaning() {
    return parameter.meaning();
  }

  /** A further remark, or an empty text. */
  public String note() {
    return parameter.note();
  }

  /** The default as it would stand in YAML. */
  public String defaultText() {
    return parameter.byDefault();
  }

  public boolean isUsedByEmbedded() {
    return parameter.usedByEmbedded();
  }

  /** The kind of value in words, such as {@code list of text}. */
  public String typeText() {
    return typeText(valueType());
  }

  /** The allowed range or values in words, or an empty text. */
  public String boundsText() {
    List<String> choices = choices();
    return choices.isEmpty() ? range() : "one of " + String.join(", ", choices);
  }

  /** What may be given, in words: {@code a whole number of at least 1, auto or null}. */
  public String allowed() {
    List<String> ways = new ArrayList<>();
    if (isBoolean()) {
      ways.addAll(List.of("true", "false"));
    } else {
      ways.add(allowedOf(valueType()));
    }
    if (isAuto()) {
      ways.add(Auto.TEXT);
    }
    if (isNullable()) {
      ways.add("null");
    }
    String last = ways.remove(ways.size() - 1);
    return ways.isEmpty() ? last : String.join(", ", ways) + " or " + last;
  }

  /** What one element of a list or map may be, in words. */
  String allowedElement() {
    return allowedOf(elementType());
  }

  boolean isAuto() {
    return rawClass(type) == Auto.class;
  }

  boolean isNullable() {
    return parameter.orNull() || parameter.byDefault().equals("null");
  }

  boolean isBoolean() {
    return valueType() == boolean.class || valueType() == Boolean.class;
  }

  boolean isList() {
    return rawClass(valueType()) == List.class;
  }

  boolean isMap() {
    return rawClass(valueType()) == Map.class;
  }

  boolean isText() {
    return valueType() == String.class;
  }

  /** The type without {@link Auto}. */
  Type valueType() {
    return isAuto() ? argument(type, 0) : type;
  }

  /** The type of a list's elements or a map's values; the value's own type otherwise. */
  Type elementType() {
    Type value = valueType();
    if (isList()) {
      return argument(value, 0);
    }
    return isMap() ? argument(value, 1) : value;
  }

  /** The few allowed values as they are written, or none. */
  public List<String> choices() {
    if (elementType() instanceof Class<?> raw && raw.isEnum()) {
      return Arrays.stream(raw.getEnumConstants()).map(Declaration::written).toList();
    }
    return List.of(parameter.choices());
  }

  /** How an enum's constant is written in YAML. */
  static String written(Object constant) {
    return constant.toString().toLowerCase(Locale.ROOT);
  }

  boolean isWithinBounds(BigDecimal number) {
    double min = parameter.min();
    double max = parameter.max();
    if (Double.isFinite(min)) {
      int order = number.compareTo(BigDecimal.valueOf(min));
      if (order < 0 || (order == 0 && parameter.aboveMin())) {
        return false;
      }
    }
    if (Double.isFinite(max)) {
      int order = number.compareTo(BigDecimal.valueOf(max));
      return order < 0 || (order == 0 && !parameter.belowMax());
    }
    return true;
  }

  static Class<?> rawClass(Type type) {
    Type raw = type instanceof ParameterizedType generic ? generic.getRawType() : type;
    return (Class<?>) raw;
  }

  static boolean isWhole(Type type) {
    return type == int.class || type == Integer.class || type == long.class || type == Long.class;
  }

  static boolean isNumber(Type type) {
    return isWhole(type) || type == double.class || type == Double.class;
  }

  private static Type argument(Type type, int index) {
    return ((ParameterizedType) type).getActualTypeArguments()[index];
  }

  private static String typeText(Type type) {
    Class<?> raw = rawClass(type);
    if (raw == List.class) {
      String element = typeText(argument(type, 0));
      return "list of " + (element.equals("map") ? "maps" : element);
    }
    if (raw == Map.class) {
      return "map";
    }
    if (isNumber(type)) {
      return isWhole(type) ? "whole number" : "number";
    }
    return raw == boolean.class || raw == Boolean.class ? "true or false" : "text";
  }

  private String allowedOf(Type asked) {
    List<String> choices = choices();
    Class<?> raw = rawClass(asked);
    if (raw == List.class) {
      return choices.isEmpty()
          ? "a " + typeText(asked)
          : "a list of some of " + String.join(", ", choices);
    }
    if (!choices.isEmpty()) {
      return "one of " + String.join(", ", choices);
    }
    if (isNumber(asked)) {
      String range = range();
      return "a " + typeText(asked) + (range.isEmpty() ? "" : " " + range);
    }
    if (raw == Map.class) {
      return "a map such as {name: value}";
    }
    return typeText(asked);
  }

  private String range() {
    List<String> ends = new ArrayList<>();
    if (Double.isFinite(parameter.min())) {
      ends.add(
          (parameter.aboveMin() ? "above " : "of at least ") + YamlText.number(parameter.min()));
    }
    if (Double.isFinite(parameter.max())) {
      ends.add((parameter.belowMax() ? "below " : "at most ") + YamlText.number(parameter.max()));
    }
    return String.join(" and ", ends);
  }
}
