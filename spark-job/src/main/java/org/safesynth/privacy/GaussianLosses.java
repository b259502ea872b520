package org.safesynth.privacy;

/**
 * Losses of the Poisson-subsampled Gaussian, sensitivity 1: N(0, σ²) against (1−q)N(0, σ²) + qN(1,
 * σ²), which dominates the mechanism in each direction (Zhu, Dong and Wang 2022, theorem 11).
 *
 * <p>With r(x) = ln(1 − q + q·exp((2x−1)/2σ²)), rising in x, the loss is r(x) for removing a unit
 * (x from the mixture) and −r(x) for adding one (x from N(0, σ²)). Ten standard deviations are kept
 * on both sides; what is beyond, below 2e-23, counts as unbounded loss.
 */
record GaussianLosses(double q, double sigma, Direction direction) implements LossDistribution {
  private static final double REACH = 10;
  private static final double BEYOND = 2e-23; // 2 Φ(-10) = 1.5e-23

  @Override
  public double lowest() {
    return isRemoval() ? ratio(-REACH * sigma) : -ratio(REACH * sigma);
  }

  @Override
  public double highest() {
    return isRemoval() ? ratio(1 + REACH * sigma) : -ratio(-REACH * sigma);
  }

  @Override
  public double left() {
    return BEYOND;
  }

  @Override
  public void spread(LossGrid grid) {
    LossGrid.Density density = isRemoval() ? new Removal(q, sigma) : new Addition(q, sigma);
    double from = -REACH * sigma;
    double to = isRemoval() ? 1 + REACH * sigma : REACH * sigma;
    double sign = isRemoval() ? 1 : -1;
    double x = from;
    // Upwards in x: cells rise for a removal and fall for an addition.
    int cell = grid.cellOf(sign * ratio(from));
    while (x < to) {
      double edge = isRemoval() ? grid.start(cell + 1) : -grid.start(cell);
      double end = Math.max(x, Math.min(to, inverse(edge)));
      if (end > x) {
        grid.add(cell, x, end, sigma / 5, density);
      }
      x = end;
      int next = cell + (isRemoval() ? 1 : -1);
      if (next < 0 || next >= grid.cells()) {
        break;
      }
      cell = next;
    }
    if (x < to) {
      grid.add(cell, x, to, sigma / 5, density); // rounding at the last edge
    }
  }

  private boolean isRemoval() {
    return direction == Direction.REMOVE;
  }

  private double ratio(double x) {
    return ratio(q, sigma, x);
  }

  private static double ratio(double q, double sigma, double x) {
    double exponent = (2 * x - 1) / (2 * sigma * sigma);
    if (q == 1) {
      return exponent;
    }
    return exponent > 500 ? Math.log(q) + exponent : Math.log1p(q * Math.expm1(exponent));
  }

  /** The x where r(x) is the given value; below all values, minus infinity. */
  private double inverse(double value) {
    double exponent;
    if (q == 1) {
      exponent = value;
    } else if (value > 500) {
      exponent = value - Math.log(q);
    } else {
      double u = Math.expm1(value) / q;
      exponent = u <= -1 ? Double.NEGATIVE_INFINITY : Math.log1p(u);
    }
    return sigma * sigma * exponent + 0.5;
  }

  private static double normal(double x, double sigma) {
    return Math.exp(-x * x / (2 * sigma * sigma)) / (sigma * Math.sqrt(2 * Math.PI));
  }

  private record Removal(double q, double sigma) implements LossGrid.Density {
    @Override
    public double density(double x) {
      return (1 - q) * normal(x, sigma) + q * normal(x - 1, sigma);
    }

    @Override
    public double loss(double x) {
      return ratio(q, sigma, x);
    }
  }

  private record Addition(double q, double sigma) implements LossGrid.Density {
    @Override
    public double density(double x) {
      return normal(x, sigma);
    }

    @Override
    public double loss(double x) {
      return -ratio(q, sigma, x);
    }
  }
}
