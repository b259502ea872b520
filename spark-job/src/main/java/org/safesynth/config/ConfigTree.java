package org.safesynth.config;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** A configuration as nested maps of plain values, with YAML's names. */
final class ConfigTree {
  private ConfigTree() {}

  static Map<String, Object> of(Record record) {
    Map<String, Object> tree = new LinkedHashMap<>();
    for (RecordComponent component : record.getClass().getRecordComponents()) {
      tree.put(Parameters.yamlName(component), plain(value(record, component)));
    }
    return tree;
  }

  /** The value that stands at a path, null if a section above it is off. */
  static Object at(Map<String, Object> tree, String path) {
    Object value = tree;
    for (String name : Parameters.names(path)) {
      value = value instanceof Map<?, ?> map ? map.get(name) : null;
    }
    return value;
  }

  /** A parameter's value as YAML can write it. */
  static Object plain(Object value) {
    if (value instanceof Auto<?> auto) {
      return auto.isAuto() ? Auto.TEXT : auto.value();
    }
    if (value instanceof Enum<?>) {
      return Declaration.written(value);
    }
    if (value instanceof Collection<?> items) {
      return new ArrayList<>(items);
    }
    return value instanceof Record section ? of(section) : value;
  }

  private static Object value(Record record, RecordComponent component) {
    try {
      return component.getAccessor().invoke(record);
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException("cannot read " + component, e);
    }
  }
}
