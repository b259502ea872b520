package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
final class GroupSizesTest {
  private static GroupMarginalStage.Sizes sizes(double... groups) {
    int[] lows = GroupMarginalStage.sizeCells();
    double[] all = new double[lows.length];
    System.arraycopy(groups, 0, all, 0, groups.length);
    return new GroupMarginalStage.Sizes(lows, all);
  }

  @Test
  void meanAndCapAreThoseOfTheHistogram() {
    GroupMarginalStage.Sizes sizes = sizes(500, 300, 200);
    assertEquals(1.7, sizes.meanRows(10), 1e-12);
    assertEquals(1.5, sizes.meanRows(2), 1e-12);
    assertEquals(3, sizes.nearlyAll());
    assertEquals(500, sizes.ofSeveralRows(), 1e-12);
  }

  /** Half end at the first row, of the others three fifths at the second. */
  @Test
  void sharesOfEndingsAreHazards() {
    double[] shares = sizes(500, 300, 200).endings(4).shares();
    assertEquals(3, shares.length);
    assertEquals(0.5, shares[0], 1e-12);
    assertEquals(0.6, shares[1], 1e-12);
    assertEquals(0.999, shares[2], 1e-12);
  }

  /** 980 of 1,000 groups have one row, the others 2 to 11, two each: 20 end in 110 rows. */
  @Test
  void whereFewAreLeftTheyShareOneHazard() {
    double[] groups = {980, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
    double[] shares = sizes(groups).endings(13).shares();
    assertEquals(0.98, shares[0], 1e-12);
    for (int row = 1; row < shares.length; row++) {
      assertEquals(20 / 110.0, shares[row], 1e-12);
    }
  }
}
