package org.safesynth.job;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Reads and writes small text files on any Hadoop file system. A file is written whole by one
 * create, never by rename, which object stores do not have; who reads one must bear a cut-off text.
 */
final class TextFiles {
  private final Configuration hadoop;

  TextFiles(Configuration hadoop) {
    this.hadoop = hadoop;
  }

  Optional<String> read(Path file) {
    try (FSDataInputStream in = fileSystem(file).open(file)) {
      return Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw Faults.reading(file, e);
    }
  }

  void write(Path file, String text) {
    try (FSDataOutputStream out = fileSystem(file).create(file, true)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw Faults.writing(file, e);
    }
  }

  boolean exists(Path path) {
    try {
      return fileSystem(path).exists(path);
    } catch (IOException e) {
      throw Faults.reading(path, e);
    }
  }

  /** Deletes a file or a folder with all in it; nothing happens when there is none. */
  void delete(Path path) {
    try {
      fileSystem(path).delete(path, true);
    } catch (IOException e) {
      throw Faults.writing(path, e);
    }
  }

  /**
   * The path's file system; for local files the raw one: checksum files beside a text would make it
   * unreadable once somebody edits it.
   */
  FileSystem fileSystem(Path path) throws IOException {
    FileSystem fs = path.getFileSystem(hadoop);
    return fs instanceof LocalFileSystem local ? local.getRawFileSystem() : fs;
  }
}
