package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.fault.BadInputException;
import org.safesynth.privacy.NoiseMultiplier;
import org.safesynth.privacy.SamplingRate;
import org.safesynth.train.Checkpoint;
import org.safesynth.train.PrivatePlan;

/**
 * A private run goes on from its own checkpoints only: steps already taken were paid for as
 * planned.
 */
@Tag("unit")
final class PrivateCheckpointsTest {
  private static final ExamplesManifest EXAMPLES = new ExamplesManifest("own", 10, 3, List.of());

  @TempDir private Path temp;
  private FolderCheckpoints checkpoints;

  @BeforeEach
  void open() {
    checkpoints =
        new FolderCheckpoints(
            new Configuration(), new org.apache.hadoop.fs.Path(temp.resolve("c").toUri()));
  }

  private static PrivatePlan plan(double rate, double noise, double clipNorm, long steps) {
    return new PrivatePlan(
        new SamplingRate(rate),
        5,
        new NoiseMultiplier(noise),
        clipNorm,
        steps,
        64,
        1e-3,
        1,
        0.01,
        0.9);
  }

  private void require(ExamplesManifest examples, PrivatePlan plan) {
    PrivateTrainingTask.requireSame(
        checkpoints,
        "the folder",
        new PrivateTrainingTask.SavedPlan(
            PrivateTrainingTask.SavedPlan.DP_SGD, examples.fingerprint(), plan));
  }

  @Test
  void thePlanOfTheRunIsTheOneItWasBegunWith() {
    require(EXAMPLES, plan(0.1, 2, 1, 100));
    require(EXAMPLES, plan(0.1, 2, 1, 100));
    for (PrivatePlan other :
        List.of(
            plan(0.2, 2, 1, 100),
            plan(0.1, 1.9, 1, 100),
            plan(0.1, 2, 3, 100),
            plan(0.1, 2, 1, 101))) {
      refused(EXAMPLES, other, "resume with the settings that the run was begun with");
    }
    ExamplesManifest ofAnother = new ExamplesManifest("another", 10, 3, List.of());
    refused(ofAnother, plan(0.1, 2, 1, 100), "belongs to another run");
  }

  @Test
  void checkpointsWithoutPrivacyAreRefused() {
    float[] weights = {1};
    checkpoints.save(
        new Checkpoint(1, 0, 0, 1, 1, 9, weights, weights, weights, weights, weights, 0));
    refused(EXAMPLES, plan(0.1, 2, 1, 100), "without differential privacy");
  }

  private void refused(ExamplesManifest examples, PrivatePlan plan, String words) {
    BadInputException e = assertThrows(BadInputException.class, () -> require(examples, plan));
    assertTrue(e.getMessage().contains(words), e.getMessage());
  }
}
