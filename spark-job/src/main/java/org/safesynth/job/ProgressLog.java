package org.safesynth.job;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;

/**
 * Keeps a run's {@code progress.jsonl}. Object stores cannot append, so the file is written anew,
 * whole, at most every half minute: a line every ten seconds is about a megabyte a day.
 */
final class ProgressLog implements AutoCloseable {
  private static final Duration BETWEEN_WRITES = Duration.ofSeconds(30);

  private final RunFolder folder;
  private final RunClaim claim;
  private final Clock clock;
  private final StringBuilder lines;
  private Instant written;
  private boolean isDirty;

  /** Goes on after the lines of an earlier attempt. */
  ProgressLog(RunFolder folder, RunClaim claim, Clock clock) {
    this.folder = folder;
    this.claim = claim;
    this.clock = clock;
    this.lines = new StringBuilder(folder.read(RunFolder.PROGRESS).orElse(""));
    this.written = clock.instant();
  }

  synchronized void add(String line) {
    lines.append(line).append('\n');
    isDirty = true;
    if (written.plus(BETWEEN_WRITES).isBefore(clock.instant())) {
      write();
    }
  }

  private void write() {
    if (claim.isLost()) {
      return; // the file is another process's
    }
    folder.write(RunFolder.PROGRESS, lines.toString());
    written = clock.instant();
    isDirty = false;
  }

  @Override
  public synchronized void close() {
    if (isDirty) {
      write();
    }
  }
}
