package org.safesynth.config;

import java.io.Serializable;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.safesynth.fault.BadInputException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * Turns a node into the value of one parameter, within its bounds.
 *
 * <p>As lenient as the reference implementation, whose files are brought along: {@code 1e-4},
 * {@code 25_000} and {@code "8"} are numbers, {@code yes} and {@code off} are booleans.
 */
final class ValueBinder {
  /** BigDecimal would read digits of any script; YAML has these. */
  private static final Pattern NUMBER =
      Pattern.compile("[-+]?([0-9][0-9_]*\\.?[0-9_]*|\\.[0-9][0-9_]*)([eE][-+]?[0-9]{1,4})?");

  private static final int SHOWN_LENGTH = 60;

  private final Declaration declared;

  private ValueBinder(Declaration declared) {
    this.declared = declared;
  }

  static Object bind(Declaration declared, Node node) {
    ValueBinder binder = new ValueBinder(declared);
    if (YamlSource.isNull(node)) {
      if (declared.isNullable()) {
        return null;
      }
      throw binder.wrong(node, declared.path(), declared.allowed());
    }
    if (!declared.isAuto()) {
      return binder.value(node);
    }
    boolean auto =
        node instanceof ScalarNode scalar && scalar.getValue().equalsIgnoreCase(Auto.TEXT);
    return auto ? Auto.auto() : Auto.of((Serializable) binder.value(node));
  }

  /** A node as it may stand in an error: its text, or what it is. */
  static String shown(Node node) {
    if (node instanceof ScalarNode scalar) {
      String text = scalar.getValue();
      String cut = text.length() > SHOWN_LENGTH ? text.substring(0, SHOWN_LENGTH) + "..." : text;
      return text.isBlank() && !YamlSource.isNull(node)
          ? "empty"
          : YamlSource.isNull(node) ? "null" : "'" + cut.replaceAll("\\R", " ") + "'";
    }
    return node instanceof SequenceNode ? "a list" : "a map";
  }

  private Object value(Node node) {
    if (declared.isList()) {
      return list(node);
    }
    if (declared.isMap()) {
      return map(node);
    }
    if (declared.isText() && node instanceof ScalarNode scalar && scalar.getValue().isEmpty()) {
      throw wrong(node, declared.path(), declared.allowed());
    }
    return scalar(node, declared.valueType(), declared.path(), declared.allowed());
  }

  private List<Object> list(Node node) {
    if (!(node instanceof SequenceNode items)) {
      throw wrong(node, declared.path(), declared.allowed());
    }
    List<Object> values = new ArrayList<>();
    for (Node item : items.getValue()) {
      values.add(element(item, declared.path() + "[" + values.size() + "]"));
    }
    return Collections.unmodifiableList(values);
  }

  private Map<String, Object> map(Node node) {
    if (!(node instanceof MappingNode mapping)) {
      throw wrong(node, declared.path(), declared.allowed());
    }
    Map<String, Object> values = new LinkedHashMap<>();
    for (NodeTuple entry : mapping.getValue()) {
      String key = YamlSource.key(entry);
      values.put(key, element(entry.getValueNode(), declared.path() + "." + key));
    }
    return Collections.unmodifiableMap(values);
  }

  private Object element(Node node, String path) {
    Type type = declared.elementType();
    if (type == Object.class) {
      return tree(node);
    }
    if (Declaration.rawClass(type) == Map.class) {
      if (node instanceof MappingNode) {
        return tree(node);
      }
      throw wrong(node, path, "a map");
    }
    return scalar(node, type, path, declared.allowedElement());
  }

  private Object scalar(Node node, Type type, String path, String allowed) {
    if (!(node instanceof ScalarNode scalar)) {
      throw wrong(node, path, allowed);
    }
    String text = scalar.getValue();
    Object value = null;
    if (Declaration.isNumber(type)) {
      value = number(text, type);
    } else if (type == boolean.class || type == Boolean.class) {
      value = truth(text);
    } else if (type == String.class) {
      value = choice(text);
    } else if (type instanceof Class<?> raw && raw.isEnum()) {
      value = constant(raw, text);
    }
    if (value == null) {
      throw wrong(node, path, allowed);
    }
    return value;
  }

  /** Null if the text is not a number of the type within the bounds. */
  private Object number(String text, Type type) {
    if (!NUMBER.matcher(text).matches()) {
      return null;
    }
    BigDecimal number = new BigDecimal(text.replace("_", ""));
    boolean listed =
        declared.choices().isEmpty()
            || declared.choices().stream()
                .anyMatch(choice -> new BigDecimal(choice).compareTo(number) == 0);
    if (!listed || !declared.isWithinBounds(number)) {
      return null;
    }
    if (!Declaration.isWhole(type)) {
      double value = number.doubleValue();
      // A positive number that rounds to 0 would slip past "above 0".
      return Double.isFinite(value) && declared.isWithinBounds(BigDecimal.valueOf(value))
          ? (Object) value
          : null;
    }
    try {
      return type == int.class || type == Integer.class
          ? (Object) number.intValueExact()
          : (Object) number.longValueExact();
    } catch (ArithmeticException e) {
      return null; // a fraction, or too large
    }
  }

  private static Boolean truth(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "true", "yes", "on" -> true;
      case "false", "no", "off" -> false;
      default -> null;
    };
  }

  private String choice(String text) {
    if (declared.choices().isEmpty()) {
      return text;
    }
    return declared.choices().stream().filter(text::equalsIgnoreCase).findFirst().orElse(null);
  }

  private static Object constant(Class<?> type, String text) {
    for (Object constant : type.getEnumConstants()) {
      if (Declaration.written(constant).equalsIgnoreCase(text)) {
        return constant;
      }
    }
    return null;
  }

  /** A node of any shape as null, booleans, numbers, text, lists and maps. */
  private static Object tree(Node node) {
    if (node instanceof SequenceNode items) {
      List<Object> values = new ArrayList<>();
      items.getValue().forEach(item -> values.add(tree(item)));
      return Collections.unmodifiableList(values);
    }
    if (node instanceof MappingNode mapping) {
      Map<String, Object> values = new LinkedHashMap<>();
      mapping.getValue().forEach(e -> values.put(YamlSource.key(e), tree(e.getValueNode())));
      return Collections.unmodifiableMap(values);
    }
    String text = ((ScalarNode) node).getValue();
    Tag tag = node.getTag();
    if (tag.equals(Tag.NULL)) {
      return null;
    }
    if (tag.equals(Tag.BOOL)) {
      return truth(text);
    }
    if (NUMBER.matcher(text).matches() && (tag.equals(Tag.INT) || tag.equals(Tag.FLOAT))) {
      try {
        return tag.equals(Tag.INT) ? (Object) Long.valueOf(text) : (Object) Double.valueOf(text);
      } catch (NumberFormatException e) {
        return text; // longer than any number: an account, not a count
      }
    }
    return text;
  }

  private BadInputException wrong(Node node, String path, String allowed) {
    String advice = "";
    if (YamlSource.isNull(node)) {
      advice = "; leave it out for the default, " + declared.defaultText();
    } else if (node instanceof ScalarNode scalar
        && declared.isList()
        && path.equals(declared.path())) {
      advice = "; write [" + scalar.getValue() + "]";
    }
    return new BadInputException(
        YamlSource.where(node) + path + " is " + shown(node) + ", but must be " + allowed + advice);
  }
}
