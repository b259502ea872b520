package org.safesynth.privacy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.stream.IntStream;
import org.safesynth.privacy.SecretStreams.Purpose;

/**
 * Gaussian noise for a sum of clipped gradients: one vector a step, standard deviation σ·C in every
 * coordinate (Abadi et al. 2016, algorithm 1, line 8).
 *
 * <p><b>Why floating point leaks nothing here.</b> Mironov (2012) and Jin et al. (2022) tell
 * databases apart by which doubles {@code value + noise} can be at all: that set depends on the
 * value. Opacus answers by summing four normals, so that the set is too large to search (Holohan
 * and Braghin 2021). Here the set does not depend on the value: sums and noise are rounded to the
 * same grid of width {@link #grid()}, a power of two near 2^-36·σC, and added as integers below
 * 2^53, which is exact. For a sum s on the grid, s + round(Z) = round(s + Z): the result is a
 * function of s + Z alone, post-processing of the ideal Gaussian mechanism. What {@link #addTo}
 * does to a sum before (rounding and clamping each coordinate) is done to every database alike, and
 * moves the L2 distance of two neighbours by at most √P·grid (see {@link #roundingSensitivity});
 * clamping shortens distances.
 *
 * <p><b>How near to ideal Z is.</b> Each coordinate is half the sum of four independent Box-Muller
 * normals computed in double from 63-bit radii (tails to 9.4 each, 18.8 in sum: probability lost
 * below 2^-62) and 53-bit angles, whose sines and cosines are right to two units in the last place.
 * Single draws are unevenly spaced, at 2^-53 or so, and radii near zero at up to 2^-26; a cell of
 * the grid holds over 2^14 neighbouring doubles of a sum within four deviations, and the
 * convolution of four draws smooths what unevenness is left, the same hardening as Opacus'. This
 * last part is an argument of orders of magnitude, as for every sampler of reals; the one above is
 * a proof.
 *
 * <p>A vector is drawn in chunks, each from its own branch of the step's stream: the same numbers
 * whatever the threads. A step's vector can be drawn once ({@link SecretStreams}).
 */
public final class GaussianNoise {
  static final int CHUNK = 4096;
  private static final int GRID_BITS = 36;
  private static final double MAX_GRID_STEPS = 0x1p51;

  private final SecretStreams streams;
  private final double std;
  private final double grid;
  private final int size;

  /**
   * Noise for vectors of {@code size} coordinates.
   *
   * @param clipNorm C, the L2 sensitivity of the sum
   */
  public GaussianNoise(
      SecretStreams streams, NoiseMultiplier noiseMultiplier, double clipNorm, int size) {
    if (!(clipNorm > 0 && clipNorm < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("the clip norm must be a number above 0");
    }
    if (size < 0) {
      throw new IllegalArgumentException("size must not be negative");
    }
    this.streams = streams;
    this.std = noiseMultiplier.value() * clipNorm;
    if (!(std >= 0x1p-900 && std <= 0x1p900)) {
      throw new IllegalArgumentException("noise of standard deviation " + std);
    }
    this.grid = Math.scalb(1.0, Math.getExponent(std) - GRID_BITS);
    this.size = size;
  }

  /** σ·C. */
  public double std() {
    return std;
  }

  /** The width of the grid that noise and sums lie on: a power of two. */
  public double grid() {
    return grid;
  }

  /** Sums are clamped to ± this before noise is added: 2^51 steps of the grid, over 2^15 σC. */
  public double mostOfASum() {
    return MAX_GRID_STEPS * grid;
  }

  /** By how much at most rounding to the grid moves two neighbouring sums apart, in L2 norm. */
  public double roundingSensitivity() {
    return Math.sqrt(size) * grid;
  }

  /** The noise of a step: multiples of {@link #grid()}. Once a step. */
  public double[] draw(long step) {
    SecretStream stream = streams.stream(Purpose.GRADIENT_NOISE, step);
    double[] noise = new double[size]; // (parameters)
    for (int chunk = 0; chunk < chunks(); chunk++) {
      fill(stream, chunk, noise);
    }
    return noise;
  }

  /** The same vector as {@link #draw}, drawn by the executor's threads while the caller goes on. */
  public CompletableFuture<double[]> drawAhead(long step, Executor executor) {
    SecretStream stream = streams.stream(Purpose.GRADIENT_NOISE, step);
    double[] noise = new double[size]; // (parameters)
    CompletableFuture<?>[] parts =
        IntStream.range(0, chunks())
            .mapToObj(
                chunk -> CompletableFuture.runAsync(() -> fill(stream, chunk, noise), executor))
            .toArray(CompletableFuture[]::new);
    return CompletableFuture.allOf(parts).thenApply(unused -> noise);
  }

  /** Rounds and clamps the sum to the grid and adds the noise, exactly. */
  public void addTo(double[] sum, double[] noise) {
    double perGrid = 1 / grid; // a power of two: exact
    for (int i = 0; i < sum.length; i++) {
      if (Double.isNaN(sum[i])) {
        throw new IllegalArgumentException("coordinate " + i + " of the sum is not a number");
      }
      sum[i] = (steps(sum[i] * perGrid) + noise[i] * perGrid) * grid;
    }
  }

  private static double steps(double inGrid) {
    return Math.max(-MAX_GRID_STEPS, Math.min(MAX_GRID_STEPS, Math.rint(inGrid)));
  }

  private int chunks() {
    return (size + CHUNK - 1) / CHUNK;
  }

  private void fill(SecretStream stream, int chunk, double[] noise) {
    int from = chunk * CHUNK;
    int to = Math.min(size, from + CHUNK);
    double toGrid = std / grid / 2; // half the sum of four normals is a normal
    double[] sums = StandardNormals.sumsOfFour(stream.branch(chunk + 1L), to - from);
    for (int i = from; i < to; i++) {
      noise[i] = Math.rint(sums[i - from] * toGrid) * grid;
    }
  }
}
