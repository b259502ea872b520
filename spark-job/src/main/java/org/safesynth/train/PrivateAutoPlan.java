package org.safesynth.train;

import java.util.List;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.model.GroupDecoderConfig;

/**
 * The rule for differentially private training where the user sets nothing: from the public or
 * noisy number of records and ε alone.
 *
 * <p>Big batches and few steps: noise is divided by the batch, and clipped gradients add up. The
 * batch is bounded, so that a step is neither all noise in a small table nor too slow in a large
 * one. Found on one table (Adult, 39,074 rows), the shares then held against three public tables
 * that are unlike it ({@code scripts/bench/private}: 5,093 to 39,116 rows of 9 to 13 columns): at ε
 * 8 their detection scores are .01 to .03 higher with .7 for noisy counts than with the .5 that it
 * began with, at ε 1 .04 to .2 higher with .7 or .75 than with .5. Width, rates and steps were
 * tried on Adult alone.
 */
public final class PrivateAutoPlan {
  private static final int HIDDEN_SIZE = 32;
  private static final int NUM_LAYERS = 2;
  private static final int HEAD_DIM = 16;
  private static final double PART_OF_THE_RECORDS = 0.1;
  private static final double LEAST_BATCH = 256;
  private static final double MOST_BATCH = 16_384;
  private static final double MOST_RATE = 0.5;
  private static final long MOST_STEPS = 100;
  private static final long LEAST_STEPS = 40;
  private static final double LEARNING_RATE = 2e-3;
  private static final double WEAK = 6;
  private static final double STRONG = 1.5;

  private PrivateAutoPlan() {}

  /** The decoder: small, since noise grows with the root of the number of parameters. */
  public static FieldDecoderConfig decoder(List<Integer> sizes, AutoPlan.Wishes wishes) {
    int hidden = wishes.hiddenSize() == null ? HIDDEN_SIZE : wishes.hiddenSize();
    int heads = hidden % HEAD_DIM == 0 ? hidden / HEAD_DIM : 1;
    int layers = wishes.numLayers() == null ? NUM_LAYERS : wishes.numLayers();
    return new FieldDecoderConfig(hidden, layers, heads, sizes);
  }

  /** Expected records of a step, at most half of all. */
  public static double batch(double records, AutoPlan.Wishes wishes) {
    double wanted = Math.max(LEAST_BATCH, Math.min(MOST_BATCH, PART_OF_THE_RECORDS * records));
    double asked = wishes.batchSize() == null ? wanted : wishes.batchSize();
    return Math.min(asked, Math.max(1, MOST_RATE * records));
  }

  /** Number of steps: fewer where the budget is small. */
  public static long steps(double epsilon, double batch, AutoPlan.Wishes wishes) {
    if (wishes.mostRecords() != null) {
      return Math.max(1, Math.round(wishes.mostRecords() / batch));
    }
    double part = (epsilon - STRONG) / (WEAK - STRONG);
    return Math.round(LEAST_STEPS + Math.max(0, Math.min(1, part)) * (MOST_STEPS - LEAST_STEPS));
  }

  /** Greatest learning rate. */
  public static double learningRate(AutoPlan.Wishes wishes) {
    return wishes.learningRate() == null ? LEARNING_RATE : wishes.learningRate();
  }

  /** Share of the budget for marginals: the less there is, the more they are worth. */
  public static double marginalShare(double epsilon) {
    return epsilon > STRONG ? 0.7 : 0.75;
  }

  /** The same for groups, of which fewer tables of pairs are bought. */
  public static double groupMarginalShare(double epsilon) {
    return epsilon >= WEAK ? 0.5 : marginalShare(epsilon);
  }

  /** The decoder of groups, whose memory is as wide as a row's hidden vector. */
  public static GroupDecoderConfig groupDecoder(
      List<Integer> sizes, int features, AutoPlan.Wishes wishes) {
    FieldDecoderConfig row = decoder(sizes, wishes);
    return new GroupDecoderConfig(row, row.hiddenSize(), features);
  }

  /** Bins of a number: enough records in each to stand out from noise. */
  public static int bins(double records, double epsilon) {
    double affordable = Math.sqrt(records * Math.min(4, epsilon)) / 6;
    return (int) Math.max(8, Math.min(32, Math.round(affordable)));
  }
}
