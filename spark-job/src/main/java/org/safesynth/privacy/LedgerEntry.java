package org.safesynth.privacy;

import org.safesynth.fault.BadInputException;

/**
 * One line of the ledger: a mechanism in numbers that can be written as JSON and read again. Fields
 * that a kind does not have are null.
 *
 * @param name short, such as {@code training}
 * @param what in plain words, what it released
 * @param kind which mechanism
 * @param samplingRate q
 * @param noiseMultiplier σ, or Laplace's scale, over the sensitivity
 * @param sigma noise of one count
 * @param l2Sensitivity of all counts of one application together
 * @param epsilon of a mechanism that is known by its ε
 * @param delta of a mechanism that is known by its ε and δ
 * @param times how often
 */
public record LedgerEntry(
    String name,
    String what,
    Kind kind,
    Double samplingRate,
    Double noiseMultiplier,
    Double sigma,
    Double l2Sensitivity,
    Double epsilon,
    Double delta,
    long times) {
  /** The mechanisms. */
  public enum Kind {
    POISSON_SUBSAMPLED_GAUSSIAN,
    GAUSSIAN,
    DISCRETE_GAUSSIAN,
    LAPLACE,
    KNOWN_BY_EPSILON
  }

  /** The line of a mechanism. */
  public static LedgerEntry of(String name, String what, Mechanism mechanism) {
    long times = mechanism.times();
    if (mechanism instanceof SubsampledGaussian m) {
      return new LedgerEntry(
          name,
          what,
          Kind.POISSON_SUBSAMPLED_GAUSSIAN,
          m.samplingRate().value(),
          m.noiseMultiplier().value(),
          null,
          null,
          null,
          null,
          times);
    }
    if (mechanism instanceof Gaussian m) {
      return new LedgerEntry(
          name,
          what,
          Kind.GAUSSIAN,
          null,
          m.noiseMultiplier().value(),
          null,
          null,
          null,
          null,
          times);
    }
    if (mechanism instanceof DiscreteGaussianCounts m) {
      return new LedgerEntry(
          name,
          what,
          Kind.DISCRETE_GAUSSIAN,
          null,
          m.sigma() / m.l2Sensitivity(),
          m.sigma(),
          m.l2Sensitivity(),
          null,
          null,
          times);
    }
    if (mechanism instanceof Laplace m) {
      return new LedgerEntry(
          name, what, Kind.LAPLACE, null, m.noiseMultiplier(), null, null, null, null, times);
    }
    BoundedLoss m = (BoundedLoss) mechanism;
    return new LedgerEntry(
        name, what, Kind.KNOWN_BY_EPSILON, null, null, null, null, m.epsilon(), m.delta(), times);
  }

  /** The mechanism of this line. */
  public Mechanism mechanism() {
    if (kind == null) {
      throw incomplete("kind");
    }
    return switch (kind) {
      case POISSON_SUBSAMPLED_GAUSSIAN ->
          new SubsampledGaussian(
              new SamplingRate(need(samplingRate, "sampling_rate")),
              new NoiseMultiplier(need(noiseMultiplier, "noise_multiplier")),
              times);
      case GAUSSIAN ->
          new Gaussian(new NoiseMultiplier(need(noiseMultiplier, "noise_multiplier")), times);
      case DISCRETE_GAUSSIAN ->
          new DiscreteGaussianCounts(
              need(sigma, "sigma"), need(l2Sensitivity, "l2_sensitivity"), times);
      case LAPLACE -> new Laplace(need(noiseMultiplier, "noise_multiplier"), times);
      case KNOWN_BY_EPSILON ->
          new BoundedLoss(need(epsilon, "epsilon"), need(delta, "delta"), times);
    };
  }

  private double need(Double value, String field) {
    if (value == null) {
      throw incomplete(field);
    }
    return value;
  }

  private BadInputException incomplete(String field) {
    return new BadInputException(
        "the privacy ledger's entry '%s' has no %s; the file is damaged or of another program"
            .formatted(name, field));
  }
}
