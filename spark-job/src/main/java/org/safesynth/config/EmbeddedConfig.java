package org.safesynth.config;

import java.io.Serializable;

/** The small model that is trained from scratch; auto follows a measured recipe. */
@Section("The small model that is trained from scratch; auto follows a measured recipe")
public record EmbeddedConfig(
    @Parameter(meaning = "Width of the model", byDefault = "auto", min = 8)
        Auto<Integer> hiddenSize,
    @Parameter(meaning = "Number of transformer blocks", byDefault = "auto", min = 1)
        Auto<Integer> numLayers,
    @Parameter(
            meaning = "Minutes that training may take",
            byDefault = "auto",
            min = 0,
            aboveMin = true,
            note = "auto is 10")
        Auto<Double> maxMinutes,
    @Parameter(meaning = "Rows in one step", byDefault = "auto", min = 1) Auto<Integer> batchSize,
    @Parameter(
            meaning = "Highest learning rate",
            byDefault = "auto",
            min = 0,
            aboveMin = true,
            max = 1,
            belowMax = true)
        Auto<Double> learningRate,
    @Parameter(
            meaning =
                "Share of the training rows kept for the validation loss, which stops training",
            byDefault = "0.05",
            min = 0,
            max = 1,
            belowMax = true)
        double validationRatio,
    @Parameter(
            meaning = "Learn columns in random orders too: rows are then completed in one pass",
            byDefault = "false")
        boolean randomOrders)
    implements Serializable {

  /** A larger table or a patient user asks for more; most tables are done long before. */
  private static final double AUTO_MAX_MINUTES = 10;

  /** {@code max_minutes}, with {@code auto} resolved. */
  public double resolveMaxMinutes() {
    return maxMinutes.orElse(AUTO_MAX_MINUTES);
  }
}
