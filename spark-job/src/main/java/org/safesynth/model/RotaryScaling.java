package org.safesynth.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.safesynth.fault.BadInputException;

/**
 * Rotary position embedding of a pretrained model: the angle by which each pair of a head's
 * dimensions turns from one position to the next, after the model's own scaling for long contexts.
 *
 * @param type how the angles are scaled
 * @param theta base of the geometric row of angles
 * @param factor by how much the context was stretched
 * @param lowFrequency llama3: below this number of turns in the original context, fully stretched
 * @param highFrequency llama3: above this number of turns, not stretched
 * @param originalPositions llama3 and yarn: context before stretching
 * @param attentionScaling by what cosine and sine are multiplied
 * @param betaFast yarn: above this number of turns, not stretched
 * @param betaSlow yarn: below this number of turns, fully stretched
 * @param truncate yarn: whether the borders between the two are whole dimensions
 */
public record RotaryScaling(
    Type type,
    double theta,
    double factor,
    double lowFrequency,
    double highFrequency,
    double originalPositions,
    double attentionScaling,
    double betaFast,
    double betaSlow,
    boolean truncate) {
  private static final double DEFAULT_THETA = 10_000;
  private static final double YARN_MSCALE = 0.1;
  private static final double YARN_BETA_FAST = 32;

  /** The scalings whose angles do not depend on the sequence's length. */
  public enum Type {
    DEFAULT,
    LINEAR,
    LLAMA3,
    YARN
  }

  /** Unscaled angles. */
  public static RotaryScaling unscaled(double theta) {
    return new RotaryScaling(Type.DEFAULT, theta, 1, 1, 1, 0, 1, YARN_BETA_FAST, 1, true);
  }

  /** The same, stretched linearly by a factor of the run's own. */
  public RotaryScaling stretched(int by) {
    if (by == 1) {
      return this;
    }
    if (type == Type.YARN) {
      throw new BadInputException(
          "the model stretches its own context by yarn, which the run cannot stretch further;"
              + " leave training.rope_scaling_factor at 1");
    }
    return new RotaryScaling(
        type == Type.DEFAULT ? Type.LINEAR : type,
        theta,
        factor * by,
        lowFrequency,
        highFrequency,
        originalPositions,
        attentionScaling,
        betaFast,
        betaSlow,
        truncate);
  }

  /**
   * Reads either spelling: rope_theta with rope_scaling (transformers 4) or rope_parameters (5).
   *
   * @param config the whole config.json
   * @param source its name, for the error
   */
  static RotaryScaling read(JsonNode config, Path source) {
    JsonNode five = config.path("rope_parameters");
    JsonNode scaling = five.isObject() ? five : config.path("rope_scaling");
    double defaultTheta = number(config, "rope_theta", DEFAULT_THETA);
    double theta = number(scaling, "rope_theta", defaultTheta);
    String name = scaling.path("rope_type").asText(scaling.path("type").asText("default"));
    double share =
        number(scaling, "partial_rotary_factor", number(config, "partial_rotary_factor", 1));
    if (share != 1) {
      throw unsupported(source, "partial_rotary_factor " + share);
    }
    Type type =
        Arrays.stream(Type.values())
            .filter(t -> t.name().toLowerCase(Locale.ROOT).equals(name))
            .findFirst()
            .orElseThrow(() -> unsupported(source, "rope scaling of type '" + name + "'"));
    if (type == Type.DEFAULT) {
      return unscaled(theta);
    }
    double positions = number(config, "max_position_embeddings", 0);
    double original = number(scaling, "original_max_position_embeddings", positions);
    double factor = number(scaling, "factor", type == Type.YARN ? positions / original : 0);
    if (!(factor > 0)) {
      throw unsupported(source, name + " rope scaling without a positive factor");
    }
    RotaryScaling rope =
        new RotaryScaling(
            type,
            theta,
            factor,
            number(scaling, "low_freq_factor", 1),
            number(scaling, "high_freq_factor", 4),
            original,
            type == Type.YARN ? yarnAttention(scaling, factor) : 1,
            number(scaling, "beta_fast", YARN_BETA_FAST),
            number(scaling, "beta_slow", 1),
            scaling.path("truncate").asBoolean(true));
    if (type != Type.LINEAR && !(original > 0)) {
      throw unsupported(source, name + " rope scaling without original_max_position_embeddings");
    }
    if (type == Type.LLAMA3 && !(rope.highFrequency > rope.lowFrequency)) {
      throw unsupported(source, "llama3 rope scaling with high_freq_factor <= low_freq_factor");
    }
    return rope;
  }

  private static double yarnAttention(JsonNode scaling, double factor) {
    double mscale = number(scaling, "mscale", 0);
    double all = number(scaling, "mscale_all_dim", 0);
    double derived =
        mscale != 0 && all != 0
            ? yarnScale(factor, mscale) / yarnScale(factor, all)
            : yarnScale(factor, 1);
    return number(scaling, "attention_factor", derived);
  }

  private static double yarnScale(double factor, double mscale) {
    return factor <= 1 ? 1 : YARN_MSCALE * mscale * Math.log(factor) + 1;
  }

  private static double number(JsonNode node, String field, double byDefault) {
    JsonNode value = node.path(field);
    return value.isNumber() ? value.asDouble() : byDefault;
  }

  private static BadInputException unsupported(Path source, String what) {
    return new BadInputException(
        source
            + ": "
            + what
            + " is not supported (default, linear, llama3 and yarn are); use another model");
  }

  /**
   * Radians a position for each pair of a head's dimensions.
   *
   * @param headDim width of a head
   * @return (headDim / 2) in float32, as the models' own code has them
   */
  public float[] inverseFrequencies(int headDim) {
    float[] frequencies = new float[headDim / 2];
    for (int i = 0; i < frequencies.length; i++) {
      double plain = Math.pow(theta, -2.0 * i / headDim);
      double scaled =
          switch (type) {
            case DEFAULT -> plain;
            case LINEAR -> plain / factor;
            case LLAMA3 -> llama3(plain);
            case YARN -> yarn(plain, i, headDim);
          };
      frequencies[i] = (float) scaled;
    }
    return frequencies;
  }

  private double llama3(double plain) {
    double turns = originalPositions * plain / (2 * Math.PI); // in the original context
    if (turns > highFrequency) {
      return plain;
    }
    if (turns < lowFrequency) {
      return plain / factor;
    }
    double kept = (turns - lowFrequency) / (highFrequency - lowFrequency);
    return (1 - kept) * plain / factor + kept * plain;
  }

  private double yarn(double plain, int pair, int headDim) {
    double low = Math.max(yarnBorder(betaFast, headDim, true), 0);
    double high = Math.min(yarnBorder(betaSlow, headDim, false), headDim - 1);
    double width = high == low ? 0.001 : high - low;
    double stretched = Math.min(1, Math.max(0, (pair - low) / width));
    return plain / factor * stretched + plain * (1 - stretched);
  }

  /** The pair of dimensions that turns this often in the original context. */
  private double yarnBorder(double turns, int headDim, boolean down) {
    double at =
        headDim * Math.log(originalPositions / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
    if (!truncate) {
      return at;
    }
    return down ? Math.floor(at) : Math.ceil(at);
  }
}
