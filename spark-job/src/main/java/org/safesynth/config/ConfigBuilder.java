package org.safesynth.config;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * Makes a configuration in code, checked like a file: {@code new
 * ConfigBuilder().set("training.lora_r", 16).build()}.
 */
public final class ConfigBuilder {
  private final String base;
  private final Map<String, String> values = new LinkedHashMap<>();
  private final Set<String> resolved = new LinkedHashSet<>();

  /** Begins with the defaults. */
  public ConfigBuilder() {
    this("");
  }

  private ConfigBuilder(String base) {
    this.base = base;
  }

  /** Begins with the parameters of another configuration. */
  public static ConfigBuilder from(SafeSynthesizerConfig config) {
    return new ConfigBuilder(ConfigWriter.toYaml(config));
  }

  /**
   * Sets what the user asks for.
   *
   * @param path YAML path, {@code section.field}
   * @param value null, a boolean, number, text, enum, list or map; a map for a whole section
   */
  public ConfigBuilder set(String path, Object value) {
    String canonical = Parameters.canonicalPath(path);
    values.put(canonical, YamlText.flow(ConfigTree.plain(value)));
    resolved.remove(canonical);
    return this;
  }

  /** Sets what the job chose for {@code auto} or null: it does not become the user's wish. */
  public ConfigBuilder resolve(String path, Object value) {
    set(path, value);
    resolved.add(Parameters.canonicalPath(path));
    return this;
  }

  /**
   * The checked configuration.
   *
   * @throws org.safesynth.fault.BadInputException on the first mistake
   */
  public SafeSynthesizerConfig build() {
    Overrides set = new Overrides(values, Overrides.BUILDER);
    return ConfigReader.read(base, Overrides.BUILDER, set, resolved);
  }
}
