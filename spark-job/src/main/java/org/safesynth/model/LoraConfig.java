package org.safesynth.model;

import java.io.Serializable;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What a low-rank adapter adds to: its rank, its scaling and the projections (Hu et al. 2021).
 *
 * @param alpha the scaling is alpha over the rank's root where it is rank-stabilised (Kalajdzievski
 *     2023), else alpha over the rank
 * @param targets names of {@link #PROJECTIONS}
 */
public record LoraConfig(int rank, double alpha, boolean isRankStabilised, Set<String> targets)
    implements Serializable {
  /** The projections of a block, attention's first, in the order of the forward pass. */
  public static final List<String> PROJECTIONS =
      List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");

  private static final int OF_ATTENTION = 4;

  public LoraConfig {
    if (rank < 1 || targets.isEmpty() || !PROJECTIONS.containsAll(targets)) {
      throw new IllegalArgumentException("rank " + rank + " and projections " + targets);
    }
    // In one order in every process: a checkpoint's fingerprint holds them.
    Set<String> ordered = new LinkedHashSet<>(PROJECTIONS);
    ordered.retainAll(targets);
    targets = Collections.unmodifiableSet(ordered);
  }

  /** What the product of the two matrices is multiplied by. */
  public double scaling() {
    return isRankStabilised ? alpha / Math.sqrt(rank) : alpha / rank;
  }

  /** Name of a projection in the model, such as {@code model.layers.0.self_attn.q_proj}. */
  static String projection(int layer, int projection) {
    String part = projection < OF_ATTENTION ? "self_attn." : "mlp.";
    return "model.layers." + layer + "." + part + PROJECTIONS.get(projection);
  }

  /** Rows and columns (out, in) of each projection. */
  static long[][] shapes(HfConfig config) {
    long d = config.hiddenSize();
    long q = (long) config.numHeads() * config.headDim();
    long kv = (long) config.numKvHeads() * config.headDim();
    long m = config.intermediateSize();
    return new long[][] {{q, d}, {kv, d}, {kv, d}, {d, q}, {m, d}, {m, d}, {d, m}};
  }

  /** Where the adapter's matrices lie in its flat vector, under the names that PEFT gives them. */
  public ParameterLayout layout(HfConfig config) {
    ParameterLayout layout = new ParameterLayout();
    long[][] shapes = shapes(config);
    for (int layer = 0; layer < config.numLayers(); layer++) {
      for (int p = 0; p < shapes.length; p++) {
        if (targets.contains(PROJECTIONS.get(p))) {
          String name = PeftAdapter.PREFIX + projection(layer, p);
          layout.add(name + PeftAdapter.DOWN, rank, shapes[p][1]);
          layout.add(name + PeftAdapter.UP, shapes[p][0], rank);
        }
      }
    }
    return layout;
  }
}
