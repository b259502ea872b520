package org.safesynth.generate;

import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.codec.RecordCodec;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.FieldDecoding;
import org.safesynth.model.Natives;

/**
 * Samples records from the embedded decoder, all records of a batch position by position, where the
 * grammar leaves only valid tokens.
 *
 * <p>One uniform number a record and position, through the inverse of the cumulative distribution;
 * the numbers are drawn in a fixed order, so that the same stream gives the same records.
 */
public final class FieldSampler implements AutoCloseable {
  private final FieldDecoder decoder;
  private final PointerScope scope = new PointerScope();
  private final List<Tensor> parameters;
  private final FieldDecoding.Opening opening;
  private final PositionRules rules;
  private final int[] embeddingOffsets;
  private final TokenDistribution distribution;

  /**
   * Prepares a model for sampling on the calling thread, which must also use and close it.
   *
   * @param weights (P)
   * @param temperature 0 takes the most likely token
   * @param topP tokens beyond this share of probability are left out; 1 keeps all
   */
  public FieldSampler(
      FieldDecoder decoder, float[] weights, RecordCodec codec, double temperature, double topP) {
    Natives.load();
    Natives.useOneThread();
    this.decoder = decoder;
    this.distribution = new TokenDistribution(temperature, topP, 1);
    this.embeddingOffsets = decoder.config().embeddingOffsets();
    this.parameters = decoder.layout().views(torch.tensor(weights));
    try (NoGradGuard guard = new NoGradGuard()) {
      this.opening = decoder.opening(parameters);
    }
    this.rules = new PositionRules(decoder.config(), codec.grammar());
  }

  /**
   * Samples records, as many at once as {@link FieldDecoding#recordsAtOnce} says.
   *
   * @param count number of records
   * @return tokens (count, positions)
   */
  public int[][] sample(int count, RandomGenerator random) {
    int[][] tokens = new int[count][decoder.config().positions()];
    int most = FieldDecoding.recordsAtOnce(decoder.config());
    for (int from = 0; from < count; from += most) {
      sample(tokens, from, Math.min(most, count - from), random);
    }
    return tokens;
  }

  private void sample(int[][] tokens, int from, int batch, RandomGenerator random) {
    try (NoGradGuard guard = new NoGradGuard();
        PointerScope batchScope = new PointerScope()) {
      FieldDecoding decoding = decoder.startDecoding(parameters, batch, opening);
      int[] chosen = new int[batch];
      for (int t = 0; t < decoder.config().positions(); t++) {
        try (PointerScope positionScope = new PointerScope()) {
          chosen = choose(decoding, t, chosen, random);
        }
        for (int b = 0; b < batch; b++) {
          tokens[from + b][t] = chosen[b];
        }
      }
    }
  }

  private int[] choose(FieldDecoding decoding, int position, int[] before, RandomGenerator random) {
    Tensor previous = torch.tensor(before); // (batch)
    Tensor rows =
        position == 0 ? previous : previous.add(new Scalar(embeddingOffsets[position - 1]));
    Tensor logits = decoding.logits(position, rows); // (batch, V)
    return distribution.next(
        rules.allowed(position, logits, previous), () -> uniform(before.length, random));
  }

  private static float[] uniform(int batch, RandomGenerator random) {
    float[] uniform = new float[batch];
    for (int b = 0; b < batch; b++) {
      uniform[b] = random.nextFloat();
    }
    return uniform;
  }

  @Override
  public void close() {
    scope.close();
  }
}
