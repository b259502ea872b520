package org.safesynth.job;

import java.util.Arrays;
import java.util.List;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.codec.DomainCells;
import org.safesynth.example.ExampleFormat;
import org.safesynth.model.HfConfig;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.train.RecordTokens;

/**
 * Turns private records into the ids of their JSON line, on the executors: within the domain, and
 * at most so many ids as the domain declares.
 *
 * <p><b>No record ends the run, and none is seen through its length.</b> The limit comes from the
 * domain. A record that is longer has its longest text halved until it fits, and is cut where even
 * that does not do: a rule for each record by itself, so that what the training adds for it is
 * clipped like any other, and that one is there tells no more than the ledger says.
 */
final class PrivateLanguageEncoder implements MapFunction<Object[], byte[]> {
  private final SerializableConfiguration hadoop;
  private final LanguageBase base;
  private final FrozenSchema schema;
  private final int mostTokens;
  private transient ExampleFormat format;
  private transient DomainCells domain;

  /**
   * @param mostTokens of a record, a public number
   */
  PrivateLanguageEncoder(
      SerializableConfiguration hadoop, LanguageBase base, FrozenSchema schema, int mostTokens) {
    this.hadoop = hadoop;
    this.base = base;
    this.schema = schema;
    this.mostTokens = mostTokens;
  }

  @Override
  public byte[] call(Object[] cells) {
    if (format == null) {
      java.nio.file.Path local = base.local(hadoop.value());
      format = base.format(local, HfConfig.read(local), schema);
      domain = new DomainCells(schema);
    }
    return RecordTokens.bytes(ids(format, domain.within(cells), schema, mostTokens));
  }

  /**
   * The ids of a record's line.
   *
   * @param cells within the domain; texts are shortened in place where they do not fit
   */
  static int[] ids(ExampleFormat format, Object[] cells, FrozenSchema schema, int mostTokens) {
    int[] ids = format.record(cells);
    while (ids.length > mostTokens) {
      int longest = longestText(cells, schema.columns());
      if (longest < 0) {
        return Arrays.copyOf(ids, mostTokens);
      }
      String text = (String) cells[longest];
      int half = text.codePointCount(0, text.length()) / 2;
      cells[longest] = text.substring(0, text.offsetByCodePoints(0, half));
      ids = format.record(cells);
    }
    return ids;
  }

  /** The column of the longest free text that is not empty, or -1. */
  private static int longestText(Object[] cells, List<ColumnSchema> columns) {
    int longest = -1;
    for (int c = 0; c < cells.length; c++) {
      if (columns.get(c).kind() == ColumnKind.TEXT
          && cells[c] instanceof String text
          && !text.isEmpty()
          && (longest < 0 || text.length() > ((String) cells[longest]).length())) {
        longest = c;
      }
    }
    return longest;
  }
}
