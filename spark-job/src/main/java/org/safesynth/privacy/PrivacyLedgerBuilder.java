package org.safesynth.privacy;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.safesynth.privacy.PrivacyLedger.UnitsKnownBy;

/**
 * Fills in a {@link PrivacyLedger}, field by field and by name. There are no defaults: what is not
 * said is an error, so that no claim is made by omission.
 */
public final class PrivacyLedgerBuilder {
  private static final List<String> NEVER_COVERED =
      List.of(
          "the evaluation report and all metrics computed on the real data: for internal use",
          "rows completed from values that a user gave: they contain what was given",
          "the operator's console, including the training loss, and checkpoints while the run lasts",
          "that a run failed or was started again: the claim covers the training that led to the released model");

  private SecretStreams streams;
  private String unit;
  private Long mostRowsPerUnit;
  private Double units;
  private UnitsKnownBy unitsKnownBy;
  private Map<String, String> domain;
  private PrivacyLedger.Training training;
  private boolean trainingSaid;
  private Epsilon budget;
  private Delta delta;
  private Accountant accountant;
  private final List<LedgerEntry> entries = new ArrayList<>();
  private final List<String> notCovered = new ArrayList<>(NEVER_COVERED);

  PrivacyLedgerBuilder() {}

  /** Where units and noise were drawn from. */
  public PrivacyLedgerBuilder streams(SecretStreams used) {
    streams = used;
    return this;
  }

  /** Whose presence is hidden, such as {@code "record"} or {@code "group of customer_id"}. */
  public PrivacyLedgerBuilder unit(String words) {
    unit = words;
    return this;
  }

  /** L: rows of one unit that are used at most. */
  public PrivacyLedgerBuilder mostRowsPerUnit(long rows) {
    mostRowsPerUnit = rows;
    return this;
  }

  /** n̂ and how it became known. */
  public PrivacyLedgerBuilder units(double count, UnitsKnownBy knownBy) {
    units = count;
    unitsKnownBy = knownBy;
    return this;
  }

  /** By column: {@code declared}, {@code bought} or {@code assumed public}. */
  public PrivacyLedgerBuilder domain(Map<String, String> byColumn) {
    domain = new LinkedHashMap<>(byColumn);
    return this;
  }

  /** DP-SGD's settings; its steps go on the ledger too. */
  public PrivacyLedgerBuilder training(
      SubsampledGaussian mechanism, double clipNorm, double expectedBatchSize) {
    if (!(clipNorm > 0 && expectedBatchSize > 0)) {
      throw new IllegalArgumentException("the clip norm and the expected batch are above 0");
    }
    training =
        new PrivacyLedger.Training(
            mechanism.samplingRate().value(),
            mechanism.noiseMultiplier().value(),
            clipNorm,
            mechanism.times(),
            expectedBatchSize);
    trainingSaid = true;
    return release("training", "clipped gradients with Gaussian noise, one sum a step", mechanism);
  }

  /** Says that nothing was trained on the data. */
  public PrivacyLedgerBuilder noTraining() {
    trainingSaid = true;
    return this;
  }

  /** What the user allowed, and the accountant whose ε is claimed. */
  public PrivacyLedgerBuilder budget(Epsilon epsilon, Delta atDelta, Accountant by) {
    budget = epsilon;
    delta = atDelta;
    accountant = by;
    return this;
  }

  /** A release about the data outside training. */
  public PrivacyLedgerBuilder release(String name, String what, Mechanism mechanism) {
    entries.add(LedgerEntry.of(name, what, mechanism));
    return this;
  }

  /** Something else that the claim is not about. */
  public PrivacyLedgerBuilder notCovered(String words) {
    notCovered.add(words);
    return this;
  }

  /**
   * The ledger, with every ε computed.
   *
   * @throws IllegalStateException if something was not said, or the budget is exceeded
   */
  public PrivacyLedger build() {
    need(streams, "streams");
    need(unit, "unit");
    need(mostRowsPerUnit, "mostRowsPerUnit");
    need(units, "units");
    need(domain, "domain");
    need(budget, "budget");
    if (!trainingSaid) {
      throw new IllegalStateException(
          "the ledger lacks training: say noTraining if there was none");
    }
    if (mostRowsPerUnit < 1 || !(units > 0)) {
      throw new IllegalStateException("a unit has at least one row, and there is more than none");
    }
    List<Mechanism> history = entries.stream().map(LedgerEntry::mechanism).toList();
    RdpAccountant.Spent rdp = RdpAccountant.spent(history, delta);
    PldAccountant.Spent pld = PldAccountant.spent(history, delta);
    Calibration.requireAgreement(rdp, pld);
    double claimed = accountant == Accountant.RDP ? rdp.epsilon() : pld.epsilon();
    if (!(claimed <= budget.value())) {
      throw new IllegalStateException(
          "what was released costs epsilon %s, more than the budget of %s"
              .formatted(claimed, budget.value()));
    }
    return new PrivacyLedger(
        statement(claimed),
        streams.isPrivate() ? null : SecretStreams.NOT_PRIVATE,
        streams.isPrivate(),
        unit,
        mostRowsPerUnit,
        PrivacyLedger.ADJACENCY,
        units,
        unitsKnownBy,
        domain,
        training,
        budget.value(),
        claimed,
        delta.value(),
        deltaParts(history),
        accountant,
        rdp.epsilon(),
        rdp.order(),
        pld.epsilon(),
        pld.error(),
        lines(rdp.order()),
        List.copyOf(notCovered));
  }

  private List<PrivacyLedger.Line> lines(double order) {
    double whole = entries.stream().mapToDouble(entry -> entry.mechanism().renyi(order)).sum();
    return entries.stream()
        .map(
            entry ->
                new PrivacyLedger.Line(
                    entry,
                    RdpAccountant.spent(List.of(entry.mechanism()), delta).epsilon(),
                    whole > 0 ? entry.mechanism().renyi(order) / whole : 0))
        .toList();
  }

  private Map<String, Double> deltaParts(List<Mechanism> history) {
    Map<String, Double> parts = new LinkedHashMap<>();
    for (LedgerEntry entry : entries) {
      double failure = entry.mechanism().failure();
      if (failure > 0) {
        parts.merge(entry.name(), failure, Double::sum);
      }
    }
    parts.put("conversion of the accountant", delta.value() - RdpAccountant.failure(history));
    return parts;
  }

  private String statement(double claimed) {
    if (!streams.isPrivate()) {
      return SecretStreams.NOT_PRIVATE
          + ": this run drew its noise from a known key, for tests; whoever knows the key can remove it.";
    }
    return """
        Whether any one %s is in the data or not changes the probability of any synthetic table and any \
        released file by a factor of at most e^%.4g = %.3g, except with probability %.2g \
        ((%.4g, %.2g)-differential privacy, %s, at most %d rows each). \
        This holds whatever else an attacker knows. It does not cover: %s."""
        .formatted(
            unit,
            claimed,
            Math.exp(claimed),
            delta.value(),
            claimed,
            delta.value(),
            PrivacyLedger.ADJACENCY,
            mostRowsPerUnit,
            String.join("; ", notCovered));
  }

  private static void need(Object value, String name) {
    if (value == null) {
      throw new IllegalStateException("the ledger lacks " + name);
    }
  }
}
