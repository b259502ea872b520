package org.safesynth.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.safesynth.fault.BadInputException;

/** A LoRA adapter in PEFT's layout, made here or elsewhere: what it adds to each projection. */
public record PeftAdapter(HfWeights weights, LoraConfig config, Path folder) {
  static final String PREFIX = "base_model.model.";
  private static final String CONFIG = "adapter_config.json";
  private static final String WEIGHTS = "adapter_model.safetensors";
  static final String DOWN = ".lora_A.weight";
  static final String UP = ".lora_B.weight";

  /** Reads {@code adapter_config.json}; the weights stay on disk. */
  public static PeftAdapter read(Path folder) {
    Path file = folder.resolve(CONFIG);
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
    HfWeights weights = HfWeights.ofFile(folder.resolve(WEIGHTS));
    Set<String> targets = new TreeSet<>();
    for (String name : weights.names()) {
      String projection = name.replaceFirst("\\.lora_[AB]\\.weight$", "");
      targets.add(projection.substring(projection.lastIndexOf('.') + 1));
    }
    if (rank < 1 || targets.isEmpty() || !LoraConfig.PROJECTIONS.containsAll(targets)) {
      throw new BadInputException(
          "the adapter %s has rank %d and adapts %s; only the projections %s are supported"
              .formatted(folder, rank, targets, LoraConfig.PROJECTIONS));
    }
    LoraConfig config = new LoraConfig(rank, alpha, json.path("use_rslora").asBoolean(), targets);
    return new PeftAdapter(weights, config, folder);
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
    Pair pair = pair(projection, weight.size(0), weight.size(1));
    weight.add_(pair.up().matmul(pair.down()).mul(new Scalar(config.scaling())));
  }

  /**
   * What the adapter has for a projection.
   *
   * @param down (rank, in)
   * @param up (out, rank), without the scaling
   */
  record Pair(Tensor down, Tensor up) {}

  /** What the adapter has for a projection (out, in). */
  Pair pair(String projection, long out, long in) {
    String name = PREFIX + projection;
    long[] a = weights.shape(name + ".lora_A.weight");
    long[] b = weights.has(name + ".lora_B.weight") ? weights.shape(name + ".lora_B.weight") : a;
    if (a[0] != config.rank() || b[1] != config.rank() || a[1] != in || b[0] != out) {
      throw new BadInputException(
          "the adapter %s does not fit the model: %s is %d × %d with rank %d, the projection %d × %d with rank %d"
              .formatted(folder, projection, b[0], a[1], a[0], out, in, config.rank()));
    }
    return new Pair(weights.floats(name + DOWN), weights.floats(name + UP));
  }

  /** The matrices in the order of {@link LoraConfig#layout}, to train on from them (P). */
  public float[] flat(HfConfig model) {
    ParameterLayout layout = config.layout(model);
    float[] flat = new float[Math.toIntExact(layout.size())];
    for (ParameterLayout.Entry entry : layout.entries()) {
      long[] shape = entry.shape().stream().mapToLong(Long::longValue).toArray();
      if (!weights.has(entry.name())
          || !java.util.Arrays.equals(shape, weights.shape(entry.name()))) {
        throw new BadInputException(
            "the adapter %s does not fit the model: it has no %s of %s"
                .formatted(folder, entry.name(), entry.shape()));
      }
      try (PointerScope scope = new PointerScope()) {
        weights
            .floats(entry.name(), shape)
            .contiguous()
            .data_ptr_float()
            .get(flat, (int) entry.offset(), (int) entry.size());
      }
    }
    return flat;
  }

  /**
   * The files of an adapter's folder, as PEFT reads them.
   *
   * @param flat (P)
   * @param base id or folder of the model it was trained on
   */
  public static Map<String, byte[]> files(
      LoraConfig lora, ParameterLayout layout, float[] flat, String base) {
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.put("peft_type", "LORA");
    json.put("task_type", "CAUSAL_LM");
    json.put("base_model_name_or_path", base);
    json.put("r", lora.rank());
    if (lora.alpha() == Math.rint(lora.alpha())) {
      json.put("lora_alpha", (long) lora.alpha()); // PEFT's type
    } else {
      json.put("lora_alpha", lora.alpha());
    }
    json.put("use_rslora", lora.isRankStabilised());
    json.put("lora_dropout", 0.0);
    json.put("bias", "none");
    json.put("fan_in_fan_out", false);
    json.put("inference_mode", true);
    LoraConfig.PROJECTIONS.stream()
        .filter(lora.targets()::contains)
        .forEach(json.putArray("target_modules")::add);
    String text = json.toPrettyString() + "\n";
    return Map.of(
        CONFIG,
        text.getBytes(StandardCharsets.UTF_8),
        WEIGHTS,
        SafetensorsFile.write(layout, flat));
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
