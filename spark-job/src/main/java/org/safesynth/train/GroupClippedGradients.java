package org.safesynth.train;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.model.GroupDecoder;
import org.safesynth.model.GroupTrace;
import org.safesynth.model.Trace;

/**
 * As {@link ClippedGradients}, where a unit is a whole group: the gradients of all its rows are
 * summed, the sum is clipped once. Every weight repeats in a unit, since each row uses it:
 *
 * <ul>
 *   <li>the blocks at every position of every row, the head and its bias once a row;
 *   <li>a token's embedding wherever the token comes up again in the group, a position's and a row
 *       number's likewise, the latter in the memory and in the context;
 *   <li>the memory's layers once a row or a step.
 * </ul>
 *
 * {@link GhostNorms} sums the gradients of all these uses before it takes a norm, and says why the
 * computed contribution of a group never exceeds C.
 *
 * <p>Groups lie side by side in rows; for a product of a group with itself its rows are laid into a
 * rectangle whose empty places hold zeros. Groups see each other nowhere: a group's memory is its
 * own column of the recurrent layer.
 */
final class GroupClippedGradients {
  private static final int LEAST_TERMS = 6; // uses of a feature's row: three, in two places

  private final GroupDecoder decoder;
  private final double clipNorm;
  private final int mostRows;
  private final int embedding;

  /**
   * @param clipNorm C, the greatest L2 norm of a group's contribution
   * @param mostRows rows of a batch at most: the room for roundings follows from it and not from
   *     the groups that are in a batch, so that a group's factor is its own
   */
  GroupClippedGradients(GroupDecoder decoder, double clipNorm, int mostRows) {
    this.decoder = decoder;
    this.clipNorm = clipNorm;
    this.mostRows = mostRows;
    this.embedding = 4 * decoder.config().row().numLayers();
  }

  /** Gradients of one micro-batch with respect to what its trace names. */
  private static final class Gradients {
    private final GroupTrace trace;
    private final Tensor entering; // (positions, rows, d)
    private final Tensor context; // (rows, d)
    private final Tensor[] projections; // each (positions, rows, out)
    private final Tensor[] heads; // each (rows, V)
    private final Tensor remembered; // (rows, d); null without a memory
    private final Tensor taken; // (rows, m); likewise
    private final Tensor fed; // (steps, groups, 3 m); likewise
    private final Tensor recurrent; // (steps, groups, 3 m); likewise

    Gradients(GroupTrace trace) {
      this.trace = trace;
      Trace row = trace.row();
      TensorVector wanted = new TensorVector();
      wanted.push_back(row.entering());
      row.projections().forEach(projection -> wanted.push_back(projection.output()));
      row.heads().forEach(head -> wanted.push_back(head.logits()));
      int steps = 0;
      if (trace.hasMemory()) {
        wanted.push_back(trace.remembered());
        wanted.push_back(trace.taken().output());
        steps = trace.fed().outputs().size();
        trace.fed().outputs().forEach(wanted::push_back);
        trace.recurrent().outputs().forEach(wanted::push_back);
      }
      TensorVector of = torch.grad(new TensorVector(trace.loss()), wanted);
      entering = of.get(0);
      context = entering.sum(0);
      int at = 1;
      projections = new Tensor[row.projections().size()];
      for (int i = 0; i < projections.length; i++) {
        projections[i] = of.get(at++);
      }
      heads = new Tensor[row.heads().size()];
      for (int t = 0; t < heads.length; t++) {
        heads[t] = of.get(at++);
      }
      boolean hasMemory = trace.hasMemory();
      remembered = hasMemory ? of.get(at) : null;
      taken = hasMemory ? of.get(at + 1) : null;
      fed = hasMemory ? stacked(of, at + 2, steps) : null;
      recurrent = hasMemory ? stacked(of, at + 2 + steps, steps) : null;
    }

