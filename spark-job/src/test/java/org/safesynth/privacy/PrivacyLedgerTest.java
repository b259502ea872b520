package org.safesynth.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;

@Tag("unit")
class PrivacyLedgerTest {
  private static final Delta DELTA = new Delta(1e-5);

  private static PrivacyLedgerBuilder filled() {
    return PrivacyLedger.builder()
        .streams(SecretStreams.secure())
        .unit("record")
        .mostRowsPerUnit(1)
        .units(32_561, PrivacyLedger.UnitsKnownBy.DECLARED_PUBLIC)
        .domain(Map.of("age", "declared"))
        .budget(new Epsilon(3), DELTA, Accountant.RDP);
  }

  private static PrivacyLedgerBuilder trained() {
    return filled()
        .release("one-way tables", "15 noisy tables", new DiscreteGaussianCounts(40, 4, 1))
        .release("domain", "value lists", BoundedLoss.approximate(0.2, 1e-7))
        .training(
            new SubsampledGaussian(new SamplingRate(0.03), new NoiseMultiplier(1.5), 100), 1, 976);
  }

  @Test
  void everyEpsilonIsComputedFromWhatWasReleased() {
    PrivacyLedger ledger = trained().build();
    List<Mechanism> history = ledger.history();
    assertEquals(3, history.size());
    assertEquals(RdpAccountant.spent(history, DELTA).epsilon(), ledger.epsilonRdp());
    assertEquals(PldAccountant.spent(history, DELTA).epsilon(), ledger.epsilonPld());
    assertEquals(ledger.epsilonRdp(), ledger.epsilon());
    assertEquals(
        1, ledger.mechanisms().stream().mapToDouble(PrivacyLedger.Line::share).sum(), 1e-9);
    assertEquals(1e-7, ledger.deltaParts().get("domain"));
    assertEquals(
        1e-5, ledger.deltaParts().values().stream().mapToDouble(Double::doubleValue).sum(), 1e-20);
    assertTrue(ledger.secureRandom());
    assertNull(ledger.stamp());
    assertTrue(ledger.statement().contains("e^"));
  }

  @Test
  void nothingMayBeLeftOut() {
    assertThrows(IllegalStateException.class, () -> filled().build());
    filled().noTraining().build();
    assertThrows(IllegalStateException.class, () -> PrivacyLedger.builder().noTraining().build());
    assertThrows(IllegalStateException.class, () -> trained().streams(null).build());
    assertThrows(IllegalStateException.class, () -> trained().unit(null).build());
    assertThrows(IllegalStateException.class, () -> trained().mostRowsPerUnit(0).build());
  }

  @Test
  void spendingMoreThanTheBudgetIsRefused() {
    PrivacyLedgerBuilder more = trained().release("again", "more", BoundedLoss.pure(2.5));
    IllegalStateException refused = assertThrows(IllegalStateException.class, more::build);
    assertTrue(refused.getMessage().contains("more than the budget"));
  }

  @Test
  void aTestKeyIsStamped() {
    PrivacyLedger ledger = trained().streams(SecretStreams.withTestKey(1)).build();
    assertEquals(SecretStreams.NOT_PRIVATE, ledger.stamp());
    assertTrue(ledger.statement().startsWith(SecretStreams.NOT_PRIVATE));
  }

  @Test
  void isReadBackAsItWasWritten() throws Exception {
    JsonMapper json = JsonMapper.builder().build();
    PrivacyLedger ledger = trained().build();
    PrivacyLedger read = json.readValue(json.writeValueAsString(ledger), PrivacyLedger.class);
    assertEquals(ledger, read);
    assertEquals(ledger.history(), read.history());
  }

  @Test
  void everyKindOfMechanismHasALine() {
    for (Mechanism mechanism :
        List.of(
            new SubsampledGaussian(new SamplingRate(0.03), new NoiseMultiplier(1.5), 100),
            new Gaussian(new NoiseMultiplier(3), 2),
            new DiscreteGaussianCounts(40, 4, 3),
            new Laplace(5, 4),
            BoundedLoss.approximate(0.1, 1e-9))) {
      assertEquals(mechanism, LedgerEntry.of("name", "what", mechanism).mechanism());
    }
  }

  @Test
  void aDamagedLineIsRefused() {
    LedgerEntry damaged =
        new LedgerEntry(
            "training", "", LedgerEntry.Kind.GAUSSIAN, null, null, null, null, null, null, 1);
    BadInputException refused = assertThrows(BadInputException.class, damaged::mechanism);
    assertTrue(refused.getMessage().contains("noise_multiplier"));
  }
}
