package org.safesynth.privacy;

import java.util.List;
import java.util.Map;

/**
 * What a run has told about the data, and at which cost: the file {@code privacy.json}.
 *
 * <p>Built by {@link #builder()}, which computes every ε from the mechanisms themselves and refuses
 * to leave anything out.
 *
 * @param statement in plain words, for the report
 * @param stamp {@link SecretStreams#NOT_PRIVATE} for a run with a test key, else null
 * @param secureRandom whether units and noise were drawn from a secret key of the operating system
 * @param unit whose presence is hidden: a record, a group, a parent with its children
 * @param mostRowsPerUnit L, rows of a unit that are used; longer ones are cut
 * @param adjacency what two neighbouring tables are
 * @param units n̂, the number of units that everything was planned with
 * @param unitsKnownBy how n̂ became known
 * @param domain by column, how its values and ranges became known
 * @param training q, σ, C and steps; null for a run that did not train on the data
 * @param epsilonBudget what was allowed
 * @param epsilon what is claimed: by the chosen accountant
 * @param delta the δ of the claim
 * @param deltaParts what δ consists of
 * @param accountant whose ε is claimed
 * @param epsilonRdp by Rényi divergences
 * @param rdpOrder at which order
 * @param epsilonPld by privacy loss distributions
 * @param pldError by how much that may be too high
 * @param mechanisms every release, with its cost
 * @param notCovered what the claim is not about
 */
public record PrivacyLedger(
    String statement,
    String stamp,
    boolean secureRandom,
    String unit,
    long mostRowsPerUnit,
    String adjacency,
    double units,
    UnitsKnownBy unitsKnownBy,
    Map<String, String> domain,
    Training training,
    double epsilonBudget,
    double epsilon,
    double delta,
    Map<String, Double> deltaParts,
    Accountant accountant,
    double epsilonRdp,
    double rdpOrder,
    double epsilonPld,
    double pldError,
    List<Line> mechanisms,
    List<String> notCovered) {
  /** Two tables are neighbours if one has one unit more. */
  public static final String ADJACENCY = "add or remove one unit";

  /** How the number of units became known. */
  public enum UnitsKnownBy {
    /** The user says that it is public. */
    DECLARED_PUBLIC,
    /** It was counted with noise, at a cost that is on the ledger. */
    NOISY_COUNT
  }

  /**
   * DP-SGD's settings.
   *
   * @param clipNorm C, L2 bound of one unit's gradient
   * @param expectedBatchSize q·n̂, by which sums are divided
   */
  public record Training(
      double samplingRate,
      double noiseMultiplier,
      double clipNorm,
      long steps,
      double expectedBatchSize) {}

  /**
   * A mechanism and its cost.
   *
   * @param epsilonAlone what it would cost by itself at the claim's δ, by Rényi divergences
   * @param share of the whole Rényi divergence at the order of the claim
   */
  public record Line(LedgerEntry entry, double epsilonAlone, double share) {}

  /** A ledger to fill in. */
  public static PrivacyLedgerBuilder builder() {
    return new PrivacyLedgerBuilder();
  }

  /** What was released, for the accountants. */
  public List<Mechanism> history() {
    return mechanisms.stream().map(line -> line.entry().mechanism()).toList();
  }
}
