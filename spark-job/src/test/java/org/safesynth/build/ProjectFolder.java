package org.safesynth.build;

import java.nio.file.Path;

/** Finds files of the project from a test, which runs in its module's folder. */
final class ProjectFolder {
  private ProjectFolder() {}

  static Path root() {
    return Path.of(System.getProperty("basedir", ".")).toAbsolutePath().normalize().getParent();
  }

  static Path resolve(String path) {
    return root().resolve(path);
  }
}
