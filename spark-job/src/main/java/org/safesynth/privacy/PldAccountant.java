package org.safesynth.privacy;

import java.util.List;
import org.safesynth.privacy.LossDistribution.Direction;

/**
 * Composes privacy loss distributions on a grid, never below the truth: {@link LossGrid} for the
 * grid, {@link ComposedLosses} for the sum. ε is the larger one of removing and adding a unit.
 *
 * <p><b>Stated error.</b> Putting a loss on the grid of width h moves it by D, |D| ≤ h, with E[e^-D
 * | loss] = 1, so E[D] ≤ h²/8 (Hoeffding's lemma), and the D of n applications are independent. By
 * Hoeffding's inequality their sum exceeds n·h²/8 + h·√(n·ln(1000/δ)/2) with probability at most
 * δ/1000: the ε here is at most that much above the true ε at .999·δ, less the parts of δ that go
 * to tails and rounding.
 */
public final class PldAccountant {
  /** Added to every ε, for what is argued to be below it ({@link DiscreteGaussianCounts}). */
  private static final double ALLOWANCE = 1e-9;

  private static final double DEFAULT_INTERVAL = 1e-4;
  private static final double MOST_CELLS = 1 << 20;

  private PldAccountant() {}

  /**
   * What a history has cost at most.
   *
   * @param interval of the grid of losses
   * @param error by which ε may be too high, for the grid's sake
   */
  public record Spent(double epsilon, double interval, double error) {}

  /** ε at δ, on a grid that suits the history. */
  public static Spent spent(List<Mechanism> history, Delta delta) {
    if (history.isEmpty()) {
      return new Spent(0, DEFAULT_INTERVAL, 0);
    }
    double rdp = RdpAccountant.spent(history, delta).epsilon();
    if (rdp == Double.POSITIVE_INFINITY) {
      return new Spent(rdp, DEFAULT_INTERVAL, 0);
    }
    double interval = interval(history, delta, rdp);
    while (true) {
      try {
        return spent(history, delta, interval);
      } catch (ComposedLosses.TooFineException e) {
        interval *= 2; // coarser is never below the truth either
      }
    }
  }

  /** ε at δ, on a grid of the given interval. */
  public static Spent spent(List<Mechanism> history, Delta delta, double interval) {
    double epsilon = 0;
    for (Direction direction : Direction.values()) {
      ComposedLosses losses = new ComposedLosses(history, direction, interval, delta.value());
      epsilon = Math.max(epsilon, losses.epsilon(delta.value()));
    }
    if (Double.isNaN(epsilon)) {
      throw new IllegalStateException("the cost of %s is not a number".formatted(history));
    }
    return new Spent(epsilon + ALLOWANCE, interval, error(applications(history), interval, delta));
  }

  static double error(long applications, double interval, Delta delta) {
    return ALLOWANCE
        + applications * interval * interval / 8
        + interval * Math.sqrt(applications * Math.log(1000 / delta.value()) / 2);
  }

  private static long applications(List<Mechanism> history) {
    return history.stream().mapToLong(Mechanism::lossTimes).sum();
  }

  /** An error of some per cent of ε, and losses that fit into memory. */
  private static double interval(List<Mechanism> history, Delta delta, double rdp) {
    double roots = Math.sqrt(applications(history) * Math.log(1000 / delta.value()) / 2);
    double interval = Math.min(DEFAULT_INTERVAL, Math.max(rdp, 1e-6) * 0.02 / roots);
    double widest = 4 * rdp;
    for (Mechanism mechanism : history) {
      for (Direction direction : Direction.values()) {
        LossDistribution losses = mechanism.losses(direction);
        widest = Math.max(widest, losses.highest() - losses.lowest());
      }
    }
    return Math.max(interval, widest / MOST_CELLS);
  }
}
