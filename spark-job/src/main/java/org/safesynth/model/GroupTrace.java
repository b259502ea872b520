package org.safesynth.model;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * What one forward pass over groups of rows leaves for per-group gradients: as {@link Trace}, with
 * the layers that carry a group's memory. The recurrent layer is written out step by step, since
 * the fused one does not show the products whose gradients are needed.
 */
public final class GroupTrace {
  /**
   * A linear layer that is used once for each row.
   *
   * @param parameter index of the weight in the layout
   * @param input (rows, in)
   * @param output (rows, out)
   */
  public record OfRows(int parameter, Tensor input, Tensor output) {}

  /**
   * A linear layer with a bias that is used once for each group and step.
   *
   * @param weight index of the weight in the layout
   * @param bias index of the bias in the layout
   * @param inputs one (groups, in) a step
   * @param outputs one (groups, out) a step
   */
  public record OfSteps(int weight, int bias, List<Tensor> inputs, List<Tensor> outputs) {}

  private Trace row;
  private Tensor remembered; // (rows, d)
  private OfRows taken;
  private Tensor state; // (rows, m)
  private final OfSteps fed;
  private final OfSteps recurrent;

  GroupTrace(int firstOfMemory) {
    fed = new OfSteps(firstOfMemory + 2, firstOfMemory + 4, new ArrayList<>(), new ArrayList<>());
    recurrent =
        new OfSteps(firstOfMemory + 3, firstOfMemory + 5, new ArrayList<>(), new ArrayList<>());
  }

  /** Cuts the graph here: what lies before are embeddings, whose gradient is this tensor's own. */
  Tensor remembers(Tensor embedded) {
    remembered = embedded.detach();
    remembered.requires_grad_(true);
    return remembered;
  }

  void takes(OfRows layer) {
    taken = layer;
  }

  void steps(Tensor input, Tensor ofInput, Tensor before, Tensor ofState) {
    fed.inputs().add(input);
    fed.outputs().add(ofInput);
    recurrent.inputs().add(before);
    recurrent.outputs().add(ofState);
  }

  GroupTrace with(Tensor ofRows, Trace rows) {
    state = ofRows;
    row = rows;
    return this;
  }

  /** The decoder of rows; what enters its first block also is the gradient of the context. */
  public Trace row() {
    return row;
  }

  /** Whether any group has a second row, so that a memory was made. */
  public boolean hasMemory() {
    return remembered != null;
  }

  /** Sum of the embeddings that the memory takes (rows, d). */
  public Tensor remembered() {
    return remembered;
  }

  /** The layer that makes of them what is remembered. */
  public OfRows taken() {
    return taken;
  }

  /** What each row is written in the memory of (rows, m). */
  public Tensor state() {
    return state;
  }

  /** The recurrent layer's products with what it is fed. */
  public OfSteps fed() {
    return fed;
  }

  /** The recurrent layer's products with its state. */
  public OfSteps recurrent() {
    return recurrent;
  }

  /** Sum over rows and positions, a scalar. */
  public Tensor loss() {
    return row.loss();
  }
}
