package org.safesynth.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.codec.RecordCodec;
import org.safesynth.codec.RecordGrammar;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.FieldDecoderConfig;

@Tag("unit")
class FieldSamplerTest {
  private static final List<Integer> SIZES = List.of(3, 4, 2);

  /**
   * Token 1 is never written at the first position; the second allows as many as the first says.
   */
  private record TableGrammar() implements RecordGrammar {
    @Override
    public boolean isWritable(int position, int token) {
      return position != 0 || token != 1;
    }

    @Override
    public int[] limits(int position) {
      return position == 1 ? new int[] {4, 4, 2} : null;
    }
  }

  private record TokenCodec() implements RecordCodec {
    @Override
    public int positions() {
      return SIZES.size();
    }

    @Override
    public int vocabularySize(int position) {
      return SIZES.get(position);
    }

    @Override
    public void encode(Object[] cells, int[] tokens) {
      for (int t = 0; t < tokens.length; t++) {
        tokens[t] = ((Long) cells[t]).intValue();
      }
    }

    @Override
    public Object[] decode(int[] tokens, long record, RandomGenerator random) {
      return java.util.Arrays.stream(tokens).mapToObj(t -> (Object) (long) t).toArray();
    }

    @Override
    public RecordGrammar grammar() {
      return new TableGrammar();
    }
  }

  private final FieldDecoder decoder = new FieldDecoder(new FieldDecoderConfig(8, 1, 1, SIZES));

  /**
   * With a zero head every token has the probability of its bias: counts 2, 3, 5; 1, 1, 1, 1; 9, 1.
   */
  private float[] weights() {
    long[] counts = {200, 300, 500, 250, 250, 250, 250, 900, 100};
    return decoder.initialParameters(counts, 1_000, new SplittableRandom(1));
  }

  private int[][] sample(double temperature, double topP, int batch, long seed) {
    try (FieldSampler sampler =
        new FieldSampler(decoder, weights(), new TokenCodec(), temperature, topP)) {
      return sampler.sample(batch, new SplittableRandom(seed));
    }
  }

  private static double share(int[][] records, int position, int token) {
    double count = 0;
    for (int[] record : records) {
      count += record[position] == token ? 1 : 0;
    }
    return count / records.length;
  }

  @Test
  void tokensFollowTheModelsProbabilitiesUnderTheGrammar() {
    int[][] records = sample(1, 1, 20_000, 3);
    // Standard errors are below .0036; five of them.
    assertEquals(0, share(records, 0, 1));
    assertEquals(2 / 7.0, share(records, 0, 0), 0.018);
    assertEquals(0.9, share(records, 2, 0), 0.018);
    for (int[] record : records) {
      assertTrue(record[0] != 2 || record[1] < 2);
    }
    assertEquals(2 / 7.0 / 4, share(records, 1, 3), 0.018);
  }

  @Test
  void theSameStreamGivesTheSameRecords() {
    assertArrayEquals(sample(1, 1, 50, 9), sample(1, 1, 50, 9));
  }

  @Test
  void moreRecordsThanMemoryAllowsAreSampledInParts() {
    int[][] records = sample(1, 1, 240_000, 5); // 288 bytes each are more than 64 MiB
    int[][] last = java.util.Arrays.copyOfRange(records, 235_000, 240_000);
    assertEquals(2 / 7.0, share(last, 0, 0), 0.032); // five standard errors
    assertEquals(0.9, share(last, 2, 0), 0.022);
  }

  @Test
  void temperatureZeroTakesTheMostLikely() {
    int[][] records = sample(0, 1, 20, 1);
    assertEquals(1, share(records, 0, 2));
    assertEquals(1, share(records, 2, 0));
  }

  @Test
  void lowTemperatureSharpens() {
    double expected = Math.pow(9, 2) / (Math.pow(9, 2) + 1);
    assertEquals(expected, share(sample(0.5, 1, 20_000, 3), 2, 0), 0.01);
  }

  @Test
  void topPLeavesTheTailOut() {
    assertEquals(0, share(sample(1, 0.8, 2_000, 3), 2, 1));
    assertEquals(5 / 7.0, share(sample(1, 0.99, 20_000, 3), 0, 2), 0.018);
  }
}
