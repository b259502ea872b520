package org.safesynth.train;

import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.Trace;

/**
 * Sums the gradients of records, each clipped to an L2 norm, with one backward pass and no gradient
 * vector a record: ghost norms with book-keeping (Goodfellow 2015; Li et al. 2022; Bu et al. 2022).
 *
 * <p>A weight W that is used at positions t has, for one record, the gradient Σ g_t a_tᵀ, where a
 * is the layer's input and g the gradient of its output. Its squared norm is Σ over t, t′ of ⟨a_t,
 * a_t′⟩⟨g_t, g_t′⟩: the products of two small Gram matrices. An embedding row that a record uses at
 * several positions likewise sums its gradients first: Σ over pairs of equal rows of ⟨g_t, g_t′⟩.
 * The clipped sum is one ordinary matrix product with g scaled by each record's factor.
 *
 * <p><b>Precision.</b> Inputs and output gradients are float32; norms are added up in float64. Let
 * u = 2^-24 and S_l = Σ_t |a_t||g_t| of layer l, which bounds every partial sum. A float32 dot
 * product of m terms is off by at most γ_m = m·u/(1 − m·u) times the product of norms (Higham 2002,
 * 3.1), so the Gram form is off by at most (γ_in + γ_out + γ_in·γ_out)·S_l², the square of a
 * gradient summed over T positions by at most (2γ_T + γ_T²)·S_l²; γ of in + out + 2T + 2 covers
 * both and is <em>added</em> to the squared norm, and the record's part of a clipped sum of k terms
 * by at most γ_k·S_l, which is added to the norm. What is left are roundings of the factor itself
 * and of squares in the head: less than 16·u together, so the factor is C / (norm·(1 + κ) + 1e-6)
 * with κ = 2^-20. The computed contribution of a record therefore never exceeds C.
 *
 * <p>Records are independent otherwise: no input mask here depends on who else was drawn. What a
 * further record may still move is the rounding of the others' sum; micro-batches are added in
 * float64, and a test bounds the whole movement by C(1 + 1e-5).
 */
final class ClippedGradients {
  /** Relative excess that roundings of the factor may cause. */
  static final double KAPPA = 0x1p-20;

  private static final double UNIT_ROUNDOFF = 0x1p-24; // of float32
  private static final double STABILISER = 1e-6;

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
          add(gradients, inputs, torch.tensor(factors(norms)), sum);
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

  private float[] factors(double[] norms) {
    float[] factors = new float[norms.length];
    for (int b = 0; b < norms.length; b++) {
      double factor = clipNorm / (norms[b] * (1 + KAPPA) + STABILISER);
      factors[b] = (float) Math.min(1, factor);
    }
    return factors;
  }

  private static int[] indicesOfFinite(double[] norms) {
    return IntStream.range(0, norms.length).filter(b -> Double.isFinite(norms[b])).toArray();
  }

  private double[] norms(Gradients gradients, Tensor inputs) {
    long terms = gradients.positions() * gradients.batch(); // of a clipped sum's dot products
    Tensor squares = torch.zeros(gradients.batch()).to(ScalarType.Double); // (batch)
    Tensor spread = torch.zeros(gradients.batch()).to(ScalarType.Double); // (batch) Σ S_l²
    for (int i = 0; i < gradients.trace().projections().size(); i++) {
      Tensor a = gradients.trace().projections().get(i).input().transpose(0, 1); // (b, t, in)
      Tensor g = gradients.projection(i).transpose(0, 1); // (b, t, out)
      Tensor s = lengths(a).mul(lengths(g)).sum(1).square(); // (batch) S_l²
      squares.add_(projectionSquares(a, g));
      squares.add_(s, new Scalar(gamma(a.size(2) + g.size(2) + 2 * gradients.positions() + 2)));
      spread.add_(s);
    }
    addHeads(gradients, squares, spread);
    addEmbeddings(gradients, inputs, squares, spread);
    Tensor bound = squares.sqrt().add(spread.sqrt(), new Scalar(gamma(terms + 2))); // (batch)
    double[] norms = new double[(int) gradients.batch()];
    bound.contiguous().data_ptr_double().get(norms);
    return norms;
  }

  /** γ_m: relative error bound of a float32 dot product of m terms. */
  private static double gamma(long terms) {
    double error = terms * UNIT_ROUNDOFF;
    return error < 0.5 ? error / (1 - error) : Double.POSITIVE_INFINITY;
  }

  /** Lengths of the vectors in the last of three dimensions, in float64 (b, t). */
  private static Tensor lengths(Tensor x) {
    return torch.linalg_vector_norm(
        x, new Scalar(2), new long[] {2}, false, new ScalarTypeOptional(ScalarType.Double));
  }

  /** ‖Σ_t g_t a_tᵀ‖² of each record by the cheaper way: Gram matrices or the gradient itself. */
  private static Tensor projectionSquares(Tensor a, Tensor g) {
    long t = a.size(1);
    if (t * (a.size(2) + g.size(2)) > a.size(2) * g.size(2)) {
      Tensor weights = torch.bmm(g.transpose(1, 2), a); // (b, out, in)
      return weights.to(ScalarType.Double).square_().sum(1, 2);
    }
    Tensor ofInputs = torch.bmm(a, a.transpose(1, 2)).to(ScalarType.Double); // (b, t, t)
    Tensor ofOutputs = torch.bmm(g, g.transpose(1, 2)).to(ScalarType.Double); // (b, t, t)
    return ofInputs.mul_(ofOutputs).sum(1, 2).clamp_min_(new Scalar(0.0));
  }

  /** Each position has rows of its own in the head: |g|²(|h|² + 1), the one for the bias. */
  private static void addHeads(Gradients gradients, Tensor squares, Tensor spread) {
    for (int t = 0; t < gradients.trace().heads().size(); t++) {
      Tensor g = lengths(gradients.head(t).unsqueeze(0)).squeeze(0).square_(); // (batch)
      Tensor h = gradients.trace().heads().get(t).input(); // (batch, d)
      Tensor here = lengths(h.unsqueeze(0)).squeeze(0).square_().add_(new Scalar(1)).mul_(g);
      squares.add_(here);
      spread.add_(here);
    }
  }

  /** Position embeddings have a row each; a row of the token embeddings may come up again. */
  private static void addEmbeddings(
      Gradients gradients, Tensor inputs, Tensor squares, Tensor spread) {
    Tensor g = gradients.entering().transpose(0, 1); // (batch, positions, d)
    Tensor lengths = lengths(g); // (batch, positions)
    Tensor ofPositions = lengths.square().sum(1); // (batch)
    squares.add_(ofPositions);
    spread.add_(ofPositions);
    long tokens = gradients.positions() - 1;
    if (tokens == 0) {
      return;
    }
    Tensor tokenGradients = g.narrow(1, 1, tokens); // (batch, tokens, d)
    Tensor rows = inputs.transpose(0, 1); // (batch, tokens)
    Tensor same = rows.unsqueeze(2).eq(rows.unsqueeze(1)); // (batch, tokens, tokens)
    Tensor gram = torch.bmm(tokenGradients, tokenGradients.transpose(1, 2)); // same shape
    squares.add_(gram.to(ScalarType.Double).mul_(same).sum(1, 2).clamp_min_(new Scalar(0.0)));
    Tensor s = lengths.narrow(1, 1, tokens).sum(1).square_(); // (batch)
    squares.add_(s, new Scalar(gamma(g.size(2) + 2)));
    spread.add_(s);
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
