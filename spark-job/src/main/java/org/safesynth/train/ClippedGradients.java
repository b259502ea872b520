package org.safesynth.train;

import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.Trace;

/**
 * Sums the gradients of records, each clipped to an L2 norm, with one backward pass and no gradient
 * vector a record: ghost norms with book-keeping (Goodfellow 2015; Li et al. 2022; Bu et al. 2022).
 * {@link GhostNorms} has the norms and the argument why the computed contribution of a record never
 * exceeds C; the clipped sum is one ordinary matrix product with the output gradients scaled by
 * each record's factor.
 *
 * <p>Records are independent otherwise: no input mask here depends on who else was drawn. What a
 * further record may still move is the rounding of the others' sum; micro-batches are added in
 * float64, and a test bounds the whole movement by C(1 + 1e-5).
 */
final class ClippedGradients {
  private final FieldDecoder decoder;
  private final double clipNorm;
  private final int embedding;

  /**
   * @param clipNorm C, the greatest L2 norm of a record's contribution
   */
  ClippedGradients(FieldDecoder decoder, double clipNorm) {
    this.decoder = decoder;
    this.clipNorm = clipNorm;
    this.embedding = 4 * decoder.config().numLayers();
  }

  /** Gradients of one micro-batch with respect to what its {@link Trace} names. */
  private record Gradients(Trace trace, TensorVector of, long positions, long batch) {
    Tensor entering() { // (positions, batch, d)
      return of.get(0);
    }

    Tensor projection(int i) { // (positions, batch, out)
      return of.get(1 + i);
    }

    Tensor head(int t) { // (batch, V)
      return of.get(1 + trace.projections().size() + t);
    }
  }

  /**
   * Adds the clipped gradients of a batch. A record whose gradient is not finite adds nothing.
   *
   * @param parameters views of the weights, without gradients
   * @param sum views of the sum, like the parameters
   * @return the records' summed loss in nats: a private statistic
   */
  double addTo(List<Tensor> parameters, FieldBatch drawn, List<Tensor> sum) {
    FieldBatch batch = drawn;
    if (batch.batch() == 0) {
      return 0;
    }
    try (PointerScope scope = new PointerScope()) {
      Tensor inputs = batch.inputTensor(); // (positions - 1, batch)
      Gradients gradients = backward(parameters, inputs, batch.targetTensor());
      try (NoGradGuard guard = new NoGradGuard()) {
        double[] norms = norms(gradients, inputs);
        int[] finite = indicesOfFinite(norms);
        if (finite.length == norms.length) {
          add(gradients, inputs, torch.tensor(GhostNorms.factors(norms, clipNorm)), sum);
          return gradients.trace().loss().item_double();
        }
        batch = batch.select(finite);
      }
    }
    return addTo(parameters, batch, sum);
  }

  /** Upper bound of the norm of each record's computed gradient. */
  double[] norms(List<Tensor> parameters, FieldBatch batch) {
    try (PointerScope scope = new PointerScope()) {
      Tensor inputs = batch.inputTensor();
      return norms(backward(parameters, inputs, batch.targetTensor()), inputs);
    }
  }

  private Gradients backward(List<Tensor> parameters, Tensor inputs, Tensor targets) {
    Trace trace = decoder.traced(parameters, inputs, targets);
    TensorVector wanted = new TensorVector();
    wanted.push_back(trace.entering());
    trace.projections().forEach(projection -> wanted.push_back(projection.output()));
    trace.heads().forEach(head -> wanted.push_back(head.logits()));
    TensorVector of = torch.grad(new TensorVector(trace.loss()), wanted);
    return new Gradients(trace, of, targets.size(0), targets.size(1));
  }

  private static int[] indicesOfFinite(double[] norms) {
    return IntStream.range(0, norms.length).filter(b -> Double.isFinite(norms[b])).toArray();
  }

  private static double[] norms(Gradients gradients, Tensor inputs) {
    GhostNorms norms = new GhostNorms(gradients.batch());
    for (int i = 0; i < gradients.trace().projections().size(); i++) {
      norms.addWeight(
          gradients.trace().projections().get(i).input().transpose(0, 1), // (batch, positions, in)
          gradients.projection(i).transpose(0, 1)); // (batch, positions, out)
    }
    addHeads(gradients, norms);
    addEmbeddings(gradients, inputs, norms);
    return norms.bounds(gradients.positions() * gradients.batch());
  }

  /** Each position has rows of its own in the head: |g|²(|h|² + 1), the one for the bias. */
  private static void addHeads(Gradients gradients, GhostNorms norms) {
    for (int t = 0; t < gradients.trace().heads().size(); t++) {
      Tensor g = GhostNorms.lengths(gradients.head(t).unsqueeze(0)).squeeze(0).square_(); // (batch)
      Tensor h = gradients.trace().heads().get(t).input(); // (batch, d)
      Tensor here = GhostNorms.lengths(h.unsqueeze(0)).squeeze(0).square_();
      norms.addExact(here.add_(new Scalar(1)).mul_(g));
    }
  }

  /** Position embeddings have a row each; a row of the token embeddings may come up again. */
  private static void addEmbeddings(Gradients gradients, Tensor inputs, GhostNorms norms) {
    Tensor g = gradients.entering().transpose(0, 1); // (batch, positions, d)
    Tensor lengths = GhostNorms.lengths(g); // (batch, positions)
    norms.addExact(lengths.square().sum(1));
    long tokens = gradients.positions() - 1;
    if (tokens > 0) {
      Tensor tokenGradients = g.narrow(1, 1, tokens); // (batch, tokens, d)
      Tensor rows = inputs.transpose(0, 1); // (batch, tokens)
      norms.addRepeated(tokenGradients, rows.unsqueeze(2).eq(rows.unsqueeze(1)));
    }
  }

  /**
   * @param factors (batch) at most 1 each
   */
  private void add(Gradients gradients, Tensor inputs, Tensor factors, List<Tensor> sum) {
    Tensor factor = factors.unsqueeze(1); // (batch, 1)
    List<Trace.Projection> projections = gradients.trace().projections();
    for (int i = 0; i < projections.size(); i++) {
      Tensor g = gradients.projection(i).mul(factor).flatten(0, 1); // (t b, out)
      sum.get(projections.get(i).parameter())
          .addmm_(g.t(), projections.get(i).input().flatten(0, 1));
    }
    for (int t = 0; t < gradients.trace().heads().size(); t++) {
      Trace.Head head = gradients.trace().heads().get(t);
      Tensor g = gradients.head(t).mul(factor); // (batch, V)
      sum.get(embedding + 2).narrow(0, head.firstRow(), g.size(1)).addmm_(g.t(), head.input());
      sum.get(embedding + 3).narrow(0, head.firstRow(), g.size(1)).add_(g.sum(0));
    }
    Tensor g = gradients.entering().mul(factor); // (positions, batch, d)
    sum.get(embedding + 1).add_(g.sum(1));
    if (gradients.positions() > 1) {
      Tensor ofTokens = g.narrow(0, 1, gradients.positions() - 1).flatten(0, 1); // (t b, d)
      sum.get(embedding).index_add_(0, inputs.flatten(), ofTokens);
    }
  }
}