    private static Tensor stacked(TensorVector all, int from, int count) {
      TensorVector of = new TensorVector();
      for (int i = 0; i < count; i++) {
        of.push_back(all.get((long) from + i));
      }
      return torch.stack(of);
    }
  }

  private static Tensor stacked(List<Tensor> steps) {
    return torch.stack(new TensorVector(steps.toArray(Tensor[]::new)));
  }

  /**
   * Adds the clipped gradients of a batch. A group whose gradient is not finite adds nothing.
   *
   * @param parameters views of the weights, without gradients
   * @param sum views of the sum, like the parameters
   * @return the groups' summed loss in nats: a private statistic
   */
  double addTo(List<Tensor> parameters, GroupBatch drawn, List<Tensor> sum) {
    GroupBatch batch = drawn;
    if (batch.groups() == 0) {
      return 0;
    }
    try (PointerScope scope = new PointerScope()) {
      Gradients gradients = new Gradients(decoder.traced(parameters, batch.tensors()));
      try (NoGradGuard guard = new NoGradGuard()) {
        double[] norms = norms(gradients, batch);
        int[] finite =
            IntStream.range(0, norms.length).filter(g -> Double.isFinite(norms[g])).toArray();
        if (finite.length == norms.length) {
          add(gradients, batch, GhostNorms.factors(norms, clipNorm), sum);
          return gradients.trace.loss().item_double();
        }
        batch = batch.select(finite);
      }
    }
    return addTo(parameters, batch, sum);
  }

  /** Upper bound of the norm of each group's computed gradient. */
  double[] norms(List<Tensor> parameters, GroupBatch batch) {
    try (PointerScope scope = new PointerScope()) {
      return norms(new Gradients(decoder.traced(parameters, batch.tensors())), batch);
    }
  }

  private double[] norms(Gradients of, GroupBatch batch) {
    GhostNorms norms = new GhostNorms(batch.groups());
    Rectangle rectangle = new Rectangle(batch);
    List<Trace.Projection> projections = of.trace.row().projections();
    List<Trace.Head> heads = of.trace.row().heads();
    int[] rows = batch.lengths();
    int[] positions = Arrays.stream(rows).map(length -> length * heads.size()).toArray();
    for (int i = 0; i < projections.size(); i++) {
      norms.addWeight(
          rectangle.of(projections.get(i).input()), rectangle.of(of.projections[i]), positions);
    }
    for (int t = 0; t < heads.size(); t++) {
      Tensor g = rectangle.of(of.heads[t].unsqueeze(0)); // (groups, rows, V)
      norms.addWeight(rectangle.of(heads.get(t).input().unsqueeze(0)), g, rows);
      norms.addVector(g, rows);
    }
    norms.addVector(rectangle.ofWhole(of.entering), rows); // the embeddings of positions
    int[] groupOf = batch.groupOfRow();
    if (heads.size() > 1) {
      Tensor tokens = of.entering.narrow(0, 1, heads.size() - 1L).flatten(0, 1); // (t rows, d)
      norms.addRows(tokens, batch.inputs(), repeated(groupOf, heads.size() - 1));
    }
    norms.addWeight(
        rectangle.of(of.trace.state().unsqueeze(0)), rectangle.of(of.context.unsqueeze(0)), rows);
    Shared shared = new Shared(of, batch);
    norms.addRows(shared.ofIndex, shared.index, repeated(groupOf, shared.parts));
    norms.addRows(
        shared.ofFeatures,
        shared.features,
        repeated(groupOf, shared.features.length / batch.rows()));
    if (of.trace.hasMemory()) {
      addMemory(norms, of, batch, rectangle);
    }
    if (batch.rows() > mostRows) {
      throw new IllegalArgumentException("a batch of more than %d rows".formatted(mostRows));
    }
    // A row is taken at one step of the memory; the empty places are zeros, which round nothing.
    return norms.bounds((long) mostRows * (Math.max(heads.size(), LEAST_TERMS) + 1));
  }

