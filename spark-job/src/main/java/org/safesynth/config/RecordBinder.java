package org.safesynth.config;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.safesynth.fault.BadInputException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;

/** Turns a mapping into a record: each key a component, the rest by default. */
final class RecordBinder {
  private final Set<String> explicit = new LinkedHashSet<>();

  /** The paths that were given, so far. */
  Set<String> explicit() {
    return explicit;
  }

  <R> R bind(Class<R> record, Node node, String path) {
    Map<String, Node> given = entries(record, node, path);
    RecordComponent[] components = record.getRecordComponents();
    Object[] values = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      String name = Parameters.yamlName(components[i]);
      values[i] = component(components[i], given.get(name), Parameters.join(path, name));
    }
    return construct(record, components, values);
  }

  /**
   * @param node null when not given
   */
  private Object component(RecordComponent component, Node node, String path) {
    if (!Parameters.isDeclared(component)) {
      return explicit;
    }
    if (Parameters.isSection(component)) {
      return section(component, node, path);
    }
    Declaration declared = Parameters.find(path).orElseThrow();
    if (node == null) {
      Node byDefault = YamlSource.parse(declared.defaultText(), "default", path);
      return ValueBinder.bind(declared, byDefault);
    }
    explicit.add(path);
    return ValueBinder.bind(declared, node);
  }

  private Object section(RecordComponent component, Node node, String path) {
    boolean absent = node == null || YamlSource.isNull(node);
    if (node != null
        && (absent || !(node instanceof MappingNode map) || map.getValue().isEmpty())) {
      explicit.add(path);
    }
    if (absent && component.isAnnotationPresent(Parameter.class)) {
      return null; // a section that is off unless it is given
    }
    return bind(component.getType(), absent ? YamlSource.emptyMapping() : node, path);
  }

  private static Map<String, Node> entries(Class<?> record, Node node, String path) {
    if (!(node instanceof MappingNode mapping)) {
      throw new BadInputException(
          YamlSource.where(node)
              + path
              + " is "
              + ValueBinder.shown(node)
              + ", but must be a map of its parameters, one in a line");
    }
    Map<String, Node> entries = new LinkedHashMap<>();
    for (NodeTuple entry : mapping.getValue()) {
      String name = YamlSource.key(entry);
      boolean known =
          Arrays.stream(record.getRecordComponents())
              .anyMatch(c -> Parameters.isDeclared(c) && Parameters.yamlName(c).equals(name));
      if (!known) {
        String unknown = Parameters.join(path, name);
        throw new BadInputException(
            YamlSource.where(entry.getKeyNode())
                + "unknown parameter "
                + unknown
                + "; "
                + Parameters.suggestion(unknown));
      }
      entries.put(name, entry.getValueNode());
    }
    return entries;
  }

  private static <R> R construct(Class<R> record, RecordComponent[] components, Object[] values) {
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    try {
      Constructor<R> constructor = record.getDeclaredConstructor(types);
      return constructor.newInstance(values);
    } catch (NoSuchMethodException
        | InstantiationException
        | IllegalAccessException
        | InvocationTargetException e) {
      throw new IllegalStateException("cannot make " + record.getName(), e);
    }
  }
}
