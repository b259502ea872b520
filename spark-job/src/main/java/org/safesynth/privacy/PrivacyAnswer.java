package org.safesynth.privacy;

import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;

/**
 * What a private training costs by both accountants; prints itself, so that a ledger can be checked
 * without anything else.
 */
public record PrivacyAnswer(
    SubsampledGaussian training, Delta delta, RdpAccountant.Spent rdp, PldAccountant.Spent pld) {

  /** The cost of steps with a given noise. */
  public static PrivacyAnswer of(SubsampledGaussian training, Delta delta) {
    List<Mechanism> history = List.of(training);
    return new PrivacyAnswer(
        training, delta, RdpAccountant.spent(history, delta), PldAccountant.spent(history, delta));
  }

  /** One number a line. */
  public String text() {
    return String.format(
        Locale.ROOT,
        """
        sampling rate     %s
        noise multiplier  %s
        steps             %d
        delta             %s
        epsilon_rdp       %s (order %s)
        epsilon_pld       %s (too high by at most %.2g)
        """,
        training.samplingRate().value(),
        training.noiseMultiplier().value(),
        training.times(),
        delta.value(),
        rdp.epsilon(),
        rdp.order(),
        pld.epsilon(),
        pld.error());
  }

  /** The same as one JSON object; an ε that cannot be stated at this δ is null. */
  public String json() {
    StringJoiner fields = new StringJoiner(",\n  ", "{\n  ", "\n}\n");
    fields.add("\"sampling_rate\": " + number(training.samplingRate().value()));
    fields.add("\"noise_multiplier\": " + number(training.noiseMultiplier().value()));
    fields.add("\"steps\": " + training.times());
    fields.add("\"delta\": " + number(delta.value()));
    fields.add("\"epsilon_rdp\": " + number(rdp.epsilon()));
    fields.add("\"rdp_order\": " + number(rdp.order()));
    fields.add("\"epsilon_pld\": " + number(pld.epsilon()));
    fields.add("\"pld_error\": " + number(pld.error()));
    return fields.toString();
  }

  private static String number(double value) {
    return Double.isFinite(value) ? Double.toString(value) : "null";
  }
}