  private static void addMemory(
      GhostNorms norms, Gradients of, GroupBatch batch, Rectangle rectangle) {
    int uses = batch.inputs().length / batch.rows();
    norms.addRows(
        of.remembered.unsqueeze(0).expand(uses, -1, -1).reshape(-1, of.remembered.size(1)),
        batch.inputs(),
        repeated(batch.groupOfRow(), uses));
    norms.addWeight(
        rectangle.of(of.trace.taken().input().unsqueeze(0)),
        rectangle.of(of.taken.unsqueeze(0)),
        batch.lengths());
    int[] steps = Arrays.stream(batch.lengths()).map(length -> length - 1).toArray();
    Tensor fed = of.fed.transpose(0, 1); // (groups, steps, 3 m)
    norms.addWeight(stacked(of.trace.fed().inputs()).transpose(0, 1), fed, steps);
    norms.addVector(fed, steps);
    Tensor recurrent = of.recurrent.transpose(0, 1); // (groups, steps, 3 m)
    norms.addWeight(stacked(of.trace.recurrent().inputs()).transpose(0, 1), recurrent, steps);
    norms.addVector(recurrent, steps);
  }

  private static int[] repeated(int[] values, int times) {
    int[] all = new int[values.length * times];
    for (int i = 0; i < times; i++) {
      System.arraycopy(values, 0, all, i * values.length, values.length);
    }
    return all;
  }

  /** Embeddings that the context and the memory share: each use is a row of gradients. */
  private static final class Shared {
    private final int parts; // uses of a row's number
    private final Tensor ofIndex; // (parts rows, d)
    private final int[] index; // (parts rows)
    private final Tensor ofFeatures; // (uses rows, d)
    private final int[] features; // (uses rows)

    Shared(Gradients of, GroupBatch batch) {
      this(of.context, of.remembered, batch);
    }

    Shared(Tensor context, Tensor remembered, GroupBatch batch) {
      int kinds = batch.features().length / batch.rows();
      long d = context.size(1);
      Tensor before = context.unsqueeze(0).expand(kinds, -1, -1).reshape(-1, d);
      if (remembered == null) {
        parts = 1;
        ofIndex = context;
        index = batch.index();
        ofFeatures = before;
        features = batch.featuresBefore();
        return;
      }
      parts = 2;
      ofIndex = torch.cat(new TensorVector(context, remembered));
      index = repeated(batch.index(), 2);
      Tensor after = remembered.unsqueeze(0).expand(kinds, -1, -1).reshape(-1, d);
      ofFeatures = torch.cat(new TensorVector(before, after));
      features = Arrays.copyOf(batch.featuresBefore(), 2 * batch.features().length);
      System.arraycopy(
          batch.features(), 0, features, batch.features().length, batch.features().length);
    }
  }

  /** Lays the rows of each group side by side, behind them zeros up to the longest group. */
  private static final class Rectangle {
    private final long groups;
    private final long longest;
    private final Tensor places; // (groups longest) of rows; the number of rows for none

    Rectangle(GroupBatch batch) {
      groups = batch.groups();
      longest = batch.lengths()[0];
      int[] at = new int[(int) (groups * longest)];
      Arrays.fill(at, batch.rows());
      int row = 0;
      for (int g = 0; g < groups; g++) {
        for (int r = 0; r < batch.lengths()[g]; r++) {
          at[(int) (g * longest) + r] = row++;
        }
      }
      places = torch.tensor(at);
    }

    private Tensor rows(Tensor flat) { // (rows, k) to (groups longest, k)
      return torch
          .cat(new TensorVector(flat, torch.zeros(1, flat.size(1))))
          .index_select(0, places);
    }

    /** From (positions, rows, k) to (groups, longest positions, k). */
    Tensor of(Tensor x) {
      long positions = x.size(0);
      Tensor flat = x.permute(1, 0, 2).reshape(x.size(1), positions * x.size(2));
      return rows(flat).view(groups, longest * positions, x.size(2));
    }

