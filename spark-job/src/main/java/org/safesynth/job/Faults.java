package org.safesynth.job;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.security.AccessControlException;
import org.safesynth.fault.BadInputException;
import org.safesynth.fault.RunFailedException;

/** Turns what went wrong into one sentence for the person at the terminal. */
final class Faults {
  private Faults() {}

  static RunFailedException reading(Path path, IOException cause) {
    return new RunFailedException("%s cannot be read: %s".formatted(path, reason(cause)), cause);
  }

  static RunFailedException writing(Path path, IOException cause) {
    return new RunFailedException("%s cannot be written: %s".formatted(path, reason(cause)), cause);
  }

  /** What happened, in one sentence, whatever was thrown. */
  static String sentence(Throwable fault) {
    for (Throwable t = fault; t != null; t = t.getCause()) {
      if (t instanceof BadInputException || t instanceof RunFailedException) {
        return oneLine(t.getMessage());
      }
    }
    for (Throwable t = fault; t != null; t = t.getCause()) {
      if (isDiskFull(t)) {
        return "a disk is full: free space there, or set spark.local.dir or --artifact-path to another one, and run again with the same --run-id";
      }
      if (t instanceof OutOfMemoryError) {
        return "the process ran out of memory (%s): give it more with --driver-memory or --executor-memory"
            .formatted(oneLine(t.getMessage()));
      }
    }
    Throwable root = root(fault);
    String said = Credentials.masked(reason(root));
    return root instanceof IOException
        ? said
        : "%s: %s (--verbose shows where)".formatted(root.getClass().getSimpleName(), said);
  }

  /** Whether the user's input is what is wrong. */
  static boolean isBadInput(Throwable fault) {
    for (Throwable t = fault; t != null; t = t.getCause()) {
      if (t instanceof BadInputException) {
        return true;
      }
    }
    return false;
  }

  /** What the process ends with: 2 for wrong usage or bad input, else 1. */
  static int exitCode(Throwable fault) {
    return isBadInput(fault) ? 2 : 1;
  }

  private static Throwable root(Throwable fault) {
    Throwable root = fault;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    return root;
  }

  private static String reason(Throwable cause) {
    if (isDiskFull(cause)) {
      return "the disk is full";
    }
    if (cause instanceof AccessControlException || cause instanceof AccessDeniedException) {
      return "permission denied (%s)".formatted(oneLine(cause.getMessage()));
    }
    String message = cause.getMessage();
    return message == null || message.isBlank()
        ? cause.getClass().getSimpleName()
        : oneLine(message);
  }

  private static boolean isDiskFull(Throwable fault) {
    String message = fault.getMessage();
    return message != null
        && (message.contains("No space left on device")
            || message.contains("Disk quota exceeded")
            || message.contains("There is not enough space on the disk"));
  }

  /** Spark's messages go on with plans and remote stack traces: the first line says it. */
  static String oneLine(String message) {
    return message == null ? "" : message.strip().lines().findFirst().orElse("").strip();
  }
}
