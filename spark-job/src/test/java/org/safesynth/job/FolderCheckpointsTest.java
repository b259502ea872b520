package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.train.AutoPlan;
import org.safesynth.train.Checkpoint;
import org.safesynth.train.TrainingPlan;

@Tag("unit")
final class FolderCheckpointsTest {
  @TempDir private Path temp;
  private FolderCheckpoints checkpoints;

  @BeforeEach
  void open() {
    checkpoints =
        new FolderCheckpoints(
            new Configuration(), new org.apache.hadoop.fs.Path(temp.resolve("c").toUri()));
  }

  private static Checkpoint checkpoint(long step, double bestLoss) {
    float[] weights = {step, 1, 2};
    return new Checkpoint(
        step,
        1.5,
        2,
        bestLoss,
        step - 1,
        90,
        weights,
        new float[] {3, 3, 3},
        new float[] {4, 4, 4},
        new float[] {5, 5, 5},
        new float[] {6, 6, 6},
        5e-4);
  }

  private Path file(String name) {
    return temp.resolve("c").resolve(name);
  }

  @Test
  void theNewestComesBackAsItWas() {
    assertTrue(checkpoints.newest().isEmpty());
    for (long step = 8; step <= 12; step++) {
      checkpoints.save(checkpoint(step, Double.POSITIVE_INFINITY));
    }
    Checkpoint back = checkpoints.newest().orElseThrow();
    assertEquals(12, back.step());
    assertEquals(Double.POSITIVE_INFINITY, back.bestLoss());
    assertEquals(11, back.bestStep());
    assertArrayEquals(new float[] {12, 1, 2}, back.parameters());
    assertArrayEquals(new float[] {3, 3, 3}, back.momentum());
    assertArrayEquals(new float[] {4, 4, 4}, back.variance());
    assertArrayEquals(new float[] {5, 5, 5}, back.average());
    assertArrayEquals(new float[] {6, 6, 6}, back.best());
  }

  @Test
  void aCheckpointThatIsNotWholeIsPassedOver() throws IOException {
    checkpoints.save(checkpoint(5, 0.25));
    checkpoints.save(checkpoint(6, 0.125));
    Files.write(file("checkpoint-000000000006.bin"), new byte[] {1, 2, 3});
    assertEquals(5, checkpoints.newest().orElseThrow().step());
    Files.writeString(file("checkpoint-000000000005.json"), "{\"step\": 5, \"par");
    assertTrue(checkpoints.newest().isEmpty());
  }

  @Test
  void onlyTheLastTwoAreKept() throws IOException {
    for (long step = 1; step <= 5; step++) {
      checkpoints.save(checkpoint(step, 1));
    }
    try (var files = Files.list(temp.resolve("c"))) {
      assertEquals(
          List.of(
              "checkpoint-000000000004.bin",
              "checkpoint-000000000004.json",
              "checkpoint-000000000005.bin",
              "checkpoint-000000000005.json"),
          files.map(f -> f.getFileName().toString()).sorted().toList());
    }
  }

  @Test
  void thePlanComesBack() {
    TrainingPlan plan = AutoPlan.plan(5_000, 9, AutoPlan.Wishes.automatic(0.05, 60), 3);
    checkpoints.write(new FolderCheckpoints.SavedPlan("abc", plan));
    assertEquals(new FolderCheckpoints.SavedPlan("abc", plan), checkpoints.plan().orElseThrow());
    checkpoints.clear();
    assertTrue(checkpoints.plan().isEmpty());
  }
}
