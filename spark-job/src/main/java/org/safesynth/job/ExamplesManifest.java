package org.safesynth.job;

import java.io.Serializable;
import java.util.List;

/**
 * Says that the encoded records are complete, what they were made from, and in which order their
 * files stand. Written last: examples without it are made again.
 *
 * @param fingerprint digest of all that decides the tokens: data settings, schema, seed
 * @param records records in all files
 * @param positions tokens of a record
 * @param files in the order of the records
 */
public record ExamplesManifest(
    String fingerprint, long records, int positions, List<PartFile> files) implements Serializable {
  /** Its name beside the files; the underscore hides it from readers of the folder. */
  public static final String NAME = "_manifest.json";

  /** One Parquet file and the number of records in it. */
  public record PartFile(String name, long records) implements Serializable {}

  public ExamplesManifest {
    files = List.copyOf(files);
  }
}
