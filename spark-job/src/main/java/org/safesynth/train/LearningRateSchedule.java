package org.safesynth.train;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * Courses of the learning rate by the names that Hugging Face's SchedulerType gives them, with its
 * own defaults; where it has none (the floor of the cosine, the length of the decay), a tenth.
 *
 * <p>All but {@link #REDUCE_LR_ON_PLATEAU} depend on the step alone, so that a resumed run goes on
 * with the same rates; that one also needs what {@link PlateauRate} remembers.
 */
public enum LearningRateSchedule {
  LINEAR,
  COSINE,
  COSINE_WITH_RESTARTS,
  POLYNOMIAL,
  CONSTANT,
  CONSTANT_WITH_WARMUP,
  INVERSE_SQRT,
  REDUCE_LR_ON_PLATEAU,
  COSINE_WITH_MIN_LR,
  COSINE_WARMUP_WITH_MIN_LR,
  WARMUP_STABLE_DECAY;

  private static final double FLOOR = 0.1; // of the highest rate
  private static final double DECAY_SHARE = 0.1; // of all steps
  private static final double POLYNOMIAL_END = 1e-7; // a rate, not a share
  private static final double TIMESCALE_WITHOUT_WARMUP = 10_000;

  /** Finds a schedule by Hugging Face's name, for example cosine_with_restarts. */
  public static Optional<LearningRateSchedule> named(String name) {
    return Arrays.stream(values())
        .filter(schedule -> schedule.name().toLowerCase(Locale.ROOT).equals(name))
        .findFirst();
  }

  /** Steps over which the rate rises: the share of all steps, rounded up. */
  public static long warmupSteps(double ratio, long totalSteps) {
    return (long) Math.ceil(ratio * totalSteps);
  }

  /** Whether the rate depends on the validation losses too. */
  public boolean followsLoss() {
    return this == REDUCE_LR_ON_PLATEAU;
  }

  /**
   * The learning rate of a step.
   *
   * @param highest the rate after warm-up
   * @param step from 0
   * @param warmupSteps steps over which the rate rises
   * @param totalSteps steps of the whole run
   */
  public double rate(double highest, long step, long warmupSteps, long totalSteps) {
    if (this == CONSTANT || this == REDUCE_LR_ON_PLATEAU) {
      return highest;
    }
    if (step < warmupSteps) {
      long risen = this == COSINE_WARMUP_WITH_MIN_LR ? step + 1 : step;
      return highest * risen / warmupSteps;
    }
    long late = this == COSINE_WARMUP_WITH_MIN_LR ? step + 1 : step;
    double progress = (double) (late - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
    return switch (this) {
      case LINEAR -> highest * Math.max(0, 1 - progress);
      case COSINE -> highest * cosine(progress);
      case COSINE_WITH_RESTARTS -> progress >= 1 ? 0 : highest * cosine(progress);
      case POLYNOMIAL -> (highest - POLYNOMIAL_END) * Math.max(0, 1 - progress) + POLYNOMIAL_END;
      case INVERSE_SQRT -> highest * inverseRoot(step, warmupSteps);
      case COSINE_WITH_MIN_LR, COSINE_WARMUP_WITH_MIN_LR ->
          highest * (cosine(progress) * (1 - FLOOR) + FLOOR);
      case WARMUP_STABLE_DECAY -> highest * stableThenDecay(step, totalSteps);
      default -> highest;
    };
  }

  private static double cosine(double progress) {
    return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
  }

  private static double inverseRoot(long step, long warmupSteps) {
    double timescale = warmupSteps > 0 ? warmupSteps : TIMESCALE_WITHOUT_WARMUP;
    return 1 / Math.sqrt((step + timescale - warmupSteps) / timescale);
  }

  private static double stableThenDecay(long step, long totalSteps) {
    long decaySteps = (long) Math.ceil(DECAY_SHARE * totalSteps);
    long into = step - (totalSteps - decaySteps);
    if (into < 0) {
      return 1;
    }
    return into >= decaySteps ? 0 : cosine((double) into / decaySteps);
  }
}
