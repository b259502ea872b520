package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.fault.BadInputException;
import org.safesynth.fault.RunFailedException;

@Tag("unit")
final class RunFolderTest {
  private final Configuration hadoop = new Configuration();
  @TempDir private java.nio.file.Path temp;

  private Path run() {
    return new Path(temp.resolve("runs/r1").toUri());
  }

  private static RunResult result(String status) {
    return new RunResult(
        "r1",
        status,
        "train",
        null,
        "t.csv",
        7L,
        Map.of("rows", 3L),
        Map.of("train", 1.5),
        List.of(),
        Map.of(),
        null,
        null,
        null,
        Map.of(),
        "2026-01-01T00:00:00Z",
        null);
  }

  @Test
  void aFinishedRunIsRefusedAndAnUnfinishedOneIsNot() {
    RunFolder folder = RunFolder.toWrite(hadoop, run());
    folder.write(result(RunResult.RUNNING));
    folder.write(result(RunResult.FAILED));
    assertEquals(Optional.of(result(RunResult.FAILED)), RunFolder.toWrite(hadoop, run()).result());
    folder.write(result(RunResult.SUCCEEDED));
    BadInputException e =
        assertThrows(BadInputException.class, () -> RunFolder.toWrite(hadoop, run()));
    assertTrue(e.getMessage().contains("is finished"), e.getMessage());
  }

  @Test
  void aCutOffResultIsNoResult() throws IOException {
    RunFolder folder = RunFolder.toWrite(hadoop, run());
    folder.write(RunFolder.RESULT, "{\"run_id\": \"r1\", \"status\": \"succ");
    assertEquals(Optional.empty(), folder.result());
  }

  @Test
  void aFileMayBeEditedByHand() throws IOException {
    RunFolder folder = RunFolder.toWrite(hadoop, run());
    folder.write(RunFolder.SCHEMA, "{}");
    Files.writeString(temp.resolve("runs/r1/schema.json"), "{\"edited\": true}");
    assertEquals(Optional.of("{\"edited\": true}"), folder.read(RunFolder.SCHEMA));
  }

  @Test
  void workIsDeletedWithAllInIt() throws IOException {
    RunFolder folder = RunFolder.toWrite(hadoop, run());
    Files.createDirectories(temp.resolve("runs/r1/work/examples"));
    Files.writeString(temp.resolve("runs/r1/work/examples/x"), "x");
    assertTrue(folder.hasWork());
    folder.deleteWork();
    assertFalse(folder.hasWork());
  }

  @Test
  void aFolderThatCannotBeWrittenIsAFailureInOneSentence() throws IOException {
    Files.writeString(temp.resolve("runs"), "a file where the folder should be");
    RunFolder folder = RunFolder.toWrite(hadoop, run());
    RunFailedException e =
        assertThrows(RunFailedException.class, () -> folder.write(RunFolder.CONFIG, "x"));
    assertTrue(e.getMessage().contains("cannot be written"), e.getMessage());
  }

  @Test
  void aFullDiskIsAFailureInOneSentence() {
    FullDisk.register(hadoop);
    RunFolder folder = RunFolder.toWrite(hadoop, new Path("full://" + temp + "/r"));
    RunFailedException e =
        assertThrows(RunFailedException.class, () -> folder.write(RunFolder.CONFIG, "x"));
    assertTrue(e.getMessage().endsWith("cannot be written: the disk is full"), e.getMessage());
  }

  @Test
  void generatingNeedsATrainedModel() {
    assertTrue(
        assertThrows(BadInputException.class, () -> RunFolder.toGenerate(hadoop, run()))
            .getMessage()
            .contains("does not exist"));
    RunFolder folder = RunFolder.toWrite(hadoop, run());
    folder.write(RunFolder.CONFIG, "x");
    assertTrue(
        assertThrows(BadInputException.class, () -> RunFolder.toGenerate(hadoop, run()))
            .getMessage()
            .contains("schema.json"));
    folder.write(RunFolder.SCHEMA, "{}");
    assertTrue(
        assertThrows(BadInputException.class, () -> RunFolder.toGenerate(hadoop, run()))
            .getMessage()
            .contains("no trained model"));
  }

  @Test
  void runIdsOfSchedulersBecomeFolderNames() {
    assertEquals(
        "manual__2026-01-01T00_00_00+00_00",
        RunFolder.folderName("manual__2026-01-01T00:00:00+00:00"));
    assertThrows(BadInputException.class, () -> RunFolder.folderName(" "));
    assertThrows(BadInputException.class, () -> RunFolder.folderName("../x"));
    assertTrue(RunFolder.newRunId(Instant.EPOCH).matches("run-19700101-000000-[0-9a-f]{4}"));
  }

  @Test
  void aFullDiskIsSaidInOneSentence() {
    String sentence =
        Faults.sentence(
            new RuntimeException(
                "Job aborted\nlong plan", new IOException("No space left on device")));
    assertTrue(sentence.startsWith("a disk is full"), sentence);
    assertFalse(sentence.contains("\n"));
  }
}
