package org.safesynth.config;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** All parameters as declared by the records, in their order. */
public final class Parameters {
  private static final Pattern CAPITAL = Pattern.compile("([A-Z])");
  private static final Map<String, Declaration> BY_PATH = new LinkedHashMap<>();
  private static final Map<String, String> SECTIONS = new LinkedHashMap<>();

  static {
    collect(SafeSynthesizerConfig.class, "");
  }

  private Parameters() {}

  /** Every parameter, section by section. */
  public static List<Declaration> all() {
    return List.copyOf(BY_PATH.values());
  }

  public static Optional<Declaration> find(String path) {
    return Optional.ofNullable(BY_PATH.get(path));
  }

  /** Meaning of every section by its path, nested ones included. */
  public static Map<String, String> sections() {
    return new LinkedHashMap<>(SECTIONS);
  }

  /** A path as it stands in YAML: {@code data__holdout} is {@code data.holdout}. */
  public static String canonicalPath(String path) {
    return path.replace("__", ".");
  }

  /** The part of a sentence that names what an unknown path may have meant. */
  static String suggestion(String unknown) {
    List<String> known = new ArrayList<>(BY_PATH.keySet());
    known.addAll(SECTIONS.keySet());
    return NearestKey.suggestion(unknown, known);
  }

  static String yamlName(RecordComponent component) {
    return CAPITAL.matcher(component.getName()).replaceAll("_$1").toLowerCase(Locale.ROOT);
  }

  /** The names along a path. */
  static List<String> names(String path) {
    return List.of(path.split("\\.", -1));
  }

  static String join(String parent, String name) {
    return parent.isEmpty() ? name : parent + "." + name;
  }

  /** Whether a component is a section or a parameter, rather than what the reader notes itself. */
  static boolean isDeclared(RecordComponent component) {
    return isSection(component) || component.isAnnotationPresent(Parameter.class);
  }

  static boolean isSection(RecordComponent component) {
    return component.getType().isRecord() && component.getType() != Auto.class;
  }

  private static void collect(Class<?> record, String parent) {
    for (RecordComponent component : record.getRecordComponents()) {
      String path = join(parent, yamlName(component));
      Parameter parameter = component.getAnnotation(Parameter.class);
      if (isSection(component)) {
        SECTIONS.put(path, component.getType().getAnnotation(Section.class).value());
        collect(component.getType(), path);
      } else if (parameter != null) {
        String section = path.substring(0, path.indexOf('.'));
        BY_PATH.put(path, new Declaration(path, section, component.getGenericType(), parameter));
      }
    }
  }
}
