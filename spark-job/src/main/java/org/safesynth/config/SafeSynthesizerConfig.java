package org.safesynth.config;

import java.io.Serializable;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * All parameters of a run, checked. Made by {@link ConfigReader} and {@link ConfigBuilder}.
 *
 * @param replacePii null when PII replacement is off, which is the default
 * @param explicit YAML paths that the user set himself, in YAML or on the command line; saved with
 *     the configuration, so that a continued run still knows them
 */
public record SafeSynthesizerConfig(
    DataConfig data,
    TrainingConfig training,
    EmbeddedConfig embedded,
    GenerationConfig generation,
    PrivacyConfig privacy,
    TimeSeriesConfig timeSeries,
    EvaluationConfig evaluation,
    @Parameter(
            meaning = "Replacement of personal data before training",
            byDefault = "null",
            note = "null switches it off; {} asks for the default steps")
        ReplacePii replacePii,
    ClusterConfig cluster,
    Set<String> explicit)
    implements Serializable {

  /** Whether the small model that needs no download is trained. */
  public boolean isEmbedded() {
    return training.isEmbedded();
  }

  /** The column that orders the rows of a group; null for the input's order. */
  public String orderColumn() {
    return timeSeries.isTimeseries() ? timeSeries.timeColumn() : data.orderTrainingExamplesBy();
  }

  /** Whether the table is one time series: no column tells several apart. */
  public boolean isSingleSeries() {
    return timeSeries.isTimeseries() && data.groupColumn() == null;
  }

  /** Whether the user set the parameter himself. */
  public boolean isExplicit(String path) {
    return explicit.contains(path);
  }

  /** {@code generation.temperature}, or the default of the model in use. */
  public double temperature() {
    return generation.resolveTemperature(isEmbedded());
  }

  /**
   * {@code generation.seed}, or {@code data.random_state}; null until the job has drawn the latter.
   */
  public Long generationSeed() {
    return generation.seed() == null ? data.randomState() : generation.seed();
  }

  /**
   * Whether rare values are kept out of the output. Never under differential privacy: there the
   * domain is declared or paid for instead.
   */
  public boolean protectsValues() {
    return data.valueProtection() && !privacy.dpEnabled();
  }

  /** The same parameters with another record of what was set by the user. */
  SafeSynthesizerConfig withExplicit(Set<String> paths) {
    return new SafeSynthesizerConfig(
        data,
        training,
        embedded,
        generation,
        privacy,
        timeSeries,
        evaluation,
        replacePii,
        cluster,
        Collections.unmodifiableSet(new LinkedHashSet<>(paths)));
  }
}
