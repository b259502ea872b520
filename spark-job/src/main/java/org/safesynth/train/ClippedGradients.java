package org.safesynth.train;

import java.util.Arrays;
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
 * each record's factor. Of a small projection each record's gradient is formed after all, by {@link
 * RecordProducts}: two Gram matrices would cost more, and it takes the place of the product, since
 * it is added to the sum as soon as the record's norm is known.
 *
 * <p>Records are independent otherwise: no input mask here depends on who else was drawn. What a
 * further record may still move are roundings of the others' gradients and of their sum, for which
 * {@link PrivatePlan#sensitivity} has room; micro-batches are added in float64.
 */
final class ClippedGradients {
  /** Entries of a weight whose gradients are formed for each record. */
  private static final long MOST_OWN = 16_384;

  /** Roundings of a few single operations. */
  private static final long SMALL = 8;

  private final FieldDecoder decoder;
  private final double clipNorm;
  private final int mostBatch;
  private final int embedding;
  private final long[] vocabularies; // (positions)
  private final Tensor ofPosition; // (V, positions) 1 where a logit is of the position

  /**
   * @param clipNorm C, the greatest L2 norm of a record's contribution
   * @param mostBatch records of a batch at most: the room for roundings follows from it and not
   *     from those that are in a batch, so that a record's factor is its own
   */
  ClippedGradients(FieldDecoder decoder, double clipNorm, int mostBatch) {
    this.decoder = decoder;
    this.clipNorm = clipNorm;
    this.mostBatch = mostBatch;
    this.embedding = 4 * decoder.config().numLayers();
    this.vocabularies =
        decoder.config().vocabularySizes().stream().mapToLong(Integer::longValue).toArray();
    this.ofPosition = ofPosition(vocabularies);
  }

  private static Tensor ofPosition(long[] vocabularies) {
    int positions = vocabularies.length;
    float[] marks = new float[Math.toIntExact(Arrays.stream(vocabularies).sum()) * positions];
    int row = 0;
    for (int t = 0; t < positions; t++) {
      for (long token = 0; token < vocabularies[t]; token++, row++) {
        marks[row * positions + t] = 1;
      }
    }
    return torch.tensor(marks).view(-1, positions);
  }

  /**
   * Gradients of one micro-batch with respect to what its {@link Trace} names.
   *
   * @param heads (batch, V) of all positions' logits, side by side
   */
  private record Gradients(Trace trace, TensorVector of, Tensor heads, long positions, long batch) {
    Tensor entering() { // (positions, batch, d)
      return of.get(0);
    }

    Tensor projection(int i) { // (positions, batch, out)
      return of.get(1 + i);
    }

    /** Whether each record's gradient of a projection's weight is formed. */
    boolean isFormed(int i) {
      return trace.projections().get(i).input().size(2) * projection(i).size(2) <= MOST_OWN;
    }
  }

  /**
   * Records of a micro-batch, clipped.
   *
   * @param norms (batch) upper bounds of the norms of the computed gradients
   * @param factors (batch) by what they are multiplied
   * @param formed the clipped sum for the projections whose gradients are formed
   */
  private record Clipped(double[] norms, float[] factors, RecordProducts formed) {
    int[] finite() {
      return IntStream.range(0, norms.length).filter(b -> Double.isFinite(norms[b])).toArray();
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
        Clipped clipped = clip(gradients, inputs, batch.repeatsRows());
        int[] finite = clipped.finite();
        if (finite.length == batch.batch()) {
          add(gradients, inputs, clipped, sum);
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
      Gradients gradients = backward(parameters, inputs, batch.targetTensor());
      try (NoGradGuard guard = new NoGradGuard()) {
        return clip(gradients, inputs, batch.repeatsRows()).norms();
      }
    }
  }

  private Gradients backward(List<Tensor> parameters, Tensor inputs, Tensor targets) {
    Trace trace = decoder.traced(parameters, inputs, targets);
    TensorVector wanted = new TensorVector();
    wanted.push_back(trace.entering());
    trace.projections().forEach(projection -> wanted.push_back(projection.output()));
    trace.heads().forEach(head -> wanted.push_back(head.logits()));
    TensorVector of = torch.grad(new TensorVector(trace.loss()), wanted);
    try (NoGradGuard guard = new NoGradGuard()) {
      int projections = trace.projections().size();
      TensorVector heads = new TensorVector();
      for (int t = 0; t < trace.heads().size(); t++) {
        heads.push_back(of.get(1 + projections + t));
      }
      return new Gradients(trace, of, torch.cat(heads, 1), targets.size(0), targets.size(1));
    }
  }

  private Clipped clip(Gradients gradients, Tensor inputs, boolean repeats) {
    GhostNorms ghosts = new GhostNorms(gradients.batch());
    RecordProducts formed = new RecordProducts();
    for (int i = 0; i < gradients.trace().projections().size(); i++) {
      Tensor input = gradients.trace().projections().get(i).input(); // (positions, batch, in)
      Tensor gradient = gradients.projection(i); // (positions, batch, out)
      if (gradients.isFormed(i)) {
        formed.addWeight(input, gradient);
      } else {
        ghosts.addWeight(input.transpose(0, 1), gradient.transpose(0, 1));
      }
    }
    addHeads(gradients, ghosts);
    addEmbeddings(gradients, inputs, repeats, ghosts);
    GhostNorms.Totals others = ghosts.totals();
    if (gradients.batch() > mostBatch) {
      throw new IllegalArgumentException("a batch of more than %d records".formatted(mostBatch));
    }
    long terms = gradients.positions() * mostBatch;
    double[] norms = new double[Math.toIntExact(gradients.batch())];
    float[] factors = new float[norms.length];
    for (int b = 0; b < norms.length; b++) {
      double square = formed.form(b);
      norms[b] = others.bound(b, square, RecordProducts.BLOCK + SMALL, terms);
      factors[b] = GhostNorms.factor(norms[b], clipNorm);
      formed.add(factors[b]);
    }
    return new Clipped(norms, factors, formed);
  }

  /** Each position has rows of its own in the head: |g|²(|h|² + 1), the one for the bias. */
  private void addHeads(Gradients gradients, GhostNorms norms) {
    TensorVector inputs = new TensorVector();
    gradients.trace().heads().forEach(head -> inputs.push_back(head.input()));
    Tensor h = torch.stack(inputs).square_().sum(2).add_(new Scalar(1)); // (positions, batch)
    Tensor g = gradients.heads().square().matmul(ofPosition); // (batch, positions)
    long terms = gradients.heads().size(1) + decoder.config().hiddenSize();
    norms.addRounded(g.mul_(h.t()).sum(1), terms + gradients.positions() + SMALL);
  }

  /** Position embeddings have a row each; a row of the token embeddings may come up again. */
  private static void addEmbeddings(
      Gradients gradients, Tensor inputs, boolean repeats, GhostNorms norms) {
    Tensor squares = gradients.entering().square().sum(2); // (positions, batch)
    long terms = gradients.entering().size(2) + gradients.positions() + SMALL;
    norms.addRounded(squares.sum(0), terms);
    long tokens = gradients.positions() - 1;
    if (tokens > 0 && !repeats) {
      norms.addRounded(squares.narrow(0, 1, tokens).sum(0), terms);
    } else if (tokens > 0) {
      Tensor rows = inputs.transpose(0, 1); // (batch, tokens)
      norms.addRepeated(
          gradients.entering().narrow(0, 1, tokens).transpose(0, 1), // (batch, tokens, d)
          rows.unsqueeze(2).eq(rows.unsqueeze(1)));
    }
  }

  private void add(Gradients gradients, Tensor inputs, Clipped clipped, List<Tensor> sum) {
    Tensor factor = torch.tensor(clipped.factors()).unsqueeze(1); // (batch, 1)
    List<Trace.Projection> projections = gradients.trace().projections();
    int formed = 0;
    for (int i = 0; i < projections.size(); i++) {
      Tensor weight = sum.get(projections.get(i).parameter()); // (out, in)
      if (gradients.isFormed(i)) {
        weight.add_(clipped.formed().sum(formed++));
      } else {
        Tensor g = gradients.projection(i).mul(factor).flatten(0, 1); // (t b, out)
        weight.addmm_(g.t(), projections.get(i).input().flatten(0, 1));
      }
    }
    Tensor ofHeads = gradients.heads().mul(factor); // (batch, V)
    TensorVector parts = torch.split(ofHeads, vocabularies, 1); // positions of (batch, V_t)
    for (int t = 0; t < parts.size(); t++) {
      Trace.Head head = gradients.trace().heads().get(t);
      Tensor part = parts.get(t);
      sum.get(embedding + 2)
          .narrow(0, head.firstRow(), part.size(1))
          .addmm_(part.t(), head.input());
    }
    sum.get(embedding + 3).add_(ofHeads.sum(0));
    Tensor g = gradients.entering().mul(factor); // (positions, batch, d)
    sum.get(embedding + 1).add_(g.sum(1));
    if (gradients.positions() > 1) {
      Tensor ofTokens = g.narrow(0, 1, gradients.positions() - 1).flatten(0, 1); // (t b, d)
      sum.get(embedding).index_add_(0, inputs.flatten(), ofTokens);
    }
  }
}
