package org.safesynth.model;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/** A model folder of random weights that a test can train in seconds. */
public final class TinyLlama {
  private static final int LAYERS = 4;
  private static final int HIDDEN = 64;
  private static final int KEY_VALUE = 32;
  private static final int INTERMEDIATE = 176;
  private static final int VOCABULARY = 576;

  private TinyLlama() {}

  /** Writes the folder's files. */
  public static void write(Path folder) throws IOException {
    for (String file : List.of("config.json", "tokenizer.json", "tokenizer_config.json")) {
      try (InputStream in = TinyLlama.class.getResourceAsStream("/tiny-llama/" + file)) {
        Files.copy(in, folder.resolve(file));
      }
    }
    Files.write(folder.resolve("model.safetensors"), randomWeights());
  }

  private static byte[] randomWeights() {
    ParameterLayout layout = new ParameterLayout();
    layout.add("model.embed_tokens.weight", VOCABULARY, HIDDEN);
    for (int i = 0; i < LAYERS; i++) {
      String at = "model.layers." + i + ".";
      layout.add(at + "input_layernorm.weight", HIDDEN);
      layout.add(at + "post_attention_layernorm.weight", HIDDEN);
      layout.add(at + "self_attn.q_proj.weight", HIDDEN, HIDDEN);
      layout.add(at + "self_attn.k_proj.weight", KEY_VALUE, HIDDEN);
      layout.add(at + "self_attn.v_proj.weight", KEY_VALUE, HIDDEN);
      layout.add(at + "self_attn.o_proj.weight", HIDDEN, HIDDEN);
      layout.add(at + "mlp.gate_proj.weight", INTERMEDIATE, HIDDEN);
      layout.add(at + "mlp.up_proj.weight", INTERMEDIATE, HIDDEN);
      layout.add(at + "mlp.down_proj.weight", HIDDEN, INTERMEDIATE);
    }
    layout.add("model.norm.weight", HIDDEN);
    layout.add("lm_head.weight", VOCABULARY, HIDDEN);
    float[] weights = new float[Math.toIntExact(layout.size())];
    SplittableRandom random = new SplittableRandom(7);
    for (ParameterLayout.Entry entry : layout.entries()) {
      boolean isNorm = entry.shape().size() == 1;
      for (long i = entry.offset(); i < entry.offset() + entry.size(); i++) {
        weights[(int) i] = isNorm ? 1 : (float) (0.1 * (2 * random.nextDouble() - 1));
      }
    }
    return SafetensorsFile.write(layout, weights);
  }
}
