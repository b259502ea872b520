package org.safesynth.train;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.pytorch.DoubleArrayRef;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Adds up the norms of the gradients of privacy units from the inputs of layers and the gradients
 * of their outputs: ghost norms (Goodfellow 2015; Li et al. 2022; Bu et al. 2022).
 *
 * <p>A weight W that is used at places t has, for one unit, the gradient Σ g_t a_tᵀ, where a is the
 * layer's input and g the gradient of its output. Its squared norm is Σ over t, t′ of ⟨a_t,
 * a_t′⟩⟨g_t, g_t′⟩: the products of two small Gram matrices. A bias, or an embedding's row, that a
 * unit uses at several places likewise sums its gradients before the norm.
 *
 * <p><b>Precision.</b> Inputs and output gradients are float32, and so are the squares that are
 * summed within a layer or a block of it; layers and blocks are added up in float64. Let u = 2^-24
 * and S_l = Σ_t |a_t||g_t| of layer l (|g_t| of a bias or a row), which bounds every partial sum. A
 * float32 dot product of m terms is off by at most γ_m = m·u/(1 − m·u) times the product of norms
 * (Higham 2002, 3.1), so the Gram form is off by at most (γ_in + γ_out + γ_in·γ_out)·S_l², the
 * square of a gradient summed over T places by at most (2γ_T + γ_T²)·S_l²; γ of in + out + 2T + 2
 * covers both and is <em>added</em> to the squared norm, and the unit's part of a clipped sum of k
 * terms by at most γ_k·S_l, which is added to the norm. What is left are roundings of the factor
 * itself: less than 16·u together, so the factor is C / (norm·(1 + κ) + 1e-6) with κ = 2^-20. The
 * computed contribution of a unit therefore never exceeds C.
 *
 * <p><b>Whose.</b> T counts the unit's own places. Where units lie in a rectangle, the zeros behind
 * a shorter one round nothing; to count them would make a unit's factor depend on the longest one
 * that shares its micro-batch, and a unit that joins would move the parts of all others one way.
 *
 * <p>Where a unit's gradient is formed ({@link RecordProducts}), what is added to the sum is that
 * float32 vector itself, scaled: how it was rounded does not matter, only that its own squared
 * length, from blocks of m products, is off by at most γ_m of itself, which is added.
 */
final class GhostNorms {
  /** Relative excess that roundings of the factor may cause. */
  static final double KAPPA = 0x1p-20;

  private static final double UNIT_ROUNDOFF = 0x1p-24; // of float32
  private static final double STABILISER = 1e-6;

  private final Tensor squares; // (units)
  private final Tensor spread; // (units) Σ S_l²

  GhostNorms(long units) {
    squares = torch.zeros(units).to(ScalarType.Double);
    spread = torch.zeros(units).to(ScalarType.Double);
  }

  /**
   * A weight that is used at several places.
   *
   * @param a (units, places, in)
   * @param g (units, places, out)
   */
  void addWeight(Tensor a, Tensor g) {
    Tensor s = lengths(a).mul(lengths(g)).sum(1).square(); // (units) S_l²
    squares.add_(weightSquares(a, g));
    add(s, a.size(2) + g.size(2) + 2 * a.size(1) + 2);
  }

  /**
   * The same where units have places of their own number, and zeros behind them, which round
   * nothing.
   *
   * @param places (units) of each
   */
  void addWeight(Tensor a, Tensor g, int[] places) {
    Tensor s = lengths(a).mul(lengths(g)).sum(1).square(); // (units) S_l²
    squares.add_(weightSquares(a, g));
    add(s, ofEach(places, a.size(2) + g.size(2) + 2));
  }

  /**
   * A vector that is added at several places, such as a bias.
   *
   * @param g (units, places, out), zeros behind a unit's own places
   * @param places (units) of each
   */
  void addVector(Tensor g, int[] places) {
    squares.add_(g.sum(1).to(ScalarType.Double).square_().sum(1));
    add(lengths(g).sum(1).square_(), ofEach(places, 2));
  }

  /**
   * Rows of an embedding, each unit at few places.
   *
   * @param g (units, places, d) gradient of each use
   * @param same (units, places, places) whether two places use the same row
   */
  void addRepeated(Tensor g, Tensor same) {
    Tensor gram = torch.bmm(g, g.transpose(1, 2)); // (units, places, places)
    squares.add_(gram.to(ScalarType.Double).mul_(same).sum(1, 2).clamp_min_(new Scalar(0.0)));
    add(lengths(g).sum(1).square_(), g.size(2) + 2);
  }

