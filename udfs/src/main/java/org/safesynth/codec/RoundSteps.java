package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.Serializable;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * How round the numbers of a bin are: the share of records whose tick is a multiple of each step of
 * a ladder (1, 5, 10, 50, … for numbers), so that no digits are invented where people write round
 * numbers.
 */
final class RoundSteps implements Serializable {
  private static final int TRIES = 8;

  private final long[] steps;
  private final double[] shares;

  /**
   * Takes a ladder.
   *
   * @param steps ascending, each dividing the next, the first 1
   * @param shares (steps) of records whose greatest dividing step is this one
   */
  @JsonCreator
  RoundSteps(@JsonProperty("steps") long[] steps, @JsonProperty("shares") double[] shares) {
    this.steps = steps.clone();
    this.shares = shares.clone();
  }

  @JsonProperty("steps")
  long[] steps() {
    return steps.clone();
  }

  @JsonProperty("shares")
  double[] shares() {
    return shares.clone();
  }

  /** Counts the greatest dividing step of each tick. */
  static RoundSteps of(long[] steps, long[] ticks, double[] weights) {
    double[] shares = new double[steps.length];
    for (int i = 0; i < ticks.length; i++) {
      shares[level(steps, ticks[i])] += weights[i];
    }
    return ofCounts(steps, shares);
  }

  /** Records of each level, not all 0, as shares. */
  static RoundSteps ofCounts(long[] steps, double[] counts) {
    double total = Arrays.stream(counts).sum();
    return new RoundSteps(steps, Arrays.stream(counts).map(count -> count / total).toArray());
  }

  /** The level of the greatest step that divides a tick. */
  static int level(long[] steps, long tick) {
    int level = steps.length - 1;
    while (level > 0 && tick % steps[level] != 0) {
      level--;
    }
    return level;
  }

  /** Share of records that are no multiple of any step above 1. */
  double fineShare() {
    return shares[0];
  }

  /** A tick of the closed interval, as round as the bin's records are. */
  long draw(long low, long high, RandomGenerator random) {
    if (low == high) {
      return low;
    }
    for (int i = 0; i < TRIES; i++) {
      int level = level(random.nextDouble());
      long step = steps[level];
      long first = -Math.floorDiv(-low, step); // the ceiling
      long last = Math.floorDiv(high, step);
      if (first > last) {
        continue;
      }
      long tick = random.nextLong(first, last + 1) * step;
      boolean rounder = level + 1 < steps.length && tick % steps[level + 1] == 0;
      if (!rounder) {
        return tick;
      }
    }
    for (int level = 0; level < steps.length; level++) {
      long first = -Math.floorDiv(-low, steps[level]);
      long last = Math.floorDiv(high, steps[level]);
      if (shares[level] > 0 && first <= last) {
        return random.nextLong(first, last + 1) * steps[level];
      }
    }
    return random.nextLong(low, Math.addExact(high, 1));
  }

  private int level(double u) {
    double sum = 0;
    for (int i = 0; i < shares.length - 1; i++) {
      sum += shares[i];
      if (u < sum) {
        return i;
      }
    }
    return shares.length - 1;
  }
}
