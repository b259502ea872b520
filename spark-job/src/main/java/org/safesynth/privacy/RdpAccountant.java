package org.safesynth.privacy;

import java.util.Arrays;
import java.util.List;

/**
 * Adds up Rényi divergences, order by order, and converts to (ε, δ) once.
 *
 * <p>Composition: Mironov 2017, proposition 1. Conversion: Canonne, Kamath and Steinke 2020,
 * proposition 12. Every order gives a valid ε, so the least over any set of them is valid; the set
 * here goes on until the best order is not at its edge.
 */
public final class RdpAccountant {
  private static final double[] ORDERS = orders();
  private static final int STRIDE = 12;
  private static final double LARGEST_ORDER = 1e5;
  private static final double NEAREST_TO_ONE = 1e-6;

  private RdpAccountant() {}

  /**
   * What a history has cost at most.
   *
   * @param order at which the bound was found
   */
  public record Spent(double epsilon, double order) {}

  /** ε at δ; infinite where the failures on record alone use δ up. */
  public static Spent spent(List<Mechanism> history, Delta delta) {
    double left = delta.value() - failure(history);
    if (!(left > 0)) {
      return new Spent(Double.POSITIVE_INFINITY, Double.NaN);
    }
    if (history.isEmpty()) {
      return new Spent(0, Double.POSITIVE_INFINITY);
    }
    int best = 0;
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < ORDERS.length; i += STRIDE) {
      double epsilon = at(history, left, ORDERS[i]);
      if (epsilon < least) {
        least = epsilon;
        best = i;
      } else if (i > best + 2 * STRIDE) {
        break; // the bound falls, then rises: the rest, and the costly high orders, are worse
      }
    }
    int until = Math.min(ORDERS.length, best + STRIDE);
    for (int i = Math.max(0, best - STRIDE + 1); i < until; i++) {
      double epsilon = at(history, left, ORDERS[i]);
      if (epsilon < least) {
        least = epsilon;
        best = i;
      }
    }
    Spent found = new Spent(least, ORDERS[best]);
    if (best == 0) {
      found = beyond(history, left, found, true);
    } else if (best == ORDERS.length - 1) {
      found = beyond(history, left, found, false);
    }
    return new Spent(Math.max(0, found.epsilon()), found.order());
  }

  /** The least ε over the given orders. */
  public static Spent spent(List<Mechanism> history, Delta delta, double[] orders) {
    double left = delta.value() - failure(history);
    Spent found = new Spent(Double.POSITIVE_INFINITY, Double.NaN);
    for (double order : orders) {
      double epsilon = left > 0 ? at(history, left, order) : Double.POSITIVE_INFINITY;
      if (epsilon < found.epsilon()) {
        found = new Spent(epsilon, order);
      }
    }
    return new Spent(Math.max(0, found.epsilon()), found.order());
  }

  /** The whole of δ that releases known by (ε, δ) alone have used. */
  static double failure(List<Mechanism> history) {
    return history.stream().mapToDouble(Mechanism::failure).sum();
  }

  private static Spent beyond(List<Mechanism> history, double delta, Spent edge, boolean down) {
    Spent best = edge;
    double order = edge.order();
    while (down ? order - 1 > NEAREST_TO_ONE : order < LARGEST_ORDER) {
      order = down ? 1 + (order - 1) * 0.8 : Math.rint(order * 1.25);
      double epsilon = at(history, delta, order);
      if (!(epsilon < best.epsilon())) {
        break;
      }
      best = new Spent(epsilon, order);
    }
    return best;
  }

  private static double at(List<Mechanism> history, double delta, double order) {
    double renyi = 0;
    for (Mechanism mechanism : history) {
      renyi += mechanism.renyi(order);
    }
    return renyi + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1);
  }

  /** 1.01 to 1.1 finely, by tenths to 11, whole to 64, then by eighths of themselves to 8192. */
  private static double[] orders() {
    double[] orders = new double[400];
    int size = 0;
    for (int i = 1; i < 10; i++) {
      orders[size++] = 1 + i / 100.0;
    }
    for (int i = 11; i < 110; i++) {
      orders[size++] = i / 10.0;
    }
    for (int i = 11; i <= 64; i++) {
      orders[size++] = i;
    }
    while (orders[size - 1] < 8192) {
      orders[size] = Math.rint(orders[size - 1] * 1.125);
      size++;
    }
    return Arrays.copyOf(orders, size);
  }
}
