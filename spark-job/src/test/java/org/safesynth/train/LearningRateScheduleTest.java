package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("unit")
class LearningRateScheduleTest {
  private static final double HIGHEST = 3e-4;
  private static final int TOTAL = 50;
  private static final int[] STEPS = {0, 1, 3, 4, 5, 6, 13, 24, 37, 44, 45, 46, 49, 50};

  /**
   * transformers 5.23.0, get_scheduler with AdamW of rate 3e-4 over 50 steps; min_lr_rate 0.1 and
   * num_decay_steps 5, which it asks for where a tenth is ours.
   */
  @ParameterizedTest
  @CsvSource(
      value = {
        "linear, 4, 0 7.5e-05 0.000225 0.0003 0.00029347826087 0.000286956521739 0.000241304347826"
            + " 0.000169565217391 8.47826086957e-05 3.91304347826e-05 3.26086956522e-05"
            + " 2.60869565217e-05 6.52173913043e-06 0",
        "linear, 0, 0.0003 0.000294 0.000282 0.000276 0.00027 0.000264 0.000222 "
            + "0.000156 7.8e-05 3.6e-05 3e-05 2.4e-05 6e-06 0",
        "cosine, 4, 0 7.5e-05 0.000225 0.0003 0.000299650315379 0.000298602891905 0.000272545483952"
            + " 0.000180518401958 5.53368083511e-05 1.24183047742e-05 8.66086168218e-06"
            + " 5.56240689783e-06 3.49684621419e-07 0",
        "cosine, 0, 0.0003 0.000299704009264 0.000297343087609 0.000295287474169 0.000292658477444"
            + " 0.000289466472883 0.000252682065889 0.000159418577929 4.73179341107e-05"
            + " 1.05335271168e-05 7.34152255573e-06 4.71252583071e-06 2.95990735759e-07 0",
        "cosine_with_restarts, 4, 0 7.5e-05 0.000225 0.0003 0.000299650315379 0.000298602891905"
            + " 0.000272545483952 0.000180518401958 5.53368083511e-05 1.24183047742e-05"
            + " 8.66086168218e-06 5.56240689783e-06 3.49684621419e-07 0",
        "cosine_with_restarts, 0, 0.0003 0.000299704009264 0.000297343087609 0.000295287474169"
            + " 0.000292658477444 0.000289466472883 0.000252682065889 0.000159418577929"
            + " 4.73179341107e-05 1.05335271168e-05 7.34152255573e-06 4.71252583071e-06"
            + " 2.95990735759e-07 0",
        "polynomial, 4, 0 7.5e-05 0.000225 0.0003 0.000293480434783 0.000286960869565"
            + " 0.000241323913043 0.000169608695652 8.48543478261e-05 3.92173913043e-05"
            + " 3.2697826087e-05 2.61782608696e-05 6.61956521739e-06 1e-07",
        "polynomial, 0, 0.0003 0.000294002 0.000282006 0.000276008 0.00027001 0.000264012"
            + " 0.000222026 0.000156048 7.8074e-05 3.6088e-05 3.009e-05 2.4092e-05 6.098e-06 1e-07",
        "constant, 4, 0.0003 0.0003 0.0003 0.0003 0.0003 0.0003 0.0003 "
            + "0.0003 0.0003 0.0003 0.0003 0.0003 0.0003 0.0003",
        "constant, 0, 0.0003 0.0003 0.0003 0.0003 0.0003 0.0003 0.0003 "
            + "0.0003 0.0003 0.0003 0.0003 0.0003 0.0003 0.0003",
        "constant_with_warmup, 4, 0 7.5e-05 0.000225 0.0003 0.0003 0.0003 0.0003 "
            + "0.0003 0.0003 0.0003 0.0003 0.0003 0.0003 0.0003",
        "constant_with_warmup, 0, 0.0003 0.0003 0.0003 0.0003 0.0003 0.0003 0.0003 "
            + "0.0003 0.0003 0.0003 0.0003 0.0003 0.0003 0.0003",
        "inverse_sqrt, 4, 0 7.5e-05 0.000225 0.0003 0.0002683281573 0.000244948974278"
            + " 0.000166410058868 0.000122474487139 9.86393923832e-05 9.04534033733e-05"
            + " 8.94427191e-05 8.84651736929e-05 8.57142857143e-05 8.48528137424e-05",
        "inverse_sqrt, 0, 0.0003 0.000299985001125 0.000299955010122 0.000299940017994"
            + " 0.000299925028113 0.00029991004048 0.000299805189919 0.000299640646707"
            + " 0.000299446535392 0.000299342170045 0.000299327269616 0.000299312371411"
            + " 0.000299267690142 0.000299252800832",
        "cosine_with_min_lr, 4, 0 7.5e-05 0.000225 0.0003 0.000299685283841 0.000298742602715"
            + " 0.000275290935556 0.000192466561762 7.9803127516e-05 4.11764742968e-05"
            + " 3.7794775514e-05 3.5006166208e-05 3.03147161593e-05 3e-05",
        "cosine_with_min_lr, 0, 0.0003 0.000299733608338 0.000297608778848 0.000295758726752"
            + " 0.0002933926297 0.000290519825595 0.0002574138593 0.000173476720136"
            + " 7.25861406996e-05 3.94801744051e-05 3.66073703002e-05 3.42412732476e-05"
            + " 3.02663916622e-05 3e-05",
        "cosine_warmup_with_min_lr, 4, 7.5e-05 0.00015 0.0003 0.000299685283841 0.000298742602715"
            + " 0.000297176351837 0.000269721024245 0.000183382497628 7.28553256655e-05"
            + " 3.7794775514e-05 3.5006166208e-05 3.28236481629e-05 3e-05 3.03147161593e-05",
        "cosine_warmup_with_min_lr, 0, 0.000299733608338 0.000298935484677 0.000295758726752"
            + " 0.0002933926297 0.000290519825595 0.000287151652083 0.000251052238616 0.000165"
            + " 6.65892352981e-05 3.66073703002e-05 3.42412732476e-05 3.23912211516e-05 3e-05"
            + " 3.02663916622e-05",
        "warmup_stable_decay, 4, 0 7.5e-05 0.000225 0.0003 0.0003 0.0003 0.0003 "
            + "0.0003 0.0003 0.0003 0.0003 0.000271352549156 2.86474508438e-05 0",
        "warmup_stable_decay, 0, 0.0003 0.0003 0.0003 0.0003 0.0003 0.0003 0.0003 "
            + "0.0003 0.0003 0.0003 0.0003 0.000271352549156 2.86474508438e-05 0"
      })
  void ratesAreHuggingFaces(String name, int warmup, String rates) {
    LearningRateSchedule schedule = LearningRateSchedule.named(name).orElseThrow();
    List<String> expected = List.of(rates.split(" "));
    assertEquals(STEPS.length, expected.size());
    for (int i = 0; i < STEPS.length; i++) {
      double rate = Double.parseDouble(expected.get(i));
      assertEquals(
          rate,
          schedule.rate(HIGHEST, STEPS[i], warmup, TOTAL),
          1e-9 * rate + 1e-18,
          name + " at step " + STEPS[i]);
    }
  }

