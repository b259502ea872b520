package org.safesynth.config;

import java.util.List;

/** Names the parameters that the user set and the embedded model does not use. */
public final class EmbeddedUse {
  private EmbeddedUse() {}

  /** One sentence with all of them, or none. */
  public static List<String> unused(SafeSynthesizerConfig config) {
    if (!config.isEmbedded()) {
      return List.of();
    }
    List<String> names =
        Parameters.all().stream()
            .filter(declared -> !declared.isUsedByEmbedded())
            .map(Declaration::path)
            .filter(config::isExplicit)
            .toList();
    return names.isEmpty()
        ? List.of()
        : List.of("not used by the embedded model: " + String.join(", ", names));
  }
}
