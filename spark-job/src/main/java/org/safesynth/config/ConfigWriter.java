package org.safesynth.config;

/**
 * Writes a configuration that {@link ConfigReader} reads back as an equal one: every parameter, and
 * which of them the user had set.
 */
public final class ConfigWriter {
  private ConfigWriter() {}

  public static String toYaml(SafeSynthesizerConfig config) {
    return YamlText.block(ConfigTree.of(config));
  }

  public static String toJson(SafeSynthesizerConfig config) {
    return YamlText.json(ConfigTree.of(config), "") + "\n";
  }
}
