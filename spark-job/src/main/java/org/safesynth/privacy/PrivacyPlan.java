package org.safesynth.privacy;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.safesynth.fault.BadInputException;

/**
 * Private training as it was planned before its first step: all that its cost depends on. Saved
 * with every checkpoint; a run that resumes must have planned the same.
 *
 * @param before releases on the same budget, before training
 */
public record PrivacyPlan(
    double epsilon,
    double delta,
    Accountant accountant,
    double samplingRate,
    double noiseMultiplier,
    double clipNorm,
    long steps,
    double expectedBatchSize,
    List<LedgerEntry> before) {
  public PrivacyPlan {
    Objects.requireNonNull(accountant, "accountant");
    before = List.copyOf(before);
  }

  /** What the first {@code done} steps and everything before them have cost. */
  public double epsilonAfter(long done) {
    List<Mechanism> history = new ArrayList<>();
    before.forEach(entry -> history.add(entry.mechanism()));
    if (done > 0) {
      history.add(
          new SubsampledGaussian(
              new SamplingRate(samplingRate), new NoiseMultiplier(noiseMultiplier), done));
    }
    return accountant.epsilon(history, new Delta(delta));
  }

  /**
   * Refuses to go on from a checkpoint of another plan: the steps already made would be accounted
   * for with the wrong noise, rate or history.
   *
   * @param saved the plan in the checkpoint
   */
  public void requireSame(PrivacyPlan saved) {
    if (saved == null) {
      throw new BadInputException(
          "the checkpoint holds no privacy plan, so it comes from a run without differential privacy; start a new run with another --run-id");
    }
    same("privacy.epsilon", saved.epsilon, epsilon);
    same("delta", saved.delta, delta);
    same("privacy.accountant", saved.accountant, accountant);
    same("the sampling rate", saved.samplingRate, samplingRate);
    same("the noise multiplier", saved.noiseMultiplier, noiseMultiplier);
    same("privacy.per_sample_max_grad_norm", saved.clipNorm, clipNorm);
    same("the number of steps", saved.steps, steps);
    same("the expected batch size", saved.expectedBatchSize, expectedBatchSize);
    same("the list of earlier releases", saved.before, before);
  }

  private static void same(String name, Object saved, Object planned) {
    if (!saved.equals(planned)) {
      throw new BadInputException(
          "%s was %s when the checkpoint was written and is %s now; a private run goes on only as it was planned: restore the setting, or start a new run with another --run-id"
              .formatted(name, saved, planned));
    }
  }
}
