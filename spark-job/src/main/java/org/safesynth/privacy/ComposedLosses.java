package org.safesynth.privacy;

import java.util.ArrayList;
import java.util.List;
import org.safesynth.privacy.LossDistribution.Direction;

/**
 * The privacy loss of a whole history in one direction: the distribution of a sum of independent
 * losses, by Fourier transform (Koskela, Jälkö and Honkela 2020).
 *
 * <p>The sum is computed modulo a window. By Markov's inequality for e^(t·sum) at the best of many
 * t ("Chernoff"), the sum leaves the window upwards with probability at most {@link
 * #SHARE_OF_TAIL}·δ, and downwards likewise. What leaves upwards reappears below: it is added to
 * the losses without bound. What leaves downwards reappears above: counted too high, on the safe
 * side. Rounding in the transforms, amplified by the power, is covered by {@link #ROUNDING} for
 * each application.
 */
final class ComposedLosses {
  static final double SHARE_OF_TAIL = 1e-7;
  static final double ROUNDING = 4e-15;
  private static final int LARGEST_WINDOW = 1 << 22;
  private static final double MOST_EXPONENT = 300;

  /** The losses do not fit into memory in steps of this interval. */
  static final class TooFineException extends RuntimeException {
    TooFineException() {
      super("the interval is too fine for losses of this size");
    }
  }

  private final double interval;
  private final double[] mass;
  private final long first;
  private final double unbounded;

  /** Composes a history that is not empty. */
  ComposedLosses(List<Mechanism> history, Direction direction, double interval, double delta) {
    this.interval = interval;
    List<LossGrid> grids = new ArrayList<>();
    double outright = 0;
    long applications = 0;
    for (Mechanism mechanism : history) {
      LossGrid grid = new LossGrid(mechanism.losses(direction), interval);
      grids.add(grid);
      outright += grid.unbounded() * mechanism.lossTimes() + mechanism.failure();
      applications += mechanism.lossTimes();
    }
    double tail = SHARE_OF_TAIL * delta;
    double top = bound(history, grids, tail, 1);
    double bottom = -bound(history, grids, tail, -1);
    if (!(bottom < top)) {
      throw new IllegalStateException("losses between %s and %s".formatted(bottom, top));
    }
    long lowest = (long) Math.floor(bottom / interval);
    long wanted = (long) Math.ceil(top / interval) - lowest + 1;
    if (wanted > LARGEST_WINDOW) {
      throw new TooFineException();
    }
    int size = Math.max(2, Integer.highestOneBit(Math.toIntExact(wanted - 1)) * 2);
    this.first = lowest;
    this.mass = convolve(history, grids, size);
    this.unbounded = outright + tail + (applications + 10) * ROUNDING;
  }

  /** The least ε ≥ 0 with δ(ε) ≤ δ; infinite where there is none. */
  double epsilon(double delta) {
    double allowed = delta - unbounded;
    if (!(allowed > 0)) {
      return Double.POSITIVE_INFINITY;
    }
    // δ(ε) = Σ_{loss > ε} p (1 − e^(ε − loss)) = above − e^(ε − base)·weighted; no double holds
    // e^710, so the base follows the loss.
    double base = (first + mass.length - 1) * interval;
    double above = 0;
    double weighted = 0;
    for (int i = mass.length - 1; i >= 0; i--) {
      double loss = (first + i) * interval;
      if (loss < 0) {
        break;
      }
      if (base - loss > MOST_EXPONENT) {
        weighted *= Math.exp(loss - base);
        base = loss;
      }
      if (above - Math.exp(loss - base) * weighted > allowed) {
        break; // δ at this point is too large: the answer lies above it
      }
      above += at(i);
      weighted += at(i) * Math.exp(base - loss);
    }
    return above - Math.exp(-base) * weighted <= allowed
        ? 0
        : Math.max(0, base + Math.log((above - allowed) / weighted));
  }

  private double at(int index) {
    return mass[(int) Math.floorMod(first + index, (long) mass.length)];
  }

  /** u with P(sign·sum &gt; u) ≤ tail. */
  private static double bound(
      List<Mechanism> history, List<LossGrid> grids, double tail, int sign) {
    double best = Double.POSITIVE_INFINITY;
    for (int k = -8; k <= 36; k++) {
      double t = Math.pow(2, k / 2.0);
      double log = -Math.log(tail);
      for (int i = 0; i < grids.size(); i++) {
        log += history.get(i).lossTimes() * logMoment(grids.get(i), sign * t);
      }
      best = Math.min(best, log / t);
    }
    return best;
  }

  /**
   * ln E[e^(t·loss)], by Horner's scheme from the end that weighs most; not below it where
   * probabilities there are so small that products of them are 0.
   */
  private static double logMoment(LossGrid grid, double t) {
    double[] mass = grid.mass();
    double ratio = Math.exp(-Math.abs(t) * grid.interval());
    double sum = 0;
    int last = mass.length - 1;
    for (int i = 0; i <= last; i++) {
      sum = sum * ratio + mass[t > 0 ? i : last - i];
    }
    double extreme = (grid.first() + (t > 0 ? last : 0)) * grid.interval();
    return t * extreme + Math.log(sum + mass.length * Double.MIN_NORMAL);
  }

  private static double[] convolve(List<Mechanism> history, List<LossGrid> grids, int size) {
    Fourier fourier = new Fourier(size);
    double[] productReal = null;
    double[] productImaginary = null;
    for (int i = 0; i < grids.size(); i++) {
      double[] real = wrapped(grids.get(i), size);
      double[] imaginary = new double[size];
      fourier.forward(real, imaginary);
      power(real, imaginary, history.get(i).lossTimes());
      if (productReal == null) {
        productReal = real;
        productImaginary = imaginary;
      } else {
        multiply(productReal, productImaginary, real, imaginary);
      }
    }
    fourier.inverse(productReal, productImaginary);
    return productReal;
  }

  private static double[] wrapped(LossGrid grid, int size) {
    double[] wrapped = new double[size];
    for (int i = 0; i < grid.mass().length; i++) {
      wrapped[(int) Math.floorMod(grid.first() + i, (long) size)] += grid.mass()[i];
    }
    return wrapped;
  }

  private static void multiply(double[] re, double[] im, double[] otherRe, double[] otherIm) {
    for (int i = 0; i < re.length; i++) {
      double r = re[i] * otherRe[i] - im[i] * otherIm[i];
      im[i] = re[i] * otherIm[i] + im[i] * otherRe[i];
      re[i] = r;
    }
  }

  /** Each number to a whole power, by squaring; what is below 1e-140 is 0. */
  private static void power(double[] re, double[] im, long exponent) {
    for (int i = 0; i < re.length; i++) {
      double baseRe = re[i];
      double baseIm = im[i];
      double r = 1;
      double s = 0;
      for (long bits = exponent; bits > 0; bits >>= 1) {
        if ((bits & 1) == 1) {
          double t = r * baseRe - s * baseIm;
          s = r * baseIm + s * baseRe;
          r = t;
        }
        double t = baseRe * baseRe - baseIm * baseIm;
        baseIm = 2 * baseRe * baseIm;
        baseRe = t;
        if (Math.abs(baseRe) + Math.abs(baseIm) < 1e-140 && bits > 1) {
          r = 0;
          s = 0;
          break;
        }
      }
      re[i] = r;
      im[i] = s;
    }
  }
}
