package org.safesynth.config;

import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.safesynth.fault.BadInputException;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.common.FlowStyle;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.schema.CoreSchema;

/**
 * Reads YAML (and JSON, which is part of it) into nodes that know their line.
 *
 * <p>Nodes, not objects: a column named {@code 007} or {@code no} stays the text that was written,
 * and every mistake can be shown in its place.
 */
final class YamlSource {
  /** Deeper nesting is a mistake, such as an alias that contains itself. */
  private static final int MAX_DEPTH = 32;

  private static final int MAX_ALIASES = 10;

  private static final Set<Tag> TAGS =
      Set.of(Tag.NULL, Tag.BOOL, Tag.INT, Tag.FLOAT, Tag.STR, Tag.SEQ, Tag.MAP);

  private static final Pattern INDENTATION = Pattern.compile("(?m)^[ \t]+");

  private YamlSource() {}

  /** The one document of a file: a mapping, empty if the file is. */
  static MappingNode document(String text, String sourceName) {
    Node root = parse(text, sourceName, "");
    if (isNull(root)) {
      return emptyMapping();
    }
    if (root instanceof MappingNode mapping) {
      return mapping;
    }
    throw new BadInputException(
        where(root) + "the configuration must be a map of sections such as data: and training:");
  }

  /**
   * Any one value.
   *
   * @param path what the text is the value of; empty for a file, whose errors name line and column
   */
  static Node parse(String text, String sourceName, String path) {
    LoadSettings settings =
        LoadSettings.builder()
            .setLabel(sourceName)
            .setSchema(new CoreSchema())
            .setMaxAliasesForCollections(MAX_ALIASES)
            .build();
    String yaml = withoutTabs(text.startsWith("\ufeff") ? text.substring(1) : text);
    try {
      Iterator<Node> documents = new Compose(settings).composeAllFromString(yaml).iterator();
      Node root = documents.hasNext() ? documents.next() : nullNode();
      if (documents.hasNext()) {
        throw new BadInputException(
            where(documents.next()) + "a second document begins here; keep one in a file");
      }
      check(root, path, 0);
      return root;
    } catch (MarkedYamlEngineException e) {
      throw new BadInputException(
          (path.isEmpty() ? linePlace(sourceName, e) : sourceName + ": " + path + ": ")
              + "this is not YAML: "
              + oneLine(e.getProblem())
              + "; look for a missing quote, colon, bracket or indentation there",
          e);
    } catch (YamlEngineException e) {
      throw new BadInputException(sourceName + ": this is not YAML: " + oneLine(e.getMessage()), e);
    }
  }

  /** Where a node stands, as the beginning of a sentence. */
  static String where(Node node) {
    return node.getStartMark().map(mark -> mark.getName() + lineOf(mark) + ": ").orElse("");
  }

  static boolean isNull(Node node) {
    return node.getTag().equals(Tag.NULL);
  }

  static Node nullNode() {
    return new ScalarNode(Tag.NULL, "null", ScalarStyle.PLAIN);
  }

  static MappingNode emptyMapping() {
    return new MappingNode(Tag.MAP, List.of(), FlowStyle.BLOCK);
  }

  /** A text that stands for itself, whatever YAML would read in it. */
  static Node text(String value, String sourceName) {
    return new ScalarNode(
        Tag.STR, true, value, ScalarStyle.DOUBLE_QUOTED, noLine(sourceName), Optional.empty());
  }

  /** A list that was not written as YAML. */
  static Node list(List<Node> items, String sourceName) {
    return new SequenceNode(
        Tag.SEQ, true, items, FlowStyle.FLOW, noLine(sourceName), Optional.empty());
  }

  /** The key of an entry. */
  static String key(NodeTuple entry) {
    return ((ScalarNode) entry.getKeyNode()).getValue();
  }

  /** JSON may be indented by tabs, which YAML forbids even where indentation has no meaning. */
  private static String withoutTabs(String text) {
    if (!text.stripLeading().startsWith("{")) {
      return text;
    }
    return INDENTATION.matcher(text).replaceAll(tabs -> " ".repeat(tabs.group().length()));
  }

  private static Optional<Mark> noLine(String sourceName) {
    return Optional.of(new Mark(sourceName, 0, -1, 0, new int[0], 0));
  }

  /** Overrides are one line each: only files have line numbers worth naming. */
  private static String lineOf(Mark mark) {
    boolean inFile =
        mark.getLine() >= 0
            && !mark.getName().equals(Overrides.COMMAND_LINE)
            && !mark.getName().equals(Overrides.BUILDER);
    return inFile ? ", line " + (mark.getLine() + 1) : "";
  }

  private static String firstPlace(Mark mark) {
    String line = lineOf(mark);
    return line.isEmpty() ? "" : " (first in" + line.substring(1) + ")";
  }

  private static String linePlace(String sourceName, MarkedYamlEngineException e) {
    return e.getProblemMark()
        .map(
            mark ->
                String.format(
                    "%s, line %d, column %d: ",
                    sourceName, mark.getLine() + 1, mark.getColumn() + 1))
        .orElse(sourceName + ": ");
  }

  private static String oneLine(String text) {
    return String.valueOf(text).strip().replaceAll("\\s*\\R\\s*", " ");
  }

  private static void check(Node node, String path, int depth) {
    if (depth > MAX_DEPTH) {
      throw new BadInputException(
          where(node) + path + " is nested deeper than " + MAX_DEPTH + " levels; flatten it");
    }
    if (!TAGS.contains(node.getTag())) {
      throw new BadInputException(
          where(node)
              + (path.isEmpty() ? "the configuration" : path)
              + " has the tag "
              + node.getTag().getValue()
              + ", but only plain values are read; remove the tag");
    }
    if (node instanceof SequenceNode items) {
      for (int i = 0; i < items.getValue().size(); i++) {
        check(items.getValue().get(i), path + "[" + i + "]", depth + 1);
      }
    } else if (node instanceof MappingNode mapping) {
      checkEntries(mapping, path, depth);
    }
  }

  private static void checkEntries(MappingNode mapping, String path, int depth) {
    Map<String, Node> seen = new HashMap<>();
    for (NodeTuple entry : mapping.getValue()) {
      if (!(entry.getKeyNode() instanceof ScalarNode)) {
        throw new BadInputException(
            where(entry.getKeyNode())
                + (path.isEmpty() ? "the configuration" : path)
                + " has a key that is a list or a map; keys must be plain names");
      }
      String entryPath = Parameters.join(path, key(entry));
      Node first = seen.putIfAbsent(key(entry), entry.getKeyNode());
      if (first != null) {
        throw new BadInputException(
            where(entry.getKeyNode())
                + entryPath
                + " is given twice"
                + first.getStartMark().map(YamlSource::firstPlace).orElse("")
                + "; keep one of them");
      }
      check(entry.getValueNode(), entryPath, depth + 1);
    }
  }
}