    /** From (positions, rows, k) to (groups, longest, positions k). */
    Tensor ofWhole(Tensor x) {
      Tensor flat = x.permute(1, 0, 2).reshape(x.size(1), x.size(0) * x.size(2));
      return rows(flat).view(groups, longest, x.size(0) * x.size(2));
    }
  }

  private void add(Gradients of, GroupBatch batch, float[] factors, List<Tensor> sum) {
    int[] groupOf = batch.groupOfRow();
    float[] ofRow = new float[groupOf.length];
    for (int r = 0; r < ofRow.length; r++) {
      ofRow[r] = factors[groupOf[r]];
    }
    Tensor factor = torch.tensor(ofRow).unsqueeze(1); // (rows, 1)
    List<Trace.Projection> projections = of.trace.row().projections();
    for (int i = 0; i < projections.size(); i++) {
      Tensor g = of.projections[i].mul(factor).flatten(0, 1); // (t rows, out)
      sum.get(projections.get(i).parameter())
          .addmm_(g.t(), projections.get(i).input().flatten(0, 1));
    }
    for (int t = 0; t < of.heads.length; t++) {
      Trace.Head head = of.trace.row().heads().get(t);
      Tensor g = of.heads[t].mul(factor); // (rows, V)
      sum.get(embedding + 2).narrow(0, head.firstRow(), g.size(1)).addmm_(g.t(), head.input());
      sum.get(embedding + 3).narrow(0, head.firstRow(), g.size(1)).add_(g.sum(0));
    }
    Tensor entering = of.entering.mul(factor); // (positions, rows, d)
    sum.get(embedding + 1).add_(entering.sum(1));
    Tensor inputs = torch.tensor(batch.inputs()); // (t rows)
    if (of.heads.length > 1) {
      Tensor tokens = entering.narrow(0, 1, of.heads.length - 1L).flatten(0, 1); // (t rows, d)
      sum.get(embedding).index_add_(0, inputs, tokens);
    }
    Tensor context = of.context.mul(factor); // (rows, d)
    sum.get(decoder.contextWeight()).addmm_(context.t(), of.trace.state());
    Tensor remembered = of.remembered == null ? null : of.remembered.mul(factor); // (rows, d)
    Shared shared = new Shared(context, remembered, batch);
    sum.get(decoder.indexEmbedding()).index_add_(0, torch.tensor(shared.index), shared.ofIndex);
    sum.get(decoder.featureEmbedding())
        .index_add_(0, torch.tensor(shared.features), shared.ofFeatures);
    if (remembered != null) {
      addMemory(of, batch, factor, remembered, factors, sum);
    }
  }

  private void addMemory(
      Gradients of,
      GroupBatch batch,
      Tensor factor,
      Tensor remembered,
      float[] factors,
      List<Tensor> sum) {
    int uses = batch.inputs().length / batch.rows();
    sum.get(decoder.memoryEmbedding())
        .index_add_(
            0,
            torch.tensor(batch.inputs()),
            remembered.unsqueeze(0).expand(uses, -1, -1).reshape(-1, remembered.size(1)));
    GroupTrace.OfRows taken = of.trace.taken();
    sum.get(taken.parameter()).addmm_(of.taken.mul(factor).t(), taken.input());
    Tensor ofGroups = torch.tensor(factors).unsqueeze(1); // (groups, 1)
    addSteps(of.trace.fed(), of.fed.mul(ofGroups), sum);
    addSteps(of.trace.recurrent(), of.recurrent.mul(ofGroups), sum);
  }

  /**
   * @param g (steps, groups, out)
   */
  private static void addSteps(GroupTrace.OfSteps layer, Tensor g, List<Tensor> sum) {
    Tensor flat = g.flatten(0, 1); // (steps groups, out)
    sum.get(layer.weight()).addmm_(flat.t(), stacked(layer.inputs()).flatten(0, 1));
    sum.get(layer.bias()).add_(flat.sum(0));
  }
}
