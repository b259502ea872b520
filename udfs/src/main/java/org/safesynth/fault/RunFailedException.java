package org.safesynth.fault;

/**
 * Says in one sentence why a run with good input could not finish and what to do (a full disk, a
 * corrupt model file); the process ends with exit code 1 and whatever was finished stays.
 */
public final class RunFailedException extends RuntimeException {
  public RunFailedException(String message) {
    super(message);
  }

  public RunFailedException(String message, Throwable cause) {
    super(message, cause);
  }
}
