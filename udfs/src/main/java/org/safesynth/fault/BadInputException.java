package org.safesynth.fault;

/**
 * Says in one sentence what in the user's input is wrong, where, and what to do; the process ends
 * with exit code 2.
 *
 * <p>Thrown before any work is lost. The message is shown as it is, without a stack trace.
 */
public final class BadInputException extends RuntimeException {
  public BadInputException(String message) {
    super(message);
  }

  public BadInputException(String message, Throwable cause) {
    super(message, cause);
  }
}
