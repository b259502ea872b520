package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.fault.BadInputException;
import org.safesynth.fault.RunFailedException;

@Tag("unit")
final class RunClaimTest {
  private static final RunClaim.Timing QUICK =
      new RunClaim.Timing(Duration.ofMillis(20), Duration.ofSeconds(2));
  private static final RunClaim.Timing IMPATIENT =
      new RunClaim.Timing(Duration.ofMillis(20), Duration.ofMillis(60));

  @TempDir private java.nio.file.Path temp;
  private RunFolder folder;
  private java.nio.file.Path file;

  @BeforeEach
  void begin() {
    folder = RunFolder.toWrite(new Configuration(), new Path(temp.resolve("r").toUri()));
    file = temp.resolve("r").resolve(RunFolder.ATTEMPT);
  }

  private void leave(String host, long pid) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, Json.file(new RunClaim.Holder("of one that was killed", host, pid, 3)));
  }

  @Test
  void aRunThatIsBeingWrittenIsRefused() {
    try (RunClaim first = RunClaim.take(folder, Console.plain(), QUICK)) {
      BadInputException e =
          assertThrows(
              BadInputException.class, () -> RunClaim.take(folder, Console.plain(), QUICK));
      assertTrue(e.getMessage().contains("is writing the run"), e.getMessage());
      assertTrue(e.getMessage().contains("choose another --run-id"), e.getMessage());
      first.require();
    }
    assertFalse(Files.exists(file), "a run that has ended holds nothing");
    RunClaim.take(folder, Console.plain(), QUICK).close();
  }

  @Test
  void aSilentHolderElsewhereIsTakenOver() throws IOException {
    leave("another host", 1);
    try (RunClaim claim = RunClaim.take(folder, Console.plain(), IMPATIENT)) {
      claim.require();
    }
  }

  @Test
  void aKilledProcessOfThisHostIsTakenOverAtOnce() throws Exception {
    Process killed = new ProcessBuilder("sleep", "60").start();
    killed.destroyForcibly().waitFor();
    leave(java.net.InetAddress.getLocalHost().getHostName(), killed.pid());
    long begin = System.nanoTime();
    RunClaim.take(
            folder,
            Console.plain(),
            new RunClaim.Timing(Duration.ofMillis(20), Duration.ofMinutes(5)))
        .close();
    assertTrue(System.nanoTime() - begin < Duration.ofMinutes(4).toNanos());
  }

  @Test
  void aDamagedClaimHoldsNothing() throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, "{\"token\": \"cut o");
    RunClaim.take(folder, Console.plain(), QUICK).close();
  }

  /** A holder that was slow for too long: it must find out and touch nothing. */
  @Test
  void whoWasTakenOverEndsAndLeavesTheClaimToTheOther() throws Exception {
    CountDownLatch stopped = new CountDownLatch(1);
    RunClaim slow = RunClaim.take(folder, Console.plain(), QUICK);
    slow.onLoss(stopped::countDown);
    leave("another host", 1);
    String other = Files.readString(file);
    assertTrue(stopped.await(20, TimeUnit.SECONDS), "the beat did not find the other's claim");
    assertTrue(slow.isLost());
    RunFailedException e = assertThrows(RunFailedException.class, slow::require);
    assertTrue(e.getMessage().contains("another process has taken over"), e.getMessage());
    slow.close();
    assertEquals(other, Files.readString(file));
  }

  @Test
  void whoLostTheFolderKeepsNoProgressThere() throws IOException {
    RunClaim slow = RunClaim.take(folder, Console.plain(), QUICK);
    try (ProgressLog log = new ProgressLog(folder, slow, java.time.Clock.systemUTC())) {
      log.add("{}");
      leave("another host", 1);
      assertThrows(RunFailedException.class, slow::require);
    }
    assertFalse(folder.has(RunFolder.PROGRESS));
    slow.close();
  }
}
