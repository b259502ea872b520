package org.safesynth.job;

import java.util.List;
import java.util.Map;
import org.safesynth.codec.CutText;
import org.safesynth.codec.FieldCodec;
import org.safesynth.codec.Protection;
import org.safesynth.codec.ProtectionCount;
import org.safesynth.random.SeededStreams;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.TableProfile;

/** Fits the codec to what was counted of the table, and says what value protection did. */
final class CodecStage {
  private CodecStage() {}

  /**
   * The codec and what it keeps out of the output.
   *
   * @param protection columns where it does something
   */
  record Fitted(FieldCodec codec, List<ProtectionCount> protection) {}

  static Fitted run(RunContext context, FrozenSchema schema, TableProfile profile) {
    return run(context, schema, profile, Map.of());
  }

  /** The same with borders of numbers, as {@link FieldCodec#fit} takes them. */
  static Fitted run(
      RunContext context, FrozenSchema schema, TableProfile profile, Map<Integer, Long> borders) {
    Fitted fitted = fit(context, schema, profile, borders);
    for (CutText cut : fitted.codec().cutTexts(schema, profile)) {
      context
          .console()
          .warn(
              "'%s': about %.1f %% of the texts are longer than the %d pieces that the embedded model learns, and are cut there"
                  .formatted(cut.column(), 100 * cut.share(), cut.pieces()));
    }
    return fitted;
  }

  /** The same, without a word on what the embedded model cannot learn. */
  static Fitted fit(RunContext context, FrozenSchema schema, TableProfile profile) {
    return fit(context, schema, profile, Map.of());
  }

  private static Fitted fit(
      RunContext context, FrozenSchema schema, TableProfile profile, Map<Integer, Long> borders) {
    Protection protection = protection(context);
    Fitted fitted =
        new Fitted(
            FieldCodec.fit(schema, profile, protection, borders),
            FieldCodec.protectionCounts(schema, profile, protection));
    tell(context.console(), protection, fitted.protection());
    return fitted;
  }

  /** What the configuration says of value protection. */
  static Protection protection(RunContext context) {
    return context.config().protectsValues()
        ? new Protection(
            true,
            context.config().data().rareThreshold(),
            new SeededStreams(context.seed()).key(SeededStreams.Purpose.PROTECTION))
        : Protection.OFF;
  }

  private static void tell(Console console, Protection protection, List<ProtectionCount> counts) {
    if (!protection.enabled()) {
      console.warn("value protection is off: rare values and extreme numbers may be written");
      return;
    }
    for (ProtectionCount count : counts) {
      console.progress("protect", sentence(count), Map.of("column", count));
    }
  }

  private static String sentence(ProtectionCount count) {
    StringBuilder did = new StringBuilder("protected '%s':".formatted(count.column()));
    if (count.freshIdentifiers()) {
      did.append(" fresh values instead of real ones;");
    }
    if (count.rareRecords() > 0) {
      did.append(
          " %,d rare values of %,d rows left out;"
              .formatted(count.rareValues(), count.rareRecords()));
    }
    if (count.pulledInLow() + count.pulledInHigh() > 0) {
      did.append(
          " %,d low and %,d high extremes pulled in;"
              .formatted(count.pulledInLow(), count.pulledInHigh()));
    }
    return did.substring(0, did.length() - 1);
  }
}
