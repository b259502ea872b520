package org.safesynth.job;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.random.RandomGenerator;
import org.safesynth.codec.DomainCells;
import org.safesynth.codec.FieldCodec;
import org.safesynth.example.ExampleFormat;
import org.safesynth.marginal.MarginalRows;
import org.safesynth.marginal.Marginals;
import org.safesynth.random.SeededStreams;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.train.RecordTokens;

/**
 * Rows drawn from noisy marginals and written as a language model reads them: post-processing of
 * what was paid for, from which it learns the format and all that the marginals tell.
 *
 * @param codec the encoding that the marginals count
 * @param mostTokens of a row, a public number
 */
record MarginalTexts(Marginals marginals, FieldCodec codec, FrozenSchema schema, int mostTokens) {
  /** Draws rows; the same ones for the same seed. */
  RecordTokens draw(ExampleFormat format, long count, long seed) {
    RandomGenerator random = new SeededStreams(seed).stream(SeededStreams.Purpose.SAMPLING, -1);
    DomainCells domain = new DomainCells(schema);
    try (RecordTokens.Writer writer = RecordTokens.create(TrainingTask.localFolder())) {
      for (int[] row : MarginalRows.draw(marginals, Math.toIntExact(count), random)) {
        Object[] cells = domain.ofTokens(codec, row, random);
        writer.add(
            RecordTokens.bytes(PrivateLanguageEncoder.ids(format, cells, schema, mostTokens)));
      }
      return writer.finish();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
