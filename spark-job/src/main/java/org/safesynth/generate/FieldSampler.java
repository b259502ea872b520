package org.safesynth.generate;

import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.codec.RecordCodec;
import org.safesynth.model.FieldDecoder;
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
  private final PositionRules rules;
  private final int[] embeddingOffsets;
  private final double temperature;
  private final double topP;

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
    this.temperature = temperature;
    this.topP = topP;
    this.embeddingOffsets = decoder.config().embeddingOffsets();
    this.parameters = decoder.layout().views(torch.tensor(weights));
    this.rules = new PositionRules(decoder.config(), codec.grammar());
  }

  /**
   * Samples a batch.
   *
   * @param batch number of records
   * @return tokens (batch, positions)
   */
  public int[][] sample(int batch, RandomGenerator random) {
    int positions = decoder.config().positions();
    int[][] tokens = new int[batch][positions];
    try (NoGradGuard guard = new NoGradGuard();
        PointerScope batchScope = new PointerScope()) {
      FieldDecoder.Decoding decoding = decoder.startDecoding(parameters, batch);
      int[] chosen = new int[batch];
      for (int t = 0; t < positions; t++) {
        try (PointerScope positionScope = new PointerScope()) {
          chosen = choose(decoding, t, chosen, random);
        }
        for (int b = 0; b < batch; b++) {
          tokens[b][t] = chosen[b];
        }
      }
    }
    return tokens;
  }

  private int[] choose(
      FieldDecoder.Decoding decoding, int position, int[] before, RandomGenerator random) {
    int batch = before.length;
    int size = decoder.config().vocabularySizes().get(position);
    Tensor previous = torch.tensor(before); // (batch)
    Tensor rows =
        position == 0 ? previous : previous.add(new Scalar(embeddingOffsets[position - 1]));
    Tensor logits =
        rules.allowed(position, decoding.logits(position, rows), previous); // (batch, V)
    int[] chosen = new int[batch];
    Tensor picked; // (batch)
    if (temperature == 0) {
      picked = logits.argmax(new LongOptional(1), false);
    } else {
      if (temperature != 1) {
        logits = logits.div(new Scalar(temperature));
      }
      Tensor probabilities = torch.softmax(logits, 1); // (batch, V)
      if (topP < 1) {
        probabilities = nucleus(probabilities);
      }
      Tensor cumulative = torch.cumsum(probabilities, 1); // (batch, V)
      float[] uniform = new float[batch];
      for (int b = 0; b < batch; b++) {
        uniform[b] = random.nextFloat();
      }
      Tensor total = cumulative.narrow(1, size - 1, 1); // (batch, 1), 1 but for rounding
      Tensor level = torch.tensor(uniform).unsqueeze(1).mul(total); // (batch, 1)
      picked = cumulative.le(level).sum(1); // (batch)
    }
    picked.to(torch.ScalarType.Int).contiguous().data_ptr_int().get(chosen);
    return chosen;
  }

  /** Probabilities without the least likely tokens beyond {@code topP} of the sum. */
  private Tensor nucleus(Tensor probabilities) {
    var sorted = torch.sort(probabilities, 1, true);
    Tensor before = torch.cumsum(sorted.get0(), 1).sub(sorted.get0()); // (batch, V)
    Tensor kept = sorted.get0().masked_fill(before.ge(new Scalar(topP)), new Scalar(0.0));
    Tensor result = torch.zeros_like(probabilities);
    return result.scatter_(1, sorted.get1(), kept);
  }

  @Override
  public void close() {
    scope.close();
  }
}
