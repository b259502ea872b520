package org.safesynth.generate;

import java.util.function.Supplier;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * From logits to the probabilities of the next token with the semantics, and in the order, of
 * Hugging Face's {@code generate}: repetition penalty, then what a grammar forbids, temperature,
 * top-p.
 *
 * @param temperature 0 takes the most likely token
 * @param topP share of probability that is kept: a token stays if the mass before it is below; the
 *     most likely one always does
 * @param repetitionPenalty divides positive and multiplies negative logits of tokens that prompt or
 *     text hold, once each; 1 leaves them
 */
public record TokenDistribution(double temperature, double topP, double repetitionPenalty) {
  private static final int MOST_COPIED = 1 << 20; // floats

  /** Whether tokens that were written must be remembered. */
  boolean penalizes() {
    return repetitionPenalty != 1;
  }

  /**
   * Logits after penalty and grammar.
   *
   * @param logits (batch, vocabulary)
   * @param seen (batch, vocabulary) true where the row holds the token; null without penalty
   * @param forbidden (batch, vocabulary) 0 or minus infinity; null without grammar
   */
  Tensor masked(Tensor logits, Tensor seen, Tensor forbidden) {
    Tensor result = logits; // (batch, vocabulary)
    if (penalizes()) {
      Tensor lowered = logits.div(new Scalar(repetitionPenalty)); // (batch, vocabulary)
      Tensor raised = logits.mul(new Scalar(repetitionPenalty)); // (batch, vocabulary)
      Tensor penalized = torch.where(logits.gt(new Scalar(0)), lowered, raised);
      result = torch.where(seen, penalized, logits);
    }
    return forbidden == null ? result : result.add(forbidden);
  }

  /**
   * Probabilities.
   *
   * @param masked (batch, vocabulary)
   * @return (batch, vocabulary)
   */
  Tensor probabilities(Tensor masked) {
    Tensor scaled = temperature == 1 ? masked : masked.div(new Scalar(temperature));
    Tensor probabilities = torch.softmax(scaled, 1); // (batch, vocabulary)
    return topP < 1 ? nucleus(probabilities) : probabilities;
  }

  private Tensor nucleus(Tensor probabilities) {
    var sorted = torch.sort(probabilities, 1, true);
    Tensor before = torch.cumsum(sorted.get0(), 1).sub(sorted.get0()); // (batch, vocabulary)
    Tensor tail = before.ge(new Scalar(topP)); // (batch, vocabulary)
    tail.narrow(1, 0, 1).fill_(new Scalar(0));
    Tensor kept = sorted.get0().masked_fill(tail, new Scalar(0.0)); // (batch, vocabulary)
    Tensor result = torch.zeros_like(probabilities).scatter_(1, sorted.get1(), kept);
    return result.div(result.sum(new long[] {1}, true, new ScalarTypeOptional()));
  }

  /**
   * The next token of each row.
   *
   * @param masked (batch, vocabulary) logits
   * @param uniform draws (batch) numbers below 1; not asked where the most likely token is taken
   */
  int[] next(Tensor masked, Supplier<float[]> uniform) {
    return temperature == 0
        ? ids(masked.argmax(new LongOptional(1), false))
        : draw(probabilities(masked), uniform.get());
  }

  /**
   * Draws a token a row through the inverse of the cumulative distribution.
   *
   * @param probabilities (batch, vocabulary)
   * @param uniform (batch) numbers below 1
   */
  static int[] draw(Tensor probabilities, float[] uniform) {
    return probabilities.is_cuda()
        ? drawThere(probabilities, uniform)
        : drawHere(probabilities, uniform);
  }

  /** Where the probabilities are: a vocabulary for each row is too much to copy from a GPU. */
  static int[] drawThere(Tensor probabilities, float[] uniform) {
    Tensor sums = // (batch, vocabulary)
        probabilities.cumsum(1, new ScalarTypeOptional(torch.ScalarType.Double));
    Tensor total = sums.narrow(1, sums.size(1) - 1, 1); // (batch, 1)
    Tensor draws = // (batch, 1) below the total, whatever its rounding
        torch
            .tensor(uniform)
            .to(probabilities.device(), torch.ScalarType.Double)
            .unsqueeze(1)
            .mul(total);
    return ids(sums.le(draws).sum(new long[] {1}));
  }

  static int[] drawHere(Tensor probabilities, float[] uniform) {
    int batch = (int) probabilities.size(0);
    int size = (int) probabilities.size(1);
    FloatPointer source = probabilities.contiguous().data_ptr_float();
    int most = Math.max(1, MOST_COPIED / size); // rows at once
    float[] rows = new float[Math.min(batch, most) * size];
    int[] drawn = new int[batch];
    for (int from = 0; from < batch; from += most) {
      int count = Math.min(most, batch - from);
      source.position((long) from * size).get(rows, 0, count * size);
      for (int b = 0; b < count; b++) {
        drawn[from + b] = draw(rows, b * size, size, uniform[from + b]);
      }
    }
    return drawn;
  }

  private static int draw(float[] probabilities, int from, int size, float uniform) {
    int drawn = 0;
    double passed = 0;
    for (int token = 0; token < size && passed <= uniform; token++) {
      if (probabilities[from + token] > 0) {
        drawn = token; // the last of them where rounding leaves a rest
        passed += probabilities[from + token];
      }
    }
    return drawn;
  }

  private static int[] ids(Tensor picked) {
    int[] ids = new int[(int) picked.size(0)];
    picked.to(torch.ScalarType.Int).cpu().contiguous().data_ptr_int().get(ids);
    return ids;
  }
}
