package org.safesynth.train;

/**
 * A learning rate that falls to a tenth when the validation loss has not improved for more than ten
 * validations: PyTorch's ReduceLROnPlateau with its defaults.
 *
 * @param rate the learning rate now
 * @param best lowest loss so far, infinite before the first
 * @param idle validations since it last improved
 */
public record PlateauRate(double rate, double best, int idle) {
  private static final double FACTOR = 0.1;
  private static final int PATIENCE = 10;
  private static final double THRESHOLD = 1e-4; // relative
  private static final double LEAST_CHANGE = 1e-8; // a smaller fall is not made

  /** Before the first validation. */
  public static PlateauRate start(double rate) {
    return new PlateauRate(rate, Double.POSITIVE_INFINITY, 0);
  }

  /** After a validation. */
  public PlateauRate after(double loss) {
    if (loss < best * (1 - THRESHOLD)) {
      return new PlateauRate(rate, loss, 0);
    }
    if (idle < PATIENCE) {
      return new PlateauRate(rate, best, idle + 1);
    }
    double lower = rate * FACTOR;
    return new PlateauRate(rate - lower > LEAST_CHANGE ? lower : rate, best, 0);
  }
}
