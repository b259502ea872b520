package org.safesynth.config;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.safesynth.fault.BadInputException;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/** Reads a configuration: the command line goes before YAML, YAML before the defaults. */
public final class ConfigReader {
  /** Key under which a saved configuration lists what its user had set. */
  static final String EXPLICIT = "explicit";

  private ConfigReader() {}

  /** The configuration of a run without a file. */
  public static SafeSynthesizerConfig defaults() {
    return read("", "defaults", Map.of());
  }

  /**
   * Reads YAML or JSON text.
   *
   * @param sourceName names the text in errors: a file's name
   * @param overrides texts of the command line by path, {@code section.field} or {@code
   *     section__field}
   * @throws org.safesynth.fault.BadInputException on the first mistake
   */
  public static SafeSynthesizerConfig read(
      String yaml, String sourceName, Map<String, String> overrides) {
    Overrides commandLine = new Overrides(overrides, Overrides.COMMAND_LINE);
    return read(yaml, sourceName, commandLine, Set.of());
  }

  /**
   * @param resolved paths among the overrides that the job set, not the user
   */
  static SafeSynthesizerConfig read(
      String yaml, String sourceName, Overrides overrides, Set<String> resolved) {
    MappingNode file = YamlSource.document(yaml, sourceName);
    RecordBinder binder = new RecordBinder();
    SafeSynthesizerConfig config =
        binder.bind(SafeSynthesizerConfig.class, overrides.over(withoutExplicit(file)), "");
    Set<String> given = binder.explicit();
    given.removeAll(resolved);
    Set<String> saved = savedExplicit(file);
    if (saved != null) {
      given.removeIf(path -> !overrides.give(path));
      given.addAll(saved);
    }
    SafeSynthesizerConfig complete = config.withExplicit(given);
    CrossRules.check(complete);
    return complete;
  }

  private static MappingNode withoutExplicit(MappingNode file) {
    List<NodeTuple> entries = new ArrayList<>(file.getValue());
    entries.removeIf(entry -> YamlSource.key(entry).equals(EXPLICIT));
    return new MappingNode(
        Tag.MAP, true, entries, FlowStyle.BLOCK, file.getStartMark(), file.getEndMark());
  }

  /** What the user of a saved configuration had set, or null if the file is not a saved one. */
  private static Set<String> savedExplicit(MappingNode file) {
    for (NodeTuple entry : file.getValue()) {
      if (!YamlSource.key(entry).equals(EXPLICIT)) {
        continue;
      }
      Set<String> paths = new LinkedHashSet<>();
      if (!(entry.getValueNode() instanceof SequenceNode items)) {
        throw notPaths(entry.getValueNode());
      }
      for (Node item : items.getValue()) {
        if (!(item instanceof ScalarNode scalar) || !isKnown(scalar.getValue())) {
          throw notPaths(item);
        }
        paths.add(scalar.getValue());
      }
      return paths;
    }
    return null;
  }

  private static boolean isKnown(String path) {
    return Parameters.find(path).isPresent() || Parameters.sections().containsKey(path);
  }

  private static BadInputException notPaths(Node node) {
    return new BadInputException(
        YamlSource.where(node)
            + EXPLICIT
            + " has "
            + ValueBinder.shown(node)
            + ", but must be the list of parameters that a run writes; remove it from a file of"
            + " your own");
  }
}
