package org.safesynth.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.safesynth.fault.BadInputException;

/**
 * Reads {@code data.parent}: the table whose rows the table's own rows belong to.
 *
 * @param path as {@code --data-source} takes it
 * @param key column of the parent table, one value to a row
 * @param foreignKey column of the table that is learned, which holds a value of {@code key}
 * @param format Spark's name of the format; null for the ending's
 * @param options of the format
 * @param schemaFile what is declared of the parent's columns; null for nothing
 */
public record ParentTable(
    String path,
    String key,
    String foreignKey,
    String format,
    Map<String, String> options,
    String schemaFile) {
  private static final List<String> KEYS =
      List.of("path", "key", "foreign_key", "format", "options", "schema_file");

  /**
   * Checks what was given.
   *
   * @param groupColumn {@code data.group_training_examples_by}, which is the foreign key's other
   *     name; null where it is not given
   */
  static ParentTable read(Map<String, Object> given, String groupColumn) {
    for (String name : given.keySet()) {
      if (!KEYS.contains(name)) {
        throw new BadInputException(
            "unknown parameter data.parent.%s; %s"
                .formatted(name, NearestKey.suggestion(name, KEYS)));
      }
    }
    String key = required(given, "key");
    String foreignKey = text(given, "foreign_key");
    if (foreignKey != null && groupColumn != null && !foreignKey.equals(groupColumn)) {
      throw new BadInputException(
          "data.parent.foreign_key is '%s' and data.group_training_examples_by '%s', but the rows of a parent are its group; remove one of them"
              .formatted(foreignKey, groupColumn));
    }
    String group = groupColumn == null ? key : groupColumn;
    return new ParentTable(
        required(given, "path"),
        key,
        foreignKey == null ? group : foreignKey,
        text(given, "format"),
        options(given.get("options")),
        text(given, "schema_file"));
  }

  private static String required(Map<String, Object> given, String name) {
    String value = text(given, name);
    if (value == null || value.isBlank()) {
      throw new BadInputException(
          "data.parent has no %s; write {path: customers.csv, key: customer_id}".formatted(name));
    }
    return value;
  }

  private static String text(Map<String, Object> given, String name) {
    Object value = given.get(name);
    if (value instanceof Map || value instanceof List) {
      throw new BadInputException(
          "data.parent.%s is %s, but must be a text".formatted(name, YamlText.flow(value)));
    }
    return value == null ? null : String.valueOf(value);
  }

  private static Map<String, String> options(Object given) {
    if (given == null) {
      return Map.of();
    }
    if (!(given instanceof Map<?, ?> map)) {
      throw new BadInputException(
          "data.parent.options is %s, but must be a map, such as {sep: \";\"}"
              .formatted(YamlText.flow(given)));
    }
    Map<String, String> options = new LinkedHashMap<>();
    map.forEach((name, value) -> options.put(String.valueOf(name), String.valueOf(value)));
    return options;
  }
}
