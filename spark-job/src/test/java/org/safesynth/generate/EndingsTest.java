package org.safesynth.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.model.Natives;

@Tag("unit")
final class EndingsTest {
  private static double[] endings(Tensor logits) {
    float[] p = new float[(int) logits.numel()];
    torch.softmax(logits, 1).contiguous().data_ptr_float().get(p);
    return new double[] {p[1], p[4], p[7]};
  }

  /** Three groups that end with probability .9, .5 and .1; the third token is not allowed. */
  @Test
  void theMeanIsTheShareAndTheOrderTheModels() {
    Natives.load();
    try (PointerScope scope = new PointerScope()) {
      float never = Float.NEGATIVE_INFINITY;
      float nine = (float) Math.log(9);
      Tensor logits = torch.tensor(0f, nine, never, 2f, 2f, never, nine, 0f, never).view(3, 3);
      Endings endings = new Endings(new double[] {0.2, 0.7});
      for (int row : new int[] {0, 1, 50}) {
        double[] p = endings(endings.applied(logits, row, 1));
        double share = row == 0 ? 0.2 : 0.7;
        assertEquals(share, (p[0] + p[1] + p[2]) / 3, 1e-5);
        assertTrue(p[0] > p[1] && p[1] > p[2]);
        double odds = Math.log(p[0] / (1 - p[0])) - Math.log(p[1] / (1 - p[1]));
        assertEquals(Math.log(9), odds, 1e-4, "all are shifted by one number");
      }
    }
  }

  @Test
  void sharesLieBetweenZeroAndOne() {
    assertThrows(IllegalArgumentException.class, () -> new Endings(new double[0]));
    assertThrows(IllegalArgumentException.class, () -> new Endings(new double[] {0.5, 1}));
  }
}
