package org.safesynth.evaluate;

import java.util.List;

/**
 * Turns texts into vectors of length 1, so that their cosine says how near two texts are in
 * meaning.
 */
public interface TextEmbedder {
  /** What it is, for the report: {@code TF-IDF with 50 singular vectors}, or a model's name. */
  String description();

  /**
   * Embeds several lists of texts by one rule.
   *
   * @param real lists of real texts, from which a rule may be learned
   * @param others lists of texts that must not influence the rule
   * @return (lists)(texts, dimensions): the real lists, then the others
   */
  List<double[][]> embed(List<List<String>> real, List<List<String>> others);
}
