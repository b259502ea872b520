package org.safesynth.job;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.safesynth.codec.RecordCodec;
import org.safesynth.config.DataConfig;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.schema.FrozenSchema;

/**
 * Digest of all that decides the encoded records, so that a resumed run knows whether to reuse
 * them.
 */
final class Fingerprint {
  private Fingerprint() {}

  static String of(
      TableSource table,
      long rows,
      SafeSynthesizerConfig config,
      FrozenSchema schema,
      RecordCodec codec,
      long seed) {
    DataConfig data = config.data();
    StringBuilder all = new StringBuilder();
    all.append(table.name()).append('\n').append(rows).append('\n').append(seed).append('\n');
    all.append(data.missingValues()).append(data.valueProtection()).append(data.rareThreshold());
    if (data.parent() != null) {
      all.append(data.parent()).append('\n');
    }
    if (data.groupColumn() != null) {
      all.append(data.groupColumn()).append('\n');
      all.append(data.orderTrainingExamplesBy()).append('\n');
    }
    // A private run that is resumed must find what it has paid for, whichever version began it.
    if (config.timeSeries().isTimeseries() && !config.privacy().dpEnabled()) {
      all.append("series by ").append(config.orderColumn()).append('\n');
    }
    all.append('\n').append(schema).append('\n');
    for (int position = 0; position < codec.positions(); position++) {
      all.append(codec.vocabularySize(position)).append(' ');
    }
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      return HexFormat.of()
          .formatHex(sha256.digest(all.toString().getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