  /**
   * Rows of an embedding, which a unit may use several times.
   *
   * @param g (entries, d) gradient of each use
   * @param rows (entries) of the embedding
   * @param units (entries) that use them
   */
  void addRows(Tensor g, int[] rows, int[] units) {
    Map<Long, Integer> numbers = new HashMap<>();
    int[] number = new int[rows.length];
    int[] owner = new int[rows.length];
    int[] uses = new int[rows.length];
    for (int e = 0; e < rows.length; e++) {
      long key = ((long) units[e] << 32) | rows[e];
      number[e] = numbers.computeIfAbsent(key, k -> numbers.size());
      owner[number[e]] = units[e];
      uses[number[e]]++;
    }
    Tensor places = torch.tensor(number); // (entries)
    Tensor owners = torch.tensor(Arrays.copyOf(owner, numbers.size())); // (own rows)
    Tensor sums = torch.zeros(numbers.size(), g.size(1)).index_add_(0, places, g); // (own rows, d)
    squares.index_add_(0, owners, sums.to(ScalarType.Double).square_().sum(1));
    Tensor lengths = lengths(g.unsqueeze(0)).squeeze(0); // (entries)
    Tensor s = torch.zeros(numbers.size()).to(ScalarType.Double); // (own rows)
    s.index_add_(0, places, lengths).square_();
    spread.index_add_(0, owners, s);
    Tensor rounding = ofEach(Arrays.copyOf(uses, numbers.size()), 2); // (own rows)
    squares.index_add_(0, owners, s.mul(rounding));
  }

  /**
   * γ of 2T + further of each, where T is its own: a norm must not depend on who else is there.
   *
   * @param times T, how many terms are added
   */
  private static Tensor ofEach(int[] times, long further) {
    double[] gammas = Arrays.stream(times).mapToDouble(t -> gamma(2L * t + further)).toArray();
    return torch.tensor(new DoubleArrayRef(new DoublePointer(gammas), gammas.length));
  }

  /**
   * Adds what rounding may hide.
   *
   * @param s (units) S_l²
   */
  void add(Tensor s, long terms) {
    squares.add_(s, new Scalar(gamma(terms)));
    spread.add_(s);
  }

  private void add(Tensor s, Tensor gammas) { // both (units)
    squares.addcmul_(s, gammas);
    spread.add_(s);
  }

  /**
   * Adds squares whose rounding the factor's slack covers.
   *
   * @param exact (units)
   */
  void addExact(Tensor exact) {
    squares.add_(exact);
    spread.add_(exact);
  }

  /**
   * Adds squares that were summed in float32.
   *
   * @param computed (units) float32
   * @param terms of the sum, and roundings beside it
   */
  void addRounded(Tensor computed, long terms) {
    squares.add_(computed);
    add(computed, terms);
  }

  /**
   * Upper bound of each unit's norm.
   *
   * @param terms of a clipped sum's longest dot product
   */
  double[] bounds(long terms) {
    Tensor bound = squares.sqrt().add(spread.sqrt(), new Scalar(gamma(terms + 2))); // (units)
    return array(bound);
  }

  /** What was added so far. */
  Totals totals() {
    return new Totals(array(squares), array(spread));
  }

  private static double[] array(Tensor units) {
    double[] values = new double[Math.toIntExact(units.size(0))];
    units.contiguous().data_ptr_double().get(values);
    return values;
  }

  /**
   * What is known of the norms of units before the last part of their gradients is.
   *
   * @param squares (units)
   * @param spread (units) Σ S_l²
   */
  record Totals(double[] squares, double[] spread) {
    /**
     * Upper bound of a unit's norm, as {@link #bounds} gives it.
     *
     * @param computed square of the rest of its gradient, summed in float32
     * @param roundings of that sum
     * @param terms of a clipped sum's longest dot product
     */
    double bound(int unit, double computed, long roundings, long terms) {
      double square = squares[unit] + computed * (1 + gamma(roundings));
      return Math.sqrt(square) + gamma(terms + 2) * Math.sqrt(spread[unit] + computed);
    }
  }

  /** By what each unit's gradient is multiplied, at most 1. */
  static float[] factors(double[] norms, double clipNorm) {
    float[] factors = new float[norms.length];
    for (int b = 0; b < norms.length; b++) {
      factors[b] = factor(norms[b], clipNorm);
    }
    return factors;
  }

  /** The same for one. */
  static float factor(double norm, double clipNorm) {
    return (float) Math.min(1, clipNorm / (norm * (1 + KAPPA) + STABILISER));
  }

  /** γ_m: relative error bound of a float32 dot product of m terms. */
  static double gamma(long terms) {
    double error = terms * UNIT_ROUNDOFF;
    return error < 0.5 ? error / (1 - error) : Double.POSITIVE_INFINITY;
  }

  /** Lengths of the vectors in the last of three dimensions, in float64 (b, t). */
  static Tensor lengths(Tensor x) {
    return torch.linalg_vector_norm(
        x, new Scalar(2), new long[] {2}, false, new ScalarTypeOptional(ScalarType.Double));
  }

  /** ‖Σ_t g_t a_tᵀ‖² of each unit by the cheaper way: Gram matrices or the gradient itself. */
  private static Tensor weightSquares(Tensor a, Tensor g) {
    long t = a.size(1);
    if (t * (a.size(2) + g.size(2)) > a.size(2) * g.size(2)) {
      Tensor weights = torch.bmm(g.transpose(1, 2), a); // (b, out, in)
      return weights.to(ScalarType.Double).square_().sum(1, 2);
    }
    Tensor ofInputs = torch.bmm(a, a.transpose(1, 2)).to(ScalarType.Double); // (b, t, t)
    Tensor ofOutputs = torch.bmm(g, g.transpose(1, 2)).to(ScalarType.Double); // (b, t, t)
    return ofInputs.mul_(ofOutputs).sum(1, 2).clamp_min_(new Scalar(0.0));
  }
}
