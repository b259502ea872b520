package org.safesynth.job;

import java.util.Objects;

/** The version of this library, from its jar. */
final class Version {
  private Version() {}

  /** The jar's version; {@code development} when run from class folders. */
  static String ofThisLibrary() {
    return Objects.requireNonNullElse(
        Version.class.getPackage().getImplementationVersion(), "development");
  }
}
