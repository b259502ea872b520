package org.safesynth.privacy;

/**
 * Losses of Laplace noise of scale b, sensitivity 1; the same in both directions. The loss is 1/b
 * with probability 1/2, −1/b with probability e^(−1/b)/2, and has density e^((l − 1/b)/2)/4
 * between.
 */
record LaplaceLosses(double scale) implements LossDistribution {
  @Override
  public double lowest() {
    return -1 / scale;
  }

  @Override
  public double highest() {
    return 1 / scale;
  }

  @Override
  public double left() {
    return 0;
  }

  @Override
  public void spread(LossGrid grid) {
    double top = 1 / scale;
    grid.add(top, 0.5);
    grid.add(-top, Math.exp(-top) / 2);
    LossGrid.Density between =
        new LossGrid.Density() {
          @Override
          public double density(double loss) {
            return Math.exp((loss - top) / 2) / 4;
          }

          @Override
          public double loss(double loss) {
            return loss;
          }
        };
    int last = grid.cellOf(top);
    for (int cell = grid.cellOf(-top); cell <= last; cell++) {
      double from = Math.max(-top, grid.start(cell));
      double to = Math.min(top, grid.start(cell + 1));
      if (to > from) {
        grid.add(cell, from, to, 0.1, between);
      }
    }
  }
}
