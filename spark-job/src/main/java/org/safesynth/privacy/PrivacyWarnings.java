package org.safesynth.privacy;

import java.util.ArrayList;
import java.util.List;

/** What a user should hear about a budget that is allowed, but weak or hard to use. */
public final class PrivacyWarnings {
  /** Below this many units, noise drowns most of what could be learned. */
  public static final double FEW_UNITS = 10_000;

  private PrivacyWarnings() {}

  /**
   * Sentences for the console and the report; none for a sound budget.
   *
   * @param units the declared or noisy number of privacy units
   */
  public static List<String> of(double units, double epsilon, Delta delta) {
    List<String> warnings = new ArrayList<>();
    if (units < FEW_UNITS) {
      warnings.add(
          "%.0f privacy units are few: below %.0f the noise that hides one of them drowns most of what they have in common"
              .formatted(units, FEW_UNITS));
    }
    if (epsilon > Epsilon.WEAK) {
      warnings.add(
          "epsilon %.4g is weak: it lets the odds of an attacker's guess grow by a factor of up to %.2g; 1 to 8 is usual"
              .formatted(epsilon, Math.exp(epsilon)));
    }
    if (delta.value() >= 1 / units) {
      warnings.add(
          "delta %.3g is not below 1/n = %.3g: it would allow to publish a whole record at random; auto is %.3g"
              .formatted(delta.value(), 1 / units, Delta.automatic(Math.max(1, units)).value()));
    }
    return warnings;
  }
}