  // torch 2.15.0, ReduceLROnPlateau(optimizer) with its defaults, stepped with these losses
  @Test
  void aPlateauLowersTheRateAsInPyTorch() {
    PlateauRate rate = PlateauRate.start(HIGHEST);
    double[] first = {5, 4, 3.9999, 4, 4.1, 3.99};
    for (double loss : first) {
      rate = rate.after(loss);
      assertEquals(HIGHEST, rate.rate());
    }
    for (int i = 1; i <= 12; i++) {
      rate = rate.after(4.0);
      assertEquals(i <= 10 ? HIGHEST : 3e-5, rate.rate(), 1e-15, "validation " + i);
    }
    rate = rate.after(3.0);
    for (int i = 1; i <= 24; i++) {
      rate = rate.after(3.0);
      double expected = i <= 10 ? 3e-5 : i <= 21 ? 3e-6 : 3e-7;
      assertEquals(expected, rate.rate(), 1e-16, "validation " + i + " after the best");
    }
    assertTrue(LearningRateSchedule.REDUCE_LR_ON_PLATEAU.followsLoss());
    assertEquals(HIGHEST, LearningRateSchedule.REDUCE_LR_ON_PLATEAU.rate(HIGHEST, 7, 3, TOTAL));
  }

  @Test
  void warmupIsAShareRoundedUp() {
    assertEquals(3, LearningRateSchedule.warmupSteps(0.05, 41));
    assertEquals(0, LearningRateSchedule.warmupSteps(0, 41));
    assertTrue(LearningRateSchedule.named("greedy").isEmpty());
  }
}
