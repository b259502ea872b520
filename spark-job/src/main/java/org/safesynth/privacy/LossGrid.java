package org.safesynth.privacy;

/**
 * A privacy loss distribution on multiples of an interval, never better than the true one.
 *
 * <p>Probability at a loss between two points is split onto both such that its mass and its
 * expectation of e^-loss stay. Since 1 − e^(ε − loss), cut at 0, is convex in e^-loss, every δ(ε)
 * can only grow: the "connect the dots" of Doroshenko et al. 2022, computed from the masses
 * themselves instead of second differences of δ, which would cancel.
 */
final class LossGrid {
  // Gauss and Legendre's rule of 4 points on (-1, 1)
  private static final double[] NODES = {
    -0.8611363115940526, -0.3399810435848563, 0.3399810435848563, 0.8611363115940526
  };
  private static final double[] WEIGHTS = {
    0.3478548451374538, 0.6521451548625461, 0.6521451548625461, 0.3478548451374538
  };

  /** A density in some variable, and the loss there. */
  interface Density {
    double density(double x);

    double loss(double x);
  }

  private final double interval;
  private final long first;
  private final double[] mass;
  private final double scale; // 1 / (1 - e^-interval)
  private final double unbounded;

  LossGrid(LossDistribution losses, double interval) {
    this.interval = interval;
    this.first = (long) Math.floor(losses.lowest() / interval) - 1;
    long last = (long) Math.ceil(losses.highest() / interval) + 1;
    this.mass = new double[Math.toIntExact(last - first + 1)];
    this.scale = -1 / Math.expm1(-interval);
    this.unbounded = losses.left();
    losses.spread(this);
    normalise();
  }

  double interval() {
    return interval;
  }

  /** The loss of index 0 over the interval. */
  long first() {
    return first;
  }

  double[] mass() {
    return mass;
  }

  /** Probability of a loss without bound. */
  double unbounded() {
    return unbounded;
  }

  /** Where cell {@code cell} begins; cells number from 0. */
  double start(int cell) {
    return (first + cell) * interval;
  }

  int cells() {
    return mass.length - 1;
  }

  /** The cell of a loss. */
  int cellOf(double loss) {
    return (int) Math.max(0, Math.min(cells() - 1, (long) Math.floor(loss / interval) - first));
  }

  /** Adds probability at one loss. */
  void add(double loss, double probability) {
    split(cellOf(loss), loss, probability);
  }

  /** Adds the density's mass over x of from … to, all of whose losses lie in one cell. */
  void add(int cell, double from, double to, double widest, Density density) {
    int pieces = (int) Math.max(1, Math.ceil((to - from) / widest));
    double half = (to - from) / pieces / 2;
    for (int piece = 0; piece < pieces; piece++) {
      double middle = from + (2 * piece + 1) * half;
      for (int i = 0; i < NODES.length; i++) {
        double x = middle + half * NODES[i];
        split(cell, density.loss(x), WEIGHTS[i] * half * density.density(x));
      }
    }
  }

  private void split(int cell, double loss, double probability) {
    double share = -Math.expm1(start(cell) - loss) * scale;
    double up = probability * Math.max(0, Math.min(1, share));
    mass[cell] += probability - up;
    mass[cell + 1] += up;
  }

  /** Takes out the quadrature's relative error, some 1e-13. */
  private void normalise() {
    double sum = 0;
    for (double probability : mass) {
      sum += probability;
    }
    if (!(Math.abs(sum + unbounded - 1) < 1e-9)) {
      throw new IllegalStateException("a loss distribution adds up to " + sum);
    }
    double factor = (1 - unbounded) / sum;
    for (int i = 0; i < mass.length; i++) {
      mass[i] *= factor;
    }
  }
}
