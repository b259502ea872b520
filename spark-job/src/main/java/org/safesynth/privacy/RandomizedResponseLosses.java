package org.safesynth.privacy;

/** Losses of telling the truth with odds e^ε: ε or −ε. */
record RandomizedResponseLosses(double epsilon) implements LossDistribution {
  @Override
  public double lowest() {
    return -epsilon;
  }

  @Override
  public double highest() {
    return epsilon;
  }

  @Override
  public double left() {
    return 0;
  }

  @Override
  public void spread(LossGrid grid) {
    double lie = 1 / (1 + Math.exp(epsilon));
    grid.add(epsilon, 1 - lie);
    grid.add(-epsilon, lie);
  }
}
