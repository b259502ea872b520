package org.safesynth.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.safesynth.fault.BadInputException;

/**
 * A LoRA adapter in PEFT's layout, made here or elsewhere: what it adds to each projection.
 *
 * @param scaling alpha over rank, or over its root when {@code use_rslora} says so
 */
public record PeftAdapter(HfWeights weights, int rank, double scaling, Path folder) {
  private static final String PREFIX = "base_model.model.";

  /** Reads {@code adapter_config.json}; the weights stay on disk. */
  public static PeftAdapter read(Path folder) {
    Path file = folder.resolve("adapter_config.json");
    JsonNode json;
    try {
      json = new ObjectMapper().readTree(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new BadInputException(
          "the adapter %s has no adapter_config.json that can be read".formatted(folder), e);
    }
    if (!json.path("peft_type").asText("LORA").equals("LORA")
        || json.path("use_dora").asBoolean()
        || !json.path("bias").asText("none").equals("none")
        || json.path("rank_pattern").size() + json.path("alpha_pattern").size() > 0) {
      throw new BadInputException(
          "%s: only plain LoRA adapters of one rank and without biases are supported"
              .formatted(file));
    }
    int rank = json.path("r").asInt();
    double alpha = json.path("lora_alpha").asDouble();
    double scaling = json.path("use_rslora").asBoolean() ? alpha / Math.sqrt(rank) : alpha / rank;
    HfWeights weights = HfWeights.ofFile(folder.resolve("adapter_model.safetensors"));
    return new PeftAdapter(weights, rank, scaling, folder);
  }

  /** Whether the adapter adds to the weight of a projection, such as {@code ….q_proj}. */
  boolean adapts(String projection) {
    return weights.has(PREFIX + projection + ".lora_A.weight");
  }

  /**
   * Adds the adapter to a weight, in place.
   *
   * @param weight (out, in)
   */
  void addTo(String projection, Tensor weight) {
    String name = PREFIX + projection;
    long[] a = weights.shape(name + ".lora_A.weight");
    long[] b = weights.has(name + ".lora_B.weight") ? weights.shape(name + ".lora_B.weight") : a;
    if (a[0] != rank || b[1] != rank || a[1] != weight.size(1) || b[0] != weight.size(0)) {
      throw new BadInputException(
          "the adapter %s does not fit the model: %s is %d × %d with rank %d, the projection %d × %d with rank %d"
              .formatted(
                  folder, projection, b[0], a[1], a[0], weight.size(0), weight.size(1), rank));
    }
    Tensor down = weights.floats(name + ".lora_A.weight"); // (rank, in)
    Tensor up = weights.floats(name + ".lora_B.weight"); // (out, rank)
    weight.add_(up.matmul(down).mul(new Scalar(scaling)));
  }

  /** Refuses an adapter with tensors that no projection of the model has. */
  void requireUsed(List<String> projections) {
    List<String> strange = new ArrayList<>();
    for (String name : weights.names()) {
      String projection =
          name.replaceFirst("^" + PREFIX, "").replaceFirst("\\.lora_[AB]\\.weight$", "");
      if (!projections.contains(projection)) {
        strange.add(name);
      }
    }
    if (!strange.isEmpty()) {
      throw new BadInputException(
          "the adapter %s is for another model: it has %s".formatted(folder, strange.get(0)));
    }
  }
}
