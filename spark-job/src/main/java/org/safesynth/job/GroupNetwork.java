package org.safesynth.job;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.safesynth.codec.GroupCodec;
import org.safesynth.codec.GroupLayout;
import org.safesynth.codec.Rhythm;
import org.safesynth.marginal.Marginals;
import org.safesynth.marginal.TreeSampler;
import org.safesynth.random.SeededStreams;
import org.safesynth.train.TokenStore;

/**
 * Draws groups from noisy tables: a first row with the group's size, then row by row what the row
 * before and the size say of the next. A function of what was paid for, so it costs nothing.
 *
 * @param records what the tables count
 * @param first tables of first rows
 * @param steps tables of steps from a row to the next
 */
record GroupNetwork(GroupRecords records, Marginals first, Marginals steps)
    implements Serializable {
  private static final int CUT = 2;

  /** Groups with their times, as the examples are written; a store that the caller closes. */
  TokenStore draw(int groups, long seed) {
    RandomGenerator random = new SeededStreams(seed).stream(SeededStreams.Purpose.SAMPLING, -1);
    GroupCodec codec = records.codec();
    int positions = codec.fields().positions();
    TreeSampler ofFirst = new TreeSampler(first);
    TreeSampler ofStep = new TreeSampler(steps, records.knownOfStep());
    int[] record = new int[first.ones().length];
    int[] step = new int[steps.ones().length];
    try (TokenStore.Writer writer =
        TokenStore.create(TrainingTask.localFolder(), positions + GroupLayout.FEATURES)) {
      for (int group = 0; group < groups; group++) {
        ofFirst.sample(record, random);
        int cell = record[record.length - 1];
        int most = codec.layout().mostRows();
        int rows = random.nextInt(records.leastRows(cell), records.mostRows(cell, most) + 1);
        int[] firstTokens = new int[positions];
        records.toFirst(record, firstTokens);
        int[] tokens = firstTokens;
        Times times = new Times(codec, random);
        for (int row = 0; row < rows; row++) {
          if (row > 0) {
            records.known(firstTokens, tokens, row, cell, step);
            ofStep.complete(step, random);
            tokens = new int[positions];
            records.toNext(step, firstTokens, tokens);
          }
          boolean isLast = row == rows - 1;
          tokens[positions - 1] = !isLast ? 0 : rows >= most ? CUT : codec.lastToken();
          writer.add(bytes(codec, tokens, times.after(tokens)));
        }
      }
      return writer.finish();
    }
  }

  /** The times of a group that is being drawn. */
  private static final class Times {
    private final GroupCodec codec;
    private final RandomGenerator random;
    private Object[] firstCells;
    private Rhythm rhythm;

    Times(GroupCodec codec, RandomGenerator random) {
      this.codec = codec;
      this.random = random;
    }

    Rhythm after(int[] tokens) {
      if (!codec.layout().isOrdered()) {
        return null;
      }
      Long before = rhythm == null ? null : rhythm.last();
      Object[] cells = codec.decode(tokens, firstCells, before, 0, 0, random);
      long tick = (Long) cells[codec.layout().orderColumn()];
      rhythm = rhythm == null ? Rhythm.of(tick) : rhythm.next(tick);
      firstCells = firstCells == null ? cells : firstCells;
      return rhythm;
    }
  }

  private static byte[] bytes(GroupCodec codec, int[] tokens, Rhythm rhythm) {
    int[] features = codec.layout().features(rhythm);
    ByteBuffer bytes =
        ByteBuffer.allocate((tokens.length + features.length) * Short.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    Arrays.stream(tokens).forEach(token -> bytes.putShort((short) token));
    Arrays.stream(features).forEach(feature -> bytes.putShort((short) feature));
    return bytes.array();
  }
}
