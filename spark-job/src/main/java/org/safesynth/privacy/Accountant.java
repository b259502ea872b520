package org.safesynth.privacy;

import java.util.List;

/** The way in which the cost of a history is bounded. */
public enum Accountant {
  /** Rényi divergences. */
  RDP,
  /** Privacy loss distributions: tighter, slower. */
  PLD;

  /** ε at δ of a history. */
  public double epsilon(List<Mechanism> history, Delta delta) {
    return this == RDP
        ? RdpAccountant.spent(history, delta).epsilon()
        : PldAccountant.spent(history, delta).epsilon();
  }
}
