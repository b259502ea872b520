package org.safesynth.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.safesynth.fault.BadInputException;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** Values given on the command line or in code, laid over what a file says. */
final class Overrides {
  /** Name of the source in errors. */
  static final String COMMAND_LINE = "command line";

  /** Name of the source in errors of values set in code. */
  static final String BUILDER = "builder";

  private final String source;
  private final Map<String, Node> nodes = new LinkedHashMap<>();

  /**
   * @param texts by path, {@code section.field} or {@code section__field}; a value is a YAML
   *     scalar, list or map, text for a text parameter, or {@code a,b} for a list
   */
  Overrides(Map<String, String> texts, String source) {
    this.source = source;
    // A whole section first, so that "no privacy" is seen before a parameter of privacy.
    List<String> names = new ArrayList<>(texts.keySet());
    names.sort(
        Comparator.comparingInt(name -> Parameters.names(Parameters.canonicalPath(name)).size()));
    for (String name : names) {
      String path = Parameters.canonicalPath(name);
      Node node = read(path, texts.get(name));
      if (nodes.putIfAbsent(path, node) != null) {
        throw new BadInputException(source + ": " + path + " is given twice; keep one");
      }
      rejectBelowSwitchedOff(path);
    }
  }

  /** Whether a parameter was given here, by itself or with its section. */
  boolean give(String path) {
    return nodes.keySet().stream()
        .anyMatch(given -> path.equals(given) || path.startsWith(given + "."));
  }

  /** The file's nodes with the overrides in their places. */
  MappingNode over(MappingNode file) {
    MappingNode result = file;
    for (Map.Entry<String, Node> entry : nodes.entrySet()) {
      result = with(result, Parameters.names(entry.getKey()), entry.getValue());
    }
    return result;
  }

  /** A copy, because an alias may make one node stand in several places. */
  private static MappingNode with(MappingNode mapping, List<String> path, Node value) {
    String name = path.get(0);
    List<NodeTuple> entries = new ArrayList<>(mapping.getValue());
    int index = 0;
    while (index < entries.size() && !YamlSource.key(entries.get(index)).equals(name)) {
      index++;
    }
    Node present = index < entries.size() ? entries.get(index).getValueNode() : null;
    Node replaced = value;
    if (path.size() > 1) {
      MappingNode inside =
          present instanceof MappingNode section ? section : YamlSource.emptyMapping();
      replaced = with(inside, path.subList(1, path.size()), value);
    }
    NodeTuple entry = new NodeTuple(new ScalarNode(Tag.STR, name, ScalarStyle.PLAIN), replaced);
    if (index < entries.size()) {
      entries.set(index, entry);
    } else {
      entries.add(entry);
    }
    return new MappingNode(
        Tag.MAP, true, entries, FlowStyle.BLOCK, mapping.getStartMark(), mapping.getEndMark());
  }

  private void rejectBelowSwitchedOff(String path) {
    for (int dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
      Node section = nodes.get(path.substring(0, dot));
      if (section != null && YamlSource.isNull(section)) {
        throw new BadInputException(
            String.format(
                "%s: %s is switched off, but %s is set; keep one of them",
                source, path.substring(0, dot), path));
      }
    }
  }

  private Node read(String path, String text) {
    Declaration declared = Parameters.find(path).orElse(null);
    if (declared == null) {
      if (!Parameters.sections().containsKey(path)) {
        throw new BadInputException(
            source + ": unknown parameter " + path + "; " + Parameters.suggestion(path));
      }
      return YamlSource.parse(text, source, path);
    }
    String trimmed = text.strip();
    if (declared.isText()) {
      return isNullOrQuoted(trimmed)
          ? YamlSource.parse(trimmed, source, path)
          : YamlSource.text(text, source);
    }
    if (declared.isList() && !trimmed.startsWith("[") && !trimmed.equals("null")) {
      return commaList(trimmed);
    }
    return YamlSource.parse(text, source, path);
  }

  private static boolean isNullOrQuoted(String text) {
    boolean doubleQuoted = text.length() > 1 && text.startsWith("\"") && text.endsWith("\"");
    boolean singleQuoted = text.length() > 1 && text.startsWith("'") && text.endsWith("'");
    return text.isEmpty()
        || text.equals("null")
        || text.equals("~")
        || doubleQuoted
        || singleQuoted;
  }

  private Node commaList(String text) {
    List<Node> items = new ArrayList<>();
    if (!text.isEmpty()) {
      for (String item : text.split(",", -1)) {
        items.add(YamlSource.text(item.strip(), source));
      }
    }
    return YamlSource.list(items, source);
  }
}
