package org.safesynth.job;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.hadoop.security.AccessControlException;
import org.safesynth.fault.BadInputException;

/**
 * The files behind a data source's path (a file, a folder of parts, a glob) and the format that
 * their names tell.
 *
 * @param source the path as the user gave it
 * @param files non-empty, sorted by name; hidden files are not listed
 */
record SourceFiles(String source, List<Path> files) {
  private static final List<String> COMPRESSIONS =
      List.of(".gz", ".bz2", ".zst", ".lz4", ".snappy", ".deflate");

  private static final String MISSING =
      " does not exist; name a file, a folder of files, a glob, or table:NAME";

  /** Enough to see the header and the format; Spark lists the rest. */
  private static final int ENOUGH = 10_000;

  /**
   * Looks for the files.
   *
   * @param parameter that names the source, for errors
   */
  static SourceFiles find(Configuration hadoop, String source, String parameter) {
    String named = parameter + ": " + Credentials.masked(source);
    List<FileStatus> found = new ArrayList<>();
    try {
      Path path = new Path(source);
      FileSystem fs = path.getFileSystem(hadoop);
      FileStatus[] matches = fs.globStatus(path);
      if (matches == null || matches.length == 0) {
        throw new BadInputException(named + MISSING);
      }
      for (FileStatus match : matches) {
        collect(fs, match, found);
      }
    } catch (FileNotFoundException e) {
      throw new BadInputException(named + MISSING, e);
    } catch (UnsupportedFileSystemException e) {
      throw new BadInputException(
          "%s: %s; for S3 write s3a://".formatted(named, Faults.oneLine(e.getMessage())), e);
    } catch (AccessControlException e) {
      throw new BadInputException(named + ": permission denied; let this user read it", e);
    } catch (IOException | IllegalArgumentException e) {
      throw new BadInputException(
          "%s cannot be read: %s".formatted(named, Faults.oneLine(e.getMessage())), e);
    }
    if (found.isEmpty()) {
      throw new BadInputException(named + " holds no file");
    }
    List<Path> filled =
        found.stream()
            .filter(file -> file.getLen() > 0)
            .map(FileStatus::getPath)
            .sorted(Comparator.comparing(Path::toString))
            .toList();
    if (filled.isEmpty()) {
      throw new BadInputException(named + " is empty: no header and no rows");
    }
    return new SourceFiles(source, filled);
  }

  private static void collect(FileSystem fs, FileStatus status, List<FileStatus> found)
      throws IOException {
    if (status.isFile()) {
      found.add(status);
      return;
    }
    FileStatus[] children = fs.listStatus(status.getPath(), SourceFiles::isVisible);
    Arrays.sort(children);
    for (FileStatus child : children) {
      if (found.size() < ENOUGH) {
        collect(fs, child, found);
      }
    }
  }

  private static boolean isVisible(Path path) {
    return !path.getName().startsWith("_") && !path.getName().startsWith(".");
  }

  /** Spark's name of the format that the endings tell. */
  String format() {
    String ofSource = formatOf(source);
    if (ofSource != null) {
      return ofSource;
    }
    TreeSet<String> formats = new TreeSet<>();
    for (Path file : files) {
      String format = formatOf(file.getName());
      if (format == null) {
        throw new BadInputException(
            "the format of %s is not known from its ending: let it end in .csv, .json, .parquet or .orc, or name it with data.format (csv, json, parquet, orc or another that Spark knows)"
                .formatted(Credentials.masked(file.toString())));
      }
      formats.add(format);
    }
    if (formats.size() > 1) {
      throw new BadInputException(
          "the folder %s holds files of several formats (%s): name one of them with a glob such as %s/*.csv"
              .formatted(Credentials.masked(source), String.join(", ", formats), source));
    }
    return formats.first();
  }

  /** Whether the names of all files tell a format. */
  boolean tellFormat() {
    return files.stream().allMatch(file -> formatOf(file.getName()) != null);
  }

  boolean isTabSeparated() {
    return stem(files.get(0).getName()).endsWith(".tsv");
  }

  /** Spark's name of the format that a name tells; null for none. */
  static String formatOf(String name) {
    String stem = stem(name);
    if (stem.endsWith(".csv") || stem.endsWith(".tsv") || stem.endsWith(".txt")) {
      return "csv";
    }
    if (stem.endsWith(".json") || stem.endsWith(".jsonl") || stem.endsWith(".ndjson")) {
      return "json";
    }
    if (stem.endsWith(".parquet")) {
      return "parquet";
    }
    return stem.endsWith(".orc") ? "orc" : null;
  }

  /** The name in lower case, without a compression's ending. */
  private static String stem(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    for (String compression : COMPRESSIONS) {
      if (lower.endsWith(compression)) {
        return lower.substring(0, lower.length() - compression.length());
      }
    }
    return lower;
  }
}
