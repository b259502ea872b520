package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.LongFunction;
import org.safesynth.privacy.GaussianNoise;
import org.safesynth.privacy.NoiseMultiplier;
import org.safesynth.privacy.PoissonSampler;
import org.safesynth.privacy.SamplingRate;
import org.safesynth.privacy.SecretStreams;

/**
 * What one step of private training makes of the units that it draws, worked out unit by unit in
 * float64: clipped, summed, noised and divided. The same with a planted bug of each kind must
 * differ by far, or a comparison with the account could not see that bug in the trainer.
 *
 * @param units that may be drawn
 * @param rate with which each is
 * @param part units of a micro-batch, for the bug that draws noise for each
 * @param parameters P
 * @param gradient of a unit, (P), by a backward pass of its own
 * @param rows gradients of a unit's rows, each (P), of which the former is the sum
 */
record StepAccount(
    long units,
    double rate,
    int part,
    int parameters,
    LongFunction<double[]> gradient,
    LongFunction<List<double[]>> rows) {
  static final double SIGMA = 0.8;
  static final double CLIP = 0.7;

  /** Steps taken before the one that is looked at. */
  static final long STEP = 3;

  private static final double BETA_1 = 0.9;

  /** What a wrong implementation does. */
  enum Bug {
    NONE,
    NO_NOISE,
    NOISE_PER_MICRO_BATCH,
    SHUFFLE_INSTEAD_OF_POISSON,
    DIVISION_BY_REALISED_BATCH,
    CLIPPING_AFTER_AVERAGING,
    NO_CLIPPING,
    CLIPPING_OF_ROWS
  }

  /** Of units that are single rows. */
  StepAccount(long units, double rate, int part, int parameters, LongFunction<double[]> gradient) {
    this(units, rate, part, parameters, gradient, null);
  }

  double expected() {
    return rate * units;
  }

  /** The plan of a trainer that is compared. */
  PrivatePlan plan(double samplingRate, int microBatch, long steps) {
    return new PrivatePlan(
        new SamplingRate(samplingRate),
        expected(),
        new NoiseMultiplier(SIGMA),
        CLIP,
        steps,
        microBatch,
        1e-3,
        1,
        0.01,
        0.9);
  }

  /** A run that has taken {@link #STEP} of one step more. */
  static CheckpointStore begun(float[] weights) {
    Checkpoint start =
        new Checkpoint(
            STEP,
            0,
            0,
            Double.POSITIVE_INFINITY,
            STEP,
            STEP + 1,
            weights.clone(),
            new float[weights.length],
            new float[weights.length],
            weights.clone(),
            weights.clone(),
            0);
    return new CheckpointStore() {
      @Override
      public void save(Checkpoint checkpoint) {}

      @Override
      public Optional<Checkpoint> newest() {
        return Optional.of(start);
      }
    };
  }

  /** The gradient of the one step since {@link #begun}, as Adam's first moment tells it. */
  static double[] gradientOf(Checkpoint end) {
    double[] gradient = new double[end.momentum().length];
    Arrays.setAll(gradient, i -> end.momentum()[i] / (1 - BETA_1));
    return gradient;
  }

  static double distance(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }

  /** The step's noise. */
  double[] noise(SecretStreams streams) {
    return new GaussianNoise(
            streams, new NoiseMultiplier(SIGMA), PrivatePlan.sensitivity(CLIP), parameters)
        .draw(STEP);
  }

  /** The step's gradient. */
  double[] of(Bug bug, long key) {
    SecretStreams streams = SecretStreams.withTestKey(key);
    long[] drawn = new PoissonSampler(streams, new SamplingRate(rate), units).sample(STEP);
    if (bug == Bug.SHUFFLE_INSTEAD_OF_POISSON) {
      drawn = shuffled(key);
    }
    double[] sum = clipped(bug, drawn);
    double[] noise = noise(streams);
    int parts = (drawn.length + part - 1) / part;
    assertTrue(parts > 1 && drawn.length != expected(), "a case that shows the bugs");
    for (int draw = 0; draw < draws(bug, parts); draw++) {
      add(sum, draw == 0 ? noise : noise(SecretStreams.withTestKey(1000 + draw)), 1);
    }
    double divisor = bug == Bug.DIVISION_BY_REALISED_BATCH ? drawn.length : expected();
    return Arrays.stream(sum).map(x -> x / divisor).toArray();
  }

  private double[] clipped(Bug bug, long[] drawn) {
    double[] sum = new double[parameters];
    for (long unit : drawn) {
      switch (bug) {
        case NO_CLIPPING, CLIPPING_AFTER_AVERAGING -> add(sum, gradient.apply(unit), 1);
        case CLIPPING_OF_ROWS -> rows.apply(unit).forEach(row -> addClipped(sum, row));
        default -> addClipped(sum, gradient.apply(unit));
      }
    }
    if (bug != Bug.CLIPPING_AFTER_AVERAGING) {
      return sum;
    }
    double[] mean = new double[parameters];
    addClipped(mean, Arrays.stream(sum).map(x -> x / expected()).toArray());
    return Arrays.stream(mean).map(x -> x * expected()).toArray();
  }

  private static int draws(Bug bug, int parts) {
    return switch (bug) {
      case NO_NOISE -> 0;
      case NOISE_PER_MICRO_BATCH -> parts;
      default -> 1;
    };
  }

  private long[] shuffled(long key) {
    List<Long> order = new ArrayList<>();
    for (long i = 0; i < units; i++) {
      order.add(i);
    }
    Collections.shuffle(order, new Random(key));
    return order.stream().mapToLong(Long::longValue).limit((long) expected() + 1).toArray();
  }

  private static void addClipped(double[] sum, double[] gradient) {
    double squares = Arrays.stream(gradient).map(g -> g * g).sum();
    add(sum, gradient, Math.min(1, CLIP / Math.sqrt(squares)));
  }

  private static void add(double[] sum, double[] gradient, double factor) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += factor * gradient[i];
    }
  }
}
