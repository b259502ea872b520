package org.safesynth.job;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.safesynth.fault.BadInputException;
import org.safesynth.fault.RunFailedException;

/**
 * Holds a run folder for one process at a time, so that two runs of one id do not write over each
 * other: {@code attempt.json} names the holder and changes while it lives.
 *
 * <p>Object stores have no locks, so this is a lease with a fence. Who finds a claim waits for a
 * change of it: one that changes is of a living process, and the newcomer is refused; one that does
 * not is taken over. A holder that was only slow reads its own claim before each change and before
 * each stage; when it finds another's, it ends and touches nothing any more. Two that begin in the
 * same moment both write, and the one whose text is overwritten ends.
 */
final class RunClaim implements AutoCloseable {
  private final RunFolder folder;
  private final Console console;
  private final Holder holder;
  private final ScheduledExecutorService beats =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "run-claim");
            thread.setDaemon(true);
            return thread;
          });
  private Runnable onLoss = () -> {};
  private boolean isLost;
  private boolean hasWarned;
  private long beat;

  /**
   * How often a claim changes, and how long a newcomer waits for that.
   *
   * @param patience several beats: a slow store or a collection of garbage is no death
   */
  record Timing(Duration beat, Duration patience) {
    static final Timing USUAL = new Timing(Duration.ofSeconds(3), Duration.ofSeconds(15));
  }

  /** The text of the claim. */
  record Holder(String token, String host, long pid, long beat) {
    String words() {
      return "process %d on %s".formatted(pid, host);
    }
  }

  private RunClaim(RunFolder folder, Console console) {
    this.folder = folder;
    this.console = console;
    this.holder =
        new Holder(UUID.randomUUID().toString(), host(), ProcessHandle.current().pid(), 0);
  }

  /**
   * Claims the folder, waiting to see whether an earlier holder lives.
   *
   * @throws BadInputException when it does
   */
  static RunClaim take(RunFolder folder, Console console, Timing timing) {
    RunClaim claim = new RunClaim(folder, console);
    Optional<String> earlier = folder.read(RunFolder.ATTEMPT);
    if (earlier.isPresent() && !claim.isOfDead(earlier.get())) {
      claim.awaitSilence(earlier.get(), timing);
    }
    claim.write();
    claim.beats.scheduleWithFixedDelay(
        claim::renew, timing.beat().toMillis(), timing.beat().toMillis(), TimeUnit.MILLISECONDS);
    return claim;
  }

  private static Optional<Holder> holder(String text) {
    return Json.parse(text, Holder.class);
  }

  /** Whether it was a process of this host that is gone; elsewhere only silence tells. */
  private boolean isOfDead(String text) {
    return holder(text)
        .filter(h -> h.host().equals(holder.host()) && h.pid() != holder.pid())
        .filter(h -> ProcessHandle.of(h.pid()).isEmpty())
        .isPresent();
  }

  /** A text that is cut off is no sign and no silence: its holder may be writing it just now. */
  private void awaitSilence(String earlier, Timing timing) {
    console.info(
        "the run %s was begun by %s: waiting up to %s for a sign that it still lives"
            .formatted(
                folder.path(),
                holder(earlier).map(Holder::words).orElse("another process"),
                Console.duration(timing.patience().toSeconds())));
    long end = System.nanoTime() + timing.patience().toNanos();
    while (System.nanoTime() < end) {
      try {
        TimeUnit.MILLISECONDS.sleep(Math.max(10, timing.beat().toMillis() / 3));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("waiting for the run was interrupted", e);
      }
      Optional<String> now = folder.read(RunFolder.ATTEMPT);
      if (now.isEmpty() || isOfDead(now.get())) {
        return;
      }
      Optional<Holder> living = now.filter(text -> !text.equals(earlier)).flatMap(RunClaim::holder);
      if (living.isPresent()) {
        throw new BadInputException(
            "%s is writing the run %s: wait for its end, stop it, or choose another --run-id"
                .formatted(living.get().words(), folder.path()));
      }
    }
  }

  private synchronized void write() {
    Holder text = new Holder(holder.token(), holder.host(), holder.pid(), beat++);
    folder.write(RunFolder.ATTEMPT, Json.file(text));
  }

  private synchronized void renew() {
    try {
      if (isHeld()) {
        write();
      }
    } catch (
        RuntimeException e) { // the store may be back at the next beat; silence loses the claim
      if (!hasWarned) {
        hasWarned = true;
        console.warn("the claim on the run folder cannot be renewed: " + Faults.sentence(e));
      }
    }
  }

  /**
   * Whether this process still holds the folder. A claim that is gone was deleted by hand, or by a
   * holder that has ended: either way it is not ours.
   */
  private synchronized boolean isHeld() {
    if (isLost) {
      return false;
    }
    Optional<Holder> found = folder.read(RunFolder.ATTEMPT).flatMap(RunClaim::holder);
    if (found.filter(h -> h.token().equals(holder.token())).isPresent()) {
      return true;
    }
    isLost = true;
    onLoss.run();
    return false;
  }

  /** What stops the work when another process has taken the folder over. */
  synchronized void onLoss(Runnable stop) {
    onLoss = stop;
  }

  /** Whether another process has taken over; then nothing may be written any more. */
  synchronized boolean isLost() {
    return isLost;
  }

  /**
   * Ends this process's work when the folder is another's.
   *
   * @throws RunFailedException that says so
   */
  void require() {
    if (!isHeld()) {
      throw lost();
    }
  }

  RunFailedException lost() {
    return new RunFailedException(
        "another process has taken over the run %s; this one ends here".formatted(folder.path()));
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "an unnamed host " + UUID.randomUUID(); // never taken for another's
    }
  }

  @Override
  public void close() {
    beats.shutdown(); // a beat that is being written is let go: an interrupted one could be cut off
    synchronized (this) {
      if (!isLost) {
        isLost = true; // whatever beat comes late finds nothing to do
        folder.delete(RunFolder.ATTEMPT);
      }
    }
  }
}
