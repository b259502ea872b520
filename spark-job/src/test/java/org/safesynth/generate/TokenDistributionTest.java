package org.safesynth.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.model.Natives;

@Tag("unit")
class TokenDistributionTest {
  @BeforeAll
  static void load() {
    Natives.load();
  }

  /** Both invert the same cumulative distribution; tokens of probability 0 are never drawn. */
  @Test
  void drawsWhereTheProbabilitiesAreAreThoseOfTheLoop() {
    int rows = 400;
    SplittableRandom random = new SplittableRandom(6);
    try (PointerScope scope = new PointerScope()) {
      torch.manual_seed(8);
      Tensor logits = torch.randn(rows, 300).mul(new Scalar(4)); // (rows, vocabulary)
      Tensor forbidden = torch.rand(rows, 300).gt(new Scalar(0.3)); // (rows, vocabulary)
      Tensor probabilities = // (rows, vocabulary)
          torch.softmax(logits.masked_fill(forbidden, new Scalar(Float.NEGATIVE_INFINITY)), 1);
      float[] uniform = new float[rows];
      for (int i = 0; i < rows; i++) {
        uniform[i] = random.nextFloat();
      }
      uniform[0] = 0;
      uniform[1] = Math.nextDown(1f);
      int[] here = TokenDistribution.drawHere(probabilities, uniform);
      int[] there = TokenDistribution.drawThere(probabilities, uniform);
      // The second scales its draws by the sum, which float32 leaves some 1e-7 from 1.
      int[] same = Arrays.copyOfRange(here, 2, rows);
      assertArrayEquals(same, Arrays.copyOfRange(there, 2, rows));
      for (int i = 0; i < rows; i++) {
        assertTrue(probabilities.select(0, i).select(0, there[i]).item_float() > 0, "row " + i);
      }
    }
  }
}
