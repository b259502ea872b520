package org.safesynth.model;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * What one forward pass leaves for per-record gradients: the input and output of every linear layer
 * and the sum of embeddings that enters the first block.
 *
 * <p>The gradient of a record's weight is a product of a layer's input and the gradient of its
 * output, so these and one backward pass give the norm of each record's gradient and any weighted
 * sum of them, without a gradient vector a record (Goodfellow 2015; Li et al. 2022; Bu et al.
 * 2022).
 */
public final class Trace {
  /**
   * A linear layer of a block: one weight, used at every position.
   *
   * @param parameter index of the weight in the layout
   * @param input (positions, batch, in)
   * @param output (positions, batch, out)
   */
  public record Projection(int parameter, Tensor input, Tensor output) {}

  /**
   * The head of one position: rows of the head's weight and bias that no other position uses.
   *
   * @param firstRow of the rows in the head's matrix
   * @param input (batch, d)
   * @param logits (batch, V)
   */
  public record Head(int firstRow, Tensor input, Tensor logits) {}

  private final List<Projection> projections = new ArrayList<>();
  private final List<Head> heads = new ArrayList<>();
  private Tensor entering; // (positions, batch, d)
  private Tensor loss; // scalar

  Trace() {}

  void add(Projection projection) {
    projections.add(projection);
  }

  void add(Head head) {
    heads.add(head);
  }

  /** Cuts the graph here: what lies before are embeddings, whose gradient is this tensor's own. */
  Tensor enters(Tensor embedded) {
    entering = embedded.detach();
    entering.requires_grad_(true);
    return entering;
  }

  Trace withLoss(Tensor sum) {
    loss = sum;
    return this;
  }

  public List<Projection> projections() {
    return projections;
  }

  public List<Head> heads() {
    return heads;
  }

  /** Token plus position embeddings (positions, batch, d). */
  public Tensor entering() {
    return entering;
  }

  /** Sum over records and positions, a scalar. */
  public Tensor loss() {
    return loss;
  }
}
