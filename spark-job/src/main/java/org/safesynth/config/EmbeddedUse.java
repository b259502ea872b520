package org.safesynth.config;

import java.util.List;

/**
 * Names the parameters that were made for pretrained models and do nothing for the embedded one.
 */
public final class EmbeddedUse {
  private EmbeddedUse() {}

  /** Paths that the user set himself and that the embedded model does not use; none for others. */
  public static List<String> unused(SafeSynthesizerConfig config) {
    if (!config.isEmbedded()) {
      return List.of();
    }
    return Parameters.all().stream()
        .filter(declared -> !declared.isUsedByEmbedded())
        .map(Declaration::path)
        .filter(config::isExplicit)
        .toList();
  }
}
