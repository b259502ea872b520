package org.safesynth.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import org.safesynth.fault.BadInputException;

/**
 * The frequencies by which rotary positions turn, and how they are scaled for longer contexts.
 *
 * @param theta base of the frequencies
 * @param type {@code default}, {@code linear} or {@code llama3}
 */
public record RotaryScaling(
    double theta,
    String type,
    double factor,
    double lowFrequencyFactor,
    double highFrequencyFactor,
    double originalPositions) {

  static RotaryScaling read(JsonNode config, Path file) {
    JsonNode five = config.path("rope_parameters");
    JsonNode scaling = five.isObject() ? five : config.path("rope_scaling");
    String type = scaling.path("rope_type").asText(scaling.path("type").asText("default"));
    if (!type.equals("default") && !type.equals("linear") && !type.equals("llama3")) {
      throw new BadInputException(
          "%s: rope scaling '%s' is not supported, only default, linear and llama3"
              .formatted(file, type));
    }
    double theta = five.path("rope_theta").asDouble(config.path("rope_theta").asDouble(10_000));
    return new RotaryScaling(
        theta,
        type,
        scaling.path("factor").asDouble(1),
        scaling.path("low_freq_factor").asDouble(1),
        scaling.path("high_freq_factor").asDouble(4),
        scaling.path("original_max_position_embeddings").asDouble(8192));
  }

  /** The same, stretched linearly by a factor of the run's own. */
  public RotaryScaling stretched(int by) {
    return by == 1
        ? this
        : new RotaryScaling(
            theta,
            type.equals("default") ? "linear" : type,
            factor * by,
            lowFrequencyFactor,
            highFrequencyFactor,
            originalPositions);
  }

  /** Angle a position of each pair of a head's values. */
  public float[] inverseFrequencies(int headDim) {
    float[] frequencies = new float[headDim / 2];
    for (int i = 0; i < frequencies.length; i++) {
      double plain = 1 / Math.pow(theta, 2.0 * i / headDim);
      frequencies[i] = (float) scaled(plain);
    }
    return frequencies;
  }

  private double scaled(double frequency) {
    if (type.equals("default")) {
      return frequency;
    }
    if (type.equals("linear")) {
      return frequency / factor;
    }
    // Llama 3: long waves are stretched, short ones are kept, those between are blended.
    double wavelength = 2 * Math.PI / frequency;
    if (wavelength > originalPositions / lowFrequencyFactor) {
      return frequency / factor;
    }
    if (wavelength < originalPositions / highFrequencyFactor) {
      return frequency;
    }
    double smooth =
        (originalPositions / wavelength - lowFrequencyFactor)
            / (highFrequencyFactor - lowFrequencyFactor);
    return (1 - smooth) * frequency / factor + smooth * frequency;
  }
}
