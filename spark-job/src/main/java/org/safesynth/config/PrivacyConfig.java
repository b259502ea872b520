package org.safesynth.config;

import java.io.Serializable;

/** Differential privacy; {@code privacy: null} is the same as {@code dp_enabled: false}. */
@Section("Differential privacy; privacy: null switches it off")
public record PrivacyConfig(
    @Parameter(meaning = "Whether training is differentially private", byDefault = "false")
        boolean dpEnabled,
    @Parameter(
            meaning = "Privacy budget: smaller is more private; 4 to 12 is typical",
            byDefault = "8.0",
            min = 0,
            aboveMin = true)
        double epsilon,
    @Parameter(
            meaning = "Probability that the bound of epsilon may fail",
            byDefault = "auto",
            min = 0,
            aboveMin = true,
            max = 1,
            belowMax = true,
            note = "auto is n^-1.2 for n >= 100 privacy units, else 0.1 / n")
        Auto<Double> delta,
    @Parameter(
            meaning = "L2 norm to which the gradient of one privacy unit is clipped",
            byDefault = "1.0",
            min = 0,
            aboveMin = true)
        double perSampleMaxGradNorm,
    @Parameter(
            meaning =
                "Accountant whose epsilon is reported: Renyi, or the tighter privacy loss distribution",
            byDefault = "rdp")
        Accountant accountant,
    @Parameter(
            meaning = "Share of epsilon that pays for the domain: value lists, ranges, lengths",
            byDefault = "auto",
            min = 0,
            max = 1,
            belowMax = true,
            note = "auto buys nothing: the domain is declared or public; 0.1 is a good share")
        Auto<Double> domainEpsilonShare,
    @Parameter(
            meaning = "Share of the remaining epsilon that pays for noisy marginals",
            byDefault = "auto",
            min = 0,
            max = 1)
        Auto<Double> marginalEpsilonShare,
    @Parameter(
            meaning = "Whether the domain as found in the data may be taken as public",
            byDefault = "false",
            note = "written to the privacy ledger")
        boolean assumePublicDomain,
    @Parameter(
            meaning =
                "Whether the number of privacy units is public; if not, a noisy one is paid for",
            byDefault = "false",
            note = "written to the privacy ledger")
        boolean publicCount,
    @Parameter(
            meaning = "Most rows of a group that are used where the privacy unit is a group",
            byDefault = "auto",
            min = 1,
            max = 2000,
            note =
                "longer groups are cut by a key; auto takes what 99.5 % of groups do not exceed, by noisy counts")
        Auto<Integer> maxRowsPerGroup)
    implements Serializable {

  /** How the privacy loss of many steps is added up. */
  public enum Accountant {
    RDP,
    PLD
  }
}
