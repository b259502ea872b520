package org.safesynth.job;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * A model folder on this machine's disk, where weights can be memory-mapped: the folder itself, or
 * a copy of a remote one that all processes of the machine share.
 */
final class LocalModel {
  private static final List<String> ENDINGS = List.of(".json", ".safetensors");

  private LocalModel() {}

  /**
   * The local folder of a model.
   *
   * @param cache folder for copies
   */
  static java.nio.file.Path of(Configuration hadoop, Path folder, java.nio.file.Path cache) {
    try {
      FileSystem fs = folder.getFileSystem(hadoop);
      if (fs.getScheme().equals("file")) {
        return Paths.get(fs.makeQualified(folder).toUri().getPath());
      }
      FileStatus[] files =
          Arrays.stream(fs.listStatus(folder))
              .filter(f -> f.isFile() && ENDINGS.stream().anyMatch(f.getPath().getName()::endsWith))
              .sorted(Comparator.comparing(f -> f.getPath().getName()))
              .toArray(FileStatus[]::new);
      java.nio.file.Path copy = cache.resolve(name(files));
      return Files.isDirectory(copy) ? copy : copied(fs, files, copy);
    } catch (IOException e) {
      throw Faults.reading(folder, e);
    }
  }

  /** Paths, lengths and times of all files: a model that changes gets another copy. */
  private static String name(FileStatus[] files) {
    StringBuilder all = new StringBuilder();
    for (FileStatus file : files) {
      all.append(file.getPath()).append(' ').append(file.getLen()).append(' ');
      all.append(file.getModificationTime()).append('\n');
    }
    return ModelFolder.sha256(all.toString().getBytes(StandardCharsets.UTF_8)).substring(0, 32);
  }

  /** Copies aside and gives the folder its name at the end: others never see half of it. */
  private static java.nio.file.Path copied(
      FileSystem fs, FileStatus[] files, java.nio.file.Path copy) throws IOException {
    Files.createDirectories(copy.getParent());
    java.nio.file.Path part = Files.createTempDirectory(copy.getParent(), "part-");
    try {
      for (FileStatus file : files) {
        java.nio.file.Path target = part.resolve(file.getPath().getName());
        try (var in = fs.open(file.getPath())) {
          Files.copy(in, target);
        }
      }
      Files.move(part, copy);
    } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
      delete(part); // another process was faster
    } catch (IOException e) {
      delete(part);
      throw e;
    }
    return copy;
  }

  private static void delete(java.nio.file.Path folder) throws IOException {
    try (Stream<java.nio.file.Path> files = Files.list(folder)) {
      for (java.nio.file.Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }
}
