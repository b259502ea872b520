package org.safesynth.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.safesynth.fault.BadInputException;

/**
 * The shape of a pretrained decoder, from the {@code config.json} of its Hugging Face folder, in
 * the spelling of transformers 4 or 5.
 *
 * @param modelType {@code llama}, {@code smollm3} or {@code mistral}
 * @param slidingWindow positions that a token sees at most, itself included; 0 sees all
 * @param hasRope whether each layer rotates queries and keys by their positions
 * @param isTied whether the embedding is also the head
 * @param attentionBias whether the projections of attention have biases
 * @param mlpBias whether those of the feed-forward part have
 * @param eosIds tokens that end a sequence
 */
public record HfConfig(
    String modelType,
    int vocabularySize,
    int hiddenSize,
    int intermediateSize,
    int numLayers,
    int numHeads,
    int numKvHeads,
    int headDim,
    float rmsNormEps,
    int maxPositions,
    int slidingWindow,
    List<Boolean> hasRope,
    RotaryScaling rope,
    boolean isTied,
    boolean attentionBias,
    boolean mlpBias,
    List<Integer> eosIds) {
  private static final Set<String> KNOWN = Set.of("llama", "smollm3", "mistral");

  /** Reads the configuration of a model folder. */
  public static HfConfig read(Path folder) {
    Path file = folder.resolve("config.json");
    JsonNode json;
    try {
      json = new ObjectMapper().readTree(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new BadInputException(
          "%s cannot be read as JSON: %s"
              .formatted(file, String.valueOf(e.getMessage()).lines().findFirst().orElse("")),
          e);
    }
    String type = json.path("model_type").asText();
    if (!KNOWN.contains(type)) {
      throw new BadInputException(
          "%s: models of type '%s' are not supported, only llama, smollm3 and mistral"
              .formatted(file, type));
    }
    if (!json.path("hidden_act").asText("silu").equals("silu")) {
      throw new BadInputException(
          "%s: hidden_act '%s' is not supported, only silu"
              .formatted(file, json.path("hidden_act").asText()));
    }
    if (json.hasNonNull("quantization_config")) {
      throw new BadInputException(
          "%s: the weights are quantized; name the folder of the unquantized model"
              .formatted(file));
    }
    int layers = positive(json, "num_hidden_layers", file);
    int heads = positive(json, "num_attention_heads", file);
    int hidden = positive(json, "hidden_size", file);
    boolean slides =
        json.path("sliding_window").isNumber()
            && (type.equals("mistral") || json.path("use_sliding_window").asBoolean());
    if (slides && !type.equals("mistral")) {
      throw new BadInputException(
          "%s: a sliding window in some layers of a %s model is not supported, only in all layers"
                  .formatted(file, type)
              + " of mistral; name another model");
    }
    int kvHeads = json.path("num_key_value_heads").asInt(heads);
    int headDim = json.path("head_dim").asInt(hidden / heads);
    if (kvHeads < 1 || heads % kvHeads != 0 || headDim < 2 || headDim % 2 != 0) {
      throw new BadInputException(
          "%s: %d heads of width %d cannot share %d key and value heads; restore the file"
              .formatted(file, heads, headDim, kvHeads));
    }
    return new HfConfig(
        type,
        positive(json, "vocab_size", file),
        hidden,
        positive(json, "intermediate_size", file),
        layers,
        heads,
        kvHeads,
        headDim,
        (float) json.path("rms_norm_eps").asDouble(1e-6),
        json.path("max_position_embeddings").asInt(2048),
        slides ? json.path("sliding_window").asInt() : 0,
        ropeLayers(type, json, layers),
        RotaryScaling.read(json, file),
        json.path("tie_word_embeddings").asBoolean(type.equals("smollm3")),
        json.path("attention_bias").asBoolean(),
        json.path("mlp_bias").asBoolean(),
        eos(folder, json));
  }

  /** The same model with its context stretched. */
  public HfConfig stretched(int by) {
    return new HfConfig(
        modelType,
        vocabularySize,
        hiddenSize,
        intermediateSize,
        numLayers,
        numHeads,
        numKvHeads,
        headDim,
        rmsNormEps,
        maxPositions * by,
        slidingWindow,
        hasRope,
        rope.stretched(by),
        isTied,
        attentionBias,
        mlpBias,
        eosIds);
  }

  private static int positive(JsonNode json, String name, Path file) {
    int value = json.path(name).asInt();
    if (value <= 0) {
      throw new BadInputException("%s has no %s; restore the file".formatted(file, name));
    }
    return value;
  }

  /** SmolLM3 writes 1 for a layer with rotary positions; unwritten, every fourth has none. */
  private static List<Boolean> ropeLayers(String type, JsonNode json, int layers) {
    JsonNode listed = json.path("no_rope_layers");
    int interval = type.equals("smollm3") ? json.path("no_rope_layer_interval").asInt(4) : 0;
    List<Boolean> hasRope = new ArrayList<>();
    for (int i = 0; i < layers; i++) {
      boolean byInterval = interval < 1 || (i + 1) % interval != 0;
      hasRope.add(listed.isArray() ? listed.path(i).asInt(1) == 1 : byInterval);
    }
    return List.copyOf(hasRope);
  }

  /**
   * Of {@code generation_config.json}, which goes before, or {@code config.json}: one or several.
   */
  private static List<Integer> eos(Path folder, JsonNode config) {
    JsonNode eos = config.path("eos_token_id");
    Path generation = folder.resolve("generation_config.json");
    try {
      if (Files.isRegularFile(generation)) {
        JsonNode own =
            new ObjectMapper().readTree(Files.readAllBytes(generation)).path("eos_token_id");
        eos = own.isMissingNode() || own.isNull() ? eos : own;
      }
    } catch (IOException e) {
      throw new BadInputException(generation + " is not JSON; restore the file", e);
    }
    List<Integer> ids = new ArrayList<>();
    if (eos.isArray()) {
      eos.forEach(id -> ids.add(id.asInt()));
    } else if (eos.isNumber()) {
      ids.add(eos.asInt());
    }
    return List.copyOf(ids);
  }
}
