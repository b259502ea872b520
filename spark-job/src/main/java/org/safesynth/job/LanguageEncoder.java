package org.safesynth.job;

import java.util.Arrays;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.example.ContextRules;
import org.safesynth.example.ExampleFormat;
import org.safesynth.example.Packing;
import org.safesynth.model.HfConfig;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.train.RecordTokens;

/**
 * Turns records into the ids of their JSON line, on the executors. A record that no example can
 * hold is refused here, before anything is trained.
 */
final class LanguageEncoder implements MapFunction<Object[], byte[]> {
  private final SerializableConfiguration hadoop;
  private final LanguageBase base;
  private final FrozenSchema schema;
  private final Integer wantedFactor;
  private transient ExampleFormat format;
  private transient Packing longest;

  /**
   * @param wantedFactor {@code training.rope_scaling_factor}, or null for auto
   */
  LanguageEncoder(
      SerializableConfiguration hadoop,
      LanguageBase base,
      FrozenSchema schema,
      Integer wantedFactor) {
    this.hadoop = hadoop;
    this.base = base;
    this.schema = schema;
    this.wantedFactor = wantedFactor;
  }

  @Override
  public byte[] call(Object[] cells) {
    return RecordTokens.bytes(record(cells));
  }

  /** The ids of a record, of whose cells those behind the table's own columns are no part. */
  int[] record(Object[] cells) {
    load();
    Object[] own = Arrays.copyOf(cells, schema.columns().size());
    int[] record = format.record(own);
    format.requireFits(own, record, longest);
    return record;
  }

  /** Tokens that the records of a sequence may have together. */
  int room() {
    load();
    return longest.room();
  }

  private void load() {
    if (format == null) {
      java.nio.file.Path local = base.local(hadoop.value());
      HfConfig config = HfConfig.read(local);
      format = base.format(local, config, schema);
      ContextRules context =
          ContextRules.of(base.template(), config.maxPositions(), Integer.MAX_VALUE, wantedFactor);
      longest = new Packing(format.prompt().length, context.tokens(), base.mostRecords());
    }
  }
}
