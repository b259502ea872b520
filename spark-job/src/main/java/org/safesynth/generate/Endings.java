package org.safesynth.generate;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.Serializable;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * What share of groups ends at each row, as it is known from elsewhere: from noisy sizes after
 * private training, which clips a long group as much as a short one and so teaches endings too
 * often. The model still says which groups of a batch end; how many of them is set by adding one
 * number to the logit of an ending, for all groups of the batch that have come so far.
 *
 * @param shares (rows) of the groups that have so many rows, those that end there; later rows take
 *     the last
 */
public record Endings(@JsonProperty("shares") double[] shares) implements Serializable {
  private static final double MOST_SHIFT = 30;
  private static final int ROUNDS = 60;

  public Endings {
    if (shares.length == 0 || !Arrays.stream(shares).allMatch(share -> share > 0 && share < 1)) {
      throw new IllegalArgumentException("endings need shares between 0 and 1, both excluded");
    }
  }

  /**
   * Logits whose mean probability of an ending is the row's share.
   *
   * @param logits (groups, tokens) minus infinity for what is not allowed
   * @param row number of the row, from 0
   * @param lastToken the token of an ending
   */
  Tensor applied(Tensor logits, int row, int lastToken) {
    int groups = (int) logits.size(0);
    int tokens = (int) logits.size(1);
    float[] values = new float[groups * tokens];
    logits.contiguous().data_ptr_float().get(values);
    double[] odds = new double[groups]; // logarithm of an ending's odds
    for (int g = 0; g < groups; g++) {
      double others = 0;
      for (int token = 0; token < tokens; token++) {
        others += token == lastToken ? 0 : Math.exp(values[g * tokens + token]);
      }
      odds[g] = values[g * tokens + lastToken] - Math.log(others);
    }
    double shift = shift(odds, shares[Math.min(row, shares.length - 1)]);
    for (int g = 0; g < groups; g++) {
      values[g * tokens + lastToken] += (float) shift;
    }
    return torch.tensor(values).view(groups, tokens);
  }

  /** The number that, added to all, gives their probabilities the wanted mean. */
  static double shift(double[] odds, double share) {
    double low = -MOST_SHIFT;
    double high = MOST_SHIFT;
    for (int round = 0; round < ROUNDS; round++) {
      double middle = (low + high) / 2;
      double mean =
          Arrays.stream(odds).map(x -> 1 / (1 + Math.exp(-x - middle))).average().orElse(0);
      if (mean > share) {
        high = middle;
      } else {
        low = middle;
      }
    }
    return (low + high) / 2;
  }
}
