package org.safesynth.generate;

import org.bytedeco.pytorch.Scalar;
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
  /** Whether tokens that were written must be remembered. */
  boolean penalizes() {
    return repetitionPenalty != 1;
  }

  boolean isGreedy() {
    return temperature == 0;
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
    return result.div(
        result.sum(new long[] {1}, true, new org.bytedeco.pytorch.ScalarTypeOptional()));
  }

  /**
   * Draws a token a row through the inverse of the cumulative distribution.
   *
   * @param probabilities (batch, vocabulary)
   * @param uniform (batch) numbers below 1
   */
  int[] draw(Tensor probabilities, float[] uniform) {
    long size = probabilities.size(1);
    Tensor cumulative = torch.cumsum(probabilities, 1); // (batch, vocabulary)
    Tensor total = cumulative.narrow(1, size - 1, 1); // (batch, 1), 1 but for rounding
    Tensor level = torch.tensor(uniform).unsqueeze(1).mul(total); // (batch, 1)
    return ids(cumulative.le(level).sum(1));
  }

  static int[] ids(Tensor picked) {
    int[] ids = new int[(int) picked.size(0)];
    picked.to(torch.ScalarType.Int).contiguous().data_ptr_int().get(ids);
    return ids;
  }
}
