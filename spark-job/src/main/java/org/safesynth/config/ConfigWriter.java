package org.safesynth.config;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes a whole configuration so that {@link ConfigReader} reads the same back. */
public final class ConfigWriter {
  private ConfigWriter() {}

  /** The configuration as YAML: every parameter, and which of them the user had set. */
  public static String write(SafeSynthesizerConfig config) {
    return YamlText.block(tree(config));
  }

  /** The configuration as JSON. */
  public static String toJson(SafeSynthesizerConfig config) {
    return YamlText.json(tree(config), "") + "\n";
  }

  private static Map<String, Object> tree(SafeSynthesizerConfig config) {
    Map<String, Object> tree = new LinkedHashMap<>();
    fill(tree, config);
    List<String> explicit = new ArrayList<>(config.explicit());
    explicit.sort(null);
    tree.put(ConfigReader.EXPLICIT, explicit);
    return tree;
  }

  private static void fill(Map<String, Object> tree, Record record) {
    for (RecordComponent component : record.getClass().getRecordComponents()) {
      if (Parameters.isDeclared(component)) {
        tree.put(Parameters.yamlName(component), plain(valueOf(component, record)));
      }
    }
  }

  private static Object valueOf(RecordComponent component, Record record) {
    try {
      return component.getAccessor().invoke(record);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException("cannot read " + component, e);
    }
  }

  private static Object plain(Object value) {
    if (value instanceof Auto<?> auto) {
      return auto.isAuto() ? Auto.TEXT : plain(auto.value());
    }
    if (value instanceof Enum<?> constant) {
      return Declaration.written(constant);
    }
    if (value instanceof Record section) {
      Map<String, Object> tree = new LinkedHashMap<>();
      fill(tree, section);
      return tree;
    }
    return value;
  }
}
