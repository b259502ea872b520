package org.safesynth.generate;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.codec.RecordGrammar;
import org.safesynth.model.FieldDecoderConfig;

/** A grammar as tensors: what it takes from the logits of each position. */
final class PositionRules {
  private final List<Integer> sizes; // (positions)
  private final List<Tensor> forbidden = new ArrayList<>(); // a position: (V), -inf or 0; or null
  private final List<Tensor> limits = new ArrayList<>(); // a position: (V before) or null

  /** The tensors live in the caller's scope. */
  PositionRules(FieldDecoderConfig config, RecordGrammar grammar) {
    this.sizes = config.vocabularySizes();
    for (int t = 0; t < sizes.size(); t++) {
      forbidden.add(forbidden(grammar, t, sizes.get(t)));
      int[] of = grammar.limits(t);
      limits.add(of == null ? null : torch.tensor(of));
    }
  }

  private static Tensor forbidden(RecordGrammar grammar, int position, int size) {
    float[] mask = new float[size];
    boolean any = false;
    for (int token = 0; token < size; token++) {
      if (!grammar.isWritable(position, token)) {
        mask[token] = Float.NEGATIVE_INFINITY;
        any = true;
      }
    }
    return any ? torch.tensor(mask) : null;
  }

  /**
   * Logits where what is not allowed is minus infinity.
   *
   * @param logits (batch, V)
   * @param previous (batch) tokens of the position before
   */
  Tensor allowed(int position, Tensor logits, Tensor previous) {
    Tensor result = logits; // (batch, V)
    if (forbidden.get(position) != null) {
      result = result.add(forbidden.get(position));
    }
    if (limits.get(position) != null) {
      Tensor limit = limits.get(position).index_select(0, previous).unsqueeze(1); // (batch, 1)
      Tensor tokens = torch.arange(new Scalar(sizes.get(position))).unsqueeze(0); // (1, V)
      result = result.masked_fill(tokens.ge(limit), new Scalar(Float.NEGATIVE_INFINITY));
    }
    return result;
  }
}
